"""The vault: what goes in comes out for the same account and key only, and for nobody else."""

from __future__ import annotations

import pytest

from tests.models.rows import make_account
from trading.domain.errors import ConfigurationError
from trading.exchanges.base import Credentials
from trading.models import Credential
from trading.vault import key_id, open_credentials, seal_credentials

PLAIN = Credentials("mx0canarykey-1234", "canary-secret-5678")


def store(account, plain=PLAIN) -> Credential:
    row = seal_credentials(account, plain)
    row.save()
    return row


def test_a_round_trip(db: None):
    account = make_account()
    row = store(account)
    assert open_credentials(account) == PLAIN
    assert (row.key_hint, row.sealed_with) == ("1234", key_id())


def test_the_row_holds_nothing_readable(db: None):
    row = store(make_account())
    stored = bytes(row.sealed_key) + bytes(row.sealed_secret) + str(row).encode()
    assert b"canary" not in stored and b"mx0" not in stored
    assert "canary" not in repr(PLAIN)


def test_the_same_secret_is_never_sealed_to_the_same_bytes(db: None):
    first, second = store(make_account("one")), store(make_account("two"))
    assert bytes(first.sealed_secret) != bytes(second.sealed_secret)


def test_an_account_without_credentials_has_none(db: None):
    assert open_credentials(make_account()) is None


def test_another_key_opens_nothing_and_says_so(db: None, settings):
    account = make_account()
    store(account)
    before = key_id()
    settings.ENCRYPTION_KEY = "another-encryption-key-0123456789abcdef"
    with pytest.raises(ConfigurationError) as caught:
        open_credentials(account)
    assert key_id() != before and "canary" not in str(caught.value)


def test_a_row_moved_to_another_account_does_not_open(db: None):
    one, two = make_account("one"), make_account("two")
    store(one)
    store(two, Credentials("other-key-0000", "other-secret-0000"))
    mine = Credential.objects.get(account=one)
    Credential.objects.filter(account=two).update(
        sealed_key=bytes(mine.sealed_key), sealed_secret=bytes(mine.sealed_secret)
    )
    with pytest.raises(ConfigurationError):
        open_credentials(two)


def test_key_and_secret_cannot_change_places(db: None):
    account = make_account()
    row = store(account)
    Credential.objects.update(sealed_key=bytes(row.sealed_secret), sealed_secret=bytes(row.sealed_key))
    with pytest.raises(ConfigurationError):
        open_credentials(account)


@pytest.mark.parametrize("byte", [0, 12, -1])
def test_one_flipped_bit_is_noticed(db: None, byte):
    account = make_account()
    sealed = bytearray(store(account).sealed_secret)
    sealed[byte] ^= 1
    Credential.objects.update(sealed_secret=bytes(sealed))
    with pytest.raises(ConfigurationError):
        open_credentials(account)


def test_replacing_keeps_one_row(db: None):
    account = make_account()
    store(account)
    store(account, Credentials("replaced-key-9999", "replaced-secret"))
    assert Credential.objects.count() == 1
    assert open_credentials(account) == Credentials("replaced-key-9999", "replaced-secret")
