"""Accounts, strategies, limits, tokens and jobs: every change is checked, written down, and gives no secret back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.making import PERSON, World, run_together
from tests.models.rows import make_account
from trading.domain.enums import Environment, TradingMode, VenueName
from trading.domain.errors import ConfigurationError, InvalidInput, LeviError, NotAllowed
from trading.execution.accounts import (
    check_connection,
    create_account,
    create_strategy,
    set_account_enabled,
    store_credentials,
)
from trading.execution.jobs import beat_heart, claim_slot, forget_old_slots
from trading.execution.limit_changes import change_limits, limits_record
from trading.execution.tokens import authenticate_token, create_token, revoke_token
from trading.models import ApiToken, AuditEntry, ExchangeAccount, HaltState, Heartbeat, JobSlot, LimitsVersion

URL = "http://127.0.0.1:9/mexc"


def make(name: str = "main", **changes):
    fields = {
        "venue": VenueName.MEXC,
        "environment": Environment.SIMULATED,
        "mode": TradingMode.PAPER,
        "base_url": URL,
    }
    return create_account(name, **fields | changes, actor=PERSON)


# -- accounts ---------------------------------------------------------------------------------------------------------
def test_an_account_comes_with_its_halt_state_and_its_entry(db: None):
    account = make()
    assert HaltState.objects.get(scope="account", target="main").state == "active"
    assert AuditEntry.objects.get(kind="account.created").object_id == str(account.pk)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": "Bad Name"}, InvalidInput),
        ({"name": ""}, InvalidInput),
        ({"base_url": "http://evil.example/mexc"}, ConfigurationError),
        ({"base_url": "https://testnet-api.mexc.com"}, ConfigurationError),
        ({"environment": Environment.LIVE}, ConfigurationError),
        ({"environment": Environment.LIVE, "base_url": "https://api.mexc.com"}, InvalidInput),
    ],
)
def test_a_wrong_account_is_refused_whole(db: None, changes, error):
    with pytest.raises(error):
        make(**{"name": "main"} | changes)
    assert not ExchangeAccount.objects.exists() and not HaltState.objects.filter(scope="account").exists()


def test_a_second_account_of_the_same_name_is_refused(db: None):
    make()
    with pytest.raises(InvalidInput):
        make()


@pytest.mark.parametrize(("key", "secret"), [("short", "x" * 20), ("x" * 20, "has a blank"), ("", "")])
def test_what_does_not_look_like_a_key_is_not_stored(db: None, key, secret):
    with pytest.raises(InvalidInput):
        store_credentials(make(), key, secret, actor=PERSON)
    assert not AuditEntry.objects.filter(kind="credential.stored").exists()


def test_the_entry_of_a_new_key_holds_its_hint_only(db: None):
    store_credentials(make(), " mx0canary-key-1234 ", "canary-secret-1234", actor=PERSON)
    entry = AuditEntry.objects.get(kind="credential.stored")
    assert entry.data["key_hint"] == "1234" and "canary" not in str(entry.data)


def test_switching_an_account_is_written_down_with_its_reason(db: None):
    set_account_enabled(make(), False, actor=PERSON, reason="maintenance")
    entry = AuditEntry.objects.get(kind="account.disabled")
    assert (entry.data["before"], entry.data["after"], entry.data["reason"]) == (True, False, "maintenance")


def test_checking_a_connection_says_what_the_key_may_do(world: World):
    found = check_connection(world.account.pk, actor=PERSON)
    assert found["reachable"] and found["error"] is None and found["key"]["can_trade"]
    store_credentials(world.account, "wrong-key-1234", "wrong-secret-1234", actor=PERSON)
    found = check_connection(world.account.pk, actor=PERSON)
    assert found["reachable"] and found["key"] is None and found["error"]


def test_a_strategy_is_lower_case_and_has_a_halt_state(db: None):
    assert create_strategy(" Momentum ", actor=PERSON).name == "momentum"
    assert HaltState.objects.get(scope="strategy").target == "momentum"
    with pytest.raises(InvalidInput):
        create_strategy("not a name", actor=PERSON)


# -- limits -----------------------------------------------------------------------------------------------------------
def test_a_change_is_a_new_version_on_top_of_the_old(db: None):
    first = change_limits({"max_order_notional": "100", "max_open_orders": "5"}, reason="start", actor=PERSON)
    second = change_limits({"max_order_notional": None}, reason="lift", actor=PERSON)
    assert (second.max_order_notional, second.max_open_orders) == (None, 5)
    first.refresh_from_db()
    assert first.max_order_notional == Decimal(100)
    entry = AuditEntry.objects.filter(kind="limits.changed").latest("id")
    assert entry.data["before"]["max_order_notional"] == "100"
    assert entry.data["after"]["max_order_notional"] is None
    assert limits_record(None) == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_order_notional": "-1"}, "max_order_notional"),
        ({"max_order_notional": "lots"}, "max_order_notional"),
        ({"max_order_notional": 1.5}, "max_order_notional"),
        ({"max_open_orders": "1.5"}, "max_open_orders"),
        ({"max_open_orders": "1e12"}, "max_open_orders"),
        ({"max_daily_loss_pct": "101"}, "max_daily_loss_pct"),
        ({"max_price_age_seconds": None}, "max_price_age_seconds"),
        ({"allowed_symbols": "BTC/USDT"}, "allowed_symbols"),
        ({"max_everything": "1"}, "max_everything"),
    ],
)
def test_a_wrong_limit_is_named_and_changes_nothing(db: None, changes, field):
    with pytest.raises(InvalidInput) as caught:
        change_limits({"max_open_orders": 3} | changes, reason="test", actor=PERSON)
    assert caught.value.context["field"] == field
    assert not LimitsVersion.objects.exists() and not AuditEntry.objects.exists()


def test_limits_change_for_a_reason_only(db: None):
    with pytest.raises(InvalidInput, match="reason"):
        change_limits({"max_open_orders": 3}, reason="  ", actor=PERSON)


def test_a_symbol_nobody_lists_cannot_be_allowed(world: World):
    with pytest.raises(InvalidInput, match="NO/PE"):
        world.change_limits(allowed_symbols=["BTC/USDT", "NO/PE"])
    assert world.change_limits(allowed_symbols=[" eth/usdt ", "BTC/USDT"]).allowed_symbols == [
        "BTC/USDT",
        "ETH/USDT",
    ]


# -- tokens -----------------------------------------------------------------------------------------------------------
def make_token(**changes):
    return create_token(**{"name": "bot", "roles": ["trader"], "days": 30, "actor": PERSON} | changes)


def test_a_token_is_shown_once_and_stored_as_a_hash(db: None):
    row, plain = make_token()
    assert authenticate_token(plain, "10.0.0.1") == row
    secret = plain.rpartition(".")[2]
    stored = str(vars(ApiToken.objects.get())) + str(AuditEntry.objects.get(kind="token.created").data)
    assert secret not in stored and plain not in stored


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 61}, "name"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"roles": []}, "roles"),
        ({"roles": ["king"]}, "roles"),
        ({"addresses": ["somewhere"]}, "addresses"),
    ],
)
def test_a_wrong_token_is_not_made(db: None, changes, field):
    with pytest.raises(InvalidInput) as caught:
        make_token(**changes)
    assert caught.value.context["field"] == field and not ApiToken.objects.exists()


def spoil(row: ApiToken, how: str) -> None:
    if how == "revoked_token":
        revoke_token(row.pk, actor=PERSON)
    else:
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("code", ["revoked_token", "expired_token"])
def test_a_token_that_is_over_opens_nothing(db: None, code):
    row, plain = make_token()
    spoil(row, code)
    with pytest.raises(NotAllowed) as caught:
        authenticate_token(plain, "10.0.0.1")
    assert caught.value.code == code


def test_a_wrong_secret_and_an_unknown_token_are_told_apart_by_nobody(db: None):
    _, plain = make_token()
    texts = set()
    for wrong in (plain[:-1] + "!", "levi.0000000000000000.abc", "nonsense", "", "levi..", f"x{plain}"):
        with pytest.raises(NotAllowed) as caught:
            authenticate_token(wrong, "10.0.0.1")
        texts.add((caught.value.code, str(caught.value)))
    assert len(texts) == 1


def test_a_token_may_be_bound_to_addresses(db: None):
    row, plain = make_token(addresses=["10.0.0.5/24"])
    assert authenticate_token(plain, "10.0.0.77") == row
    for elsewhere in ("10.0.1.1", "not an address", ""):
        with pytest.raises(NotAllowed) as caught:
            authenticate_token(plain, elsewhere)
        assert caught.value.code == "address_not_allowed"


def test_revoking_twice_is_written_down_once(db: None):
    row, _ = make_token()
    for _ in range(2):
        revoke_token(row.pk, actor=PERSON)
    assert AuditEntry.objects.filter(kind="token.revoked").count() == 1


# -- jobs -------------------------------------------------------------------------------------------------------------
def test_a_slot_is_claimed_by_one_of_many(transactional_db: None):
    claims = run_together(*[lambda: claim_slot("sync", 86_400)] * 4)
    assert sorted(claims) == [False, False, False, True]
    assert claim_slot("other", 86_400)


def test_old_slots_and_old_hearts_are_forgotten(db: None):
    claim_slot("sync", 10)
    beat_heart(name="alive")
    beat_heart(name="gone")
    JobSlot.objects.update(claimed_at=timezone.now() - timedelta(days=2))
    Heartbeat.objects.filter(process="gone").update(beat_at=timezone.now() - timedelta(days=2))
    assert forget_old_slots() == 1
    assert list(Heartbeat.objects.values_list("process", flat=True)) == ["alive"]


def test_a_heart_is_one_row_that_beats(db: None):
    beat_heart()
    first = Heartbeat.objects.get()
    beat_heart()
    again = Heartbeat.objects.get()
    assert again.beat_at > first.beat_at and again.started_at == first.started_at


def test_every_error_here_says_what_to_do(db: None):
    make_account("main")
    with pytest.raises(LeviError) as caught:
        make()
    assert caught.value.remedy
