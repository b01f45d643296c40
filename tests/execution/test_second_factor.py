"""The second factor: a code counts once, also when twenty requests bring it; what is stored can not be read."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_otp.oath import totp

from tests.authenticators import Authenticator, enrol
from tests.making import run_together
from trading.domain.actors import Actor, ActorKind
from trading.domain.errors import ConfigurationError, InvalidInput, NotAllowed
from trading.execution import second_factor
from trading.execution.second_factor import (
    begin_enrolment,
    confirm_enrolment,
    count_recovery_codes,
    find_new_key,
    has_second_factor,
    provisioning_uri,
    remove_second_factor,
    replace_recovery_codes,
    verify_code,
)
from trading.models import AuditEntry, RecoveryCode, SecondFactor

ANNA = Actor(ActorKind.OPERATOR, "anna", "request-1")


@pytest.fixture
def anna(db) -> User:
    return User.objects.create(username="anna", is_staff=True)


def proven() -> Actor:
    return Actor(ActorKind.OPERATOR, "anna", "request-1", timezone.now())


def kinds() -> list[str]:
    return list(
        AuditEntry.objects.filter(kind__startswith="factor.").order_by("id").values_list("kind", flat=True)
    )


def refused(verb, code: str) -> NotAllowed:
    with pytest.raises(NotAllowed) as caught:
        verb()
    assert caught.value.code == code
    return caught.value


def test_enrolling_takes_a_code_of_the_new_key_and_gives_ten_recovery_codes(anna):
    assert not has_second_factor(anna) and find_new_key(anna) is None
    begin_enrolment(anna, actor=ANNA)
    key = find_new_key(anna)
    assert key and len(key) == 32 and not has_second_factor(anna)
    refused(lambda: confirm_enrolment(anna, "000000", actor=ANNA), "wrong_code")
    assert not has_second_factor(anna)
    codes = confirm_enrolment(anna, Authenticator(key).code(), actor=ANNA)
    assert has_second_factor(anna) and find_new_key(anna) is None
    assert len(set(codes)) == count_recovery_codes(anna) == 10
    assert kinds() == ["factor.begun", "factor.refused", "factor.enrolled"]


def test_the_uri_is_what_authenticators_read(anna):
    uri = provisioning_uri(anna, "ABC234", "Levi testnet")
    assert uri == "otpauth://totp/Levi%20testnet%3Aanna?secret=ABC234&issuer=Levi+testnet"


def test_nothing_that_is_stored_can_be_used(anna):
    begin_enrolment(anna, actor=ANNA)
    key = find_new_key(anna)
    codes = confirm_enrolment(anna, Authenticator(key).code(), actor=ANNA)
    row = SecondFactor.objects.get()
    stored = (
        bytes(row.sealed_key) + "".join(RecoveryCode.objects.values_list("code_hash", flat=True)).encode()
    )
    trail = " ".join(str(entry.data) for entry in AuditEntry.objects.all())
    for secret in (key, *codes, *(code.replace("-", "") for code in codes)):
        assert secret.encode() not in stored and secret not in trail


def test_a_key_copied_to_another_person_opens_nothing(anna):
    enrol(anna)
    ben = User.objects.create(username="ben")
    SecondFactor.objects.create(user=ben, sealed_key=SecondFactor.objects.get(pk=anna.pk).sealed_key)
    with pytest.raises(ConfigurationError, match="cannot be decrypted"):
        verify_code(ben, "123456", actor=ANNA)


def test_a_code_counts_once_and_no_older_one_after_it(anna):
    phone = enrol(anna)
    code = phone.code(steps=1)
    assert abs(verify_code(anna, f" {code[:3]} {code[3:]} ", actor=ANNA) - timezone.now()) < timedelta(
        minutes=1
    )
    refused(lambda: verify_code(anna, code, actor=ANNA), "wrong_code")
    refused(lambda: verify_code(anna, phone.code(steps=0), actor=ANNA), "wrong_code")
    assert kinds()[-3:] == ["factor.confirmed", "factor.refused", "factor.refused"]


def test_a_phone_may_be_half_a_minute_off_and_not_more(anna, monkeypatch):
    phone = enrol(anna)
    now = time.time()
    for steps, taken in ((-2, False), (2, False), (-1, True), (1, True)):
        SecondFactor.objects.update(last_step=0, failed_at=[])
        code = f"{totp(phone.key, t0=0, drift=steps):06d}"
        monkeypatch.setattr(second_factor.time, "time", lambda: now)
        if taken:
            verify_code(anna, code, actor=ANNA)
        else:
            refused(lambda code=code: verify_code(anna, code, actor=ANNA), "wrong_code")


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "123456\x00", "000000 OR 1=1"])
def test_what_is_no_code_is_refused(anna, code):
    enrol(anna)
    refused(lambda: verify_code(anna, code, actor=ANNA), "wrong_code")


def test_five_wrong_codes_close_the_door_for_a_quarter_of_an_hour(anna):
    phone = enrol(anna)
    for _attempt in range(5):
        refused(lambda: verify_code(anna, "000000", actor=ANNA), "wrong_code")
    refused(lambda: verify_code(anna, phone.code(steps=1), actor=ANNA), "too_many_codes")
    assert SecondFactor.objects.get().last_step < int(time.time()) // 30 + 1
    earlier = (timezone.now() - timedelta(minutes=16)).isoformat()
    SecondFactor.objects.update(failed_at=[earlier] * 5)
    verify_code(anna, phone.code(steps=1), actor=ANNA)
    assert SecondFactor.objects.get().failed_at == []


def test_a_recovery_code_stands_in_once(anna):
    phone = Authenticator.of(anna, actor=ANNA)
    first = phone.recovery_codes[0]
    verify_code(anna, first.lower().replace("-", " "), actor=ANNA)
    refused(lambda: verify_code(anna, first, actor=ANNA), "wrong_code")
    assert count_recovery_codes(anna) == 9
    assert AuditEntry.objects.get(kind="factor.recovery_code_used").data["left"] == 9


def test_a_recovery_code_of_somebody_else_is_worth_nothing(anna):
    enrol(anna)
    ben = User.objects.create(username="ben")
    theirs = Authenticator.of(ben, actor=ANNA).recovery_codes
    refused(lambda: verify_code(anna, theirs[0], actor=ANNA), "wrong_code")
    assert count_recovery_codes(ben) == 10


def test_new_recovery_codes_make_the_old_ones_void(anna):
    phone = Authenticator.of(anna, actor=ANNA)
    fresh = replace_recovery_codes(anna, actor=proven())
    refused(lambda: verify_code(anna, phone.recovery_codes[0], actor=ANNA), "wrong_code")
    verify_code(anna, fresh[0], actor=ANNA)


def test_a_password_alone_never_replaces_a_factor_not_even_in_paper_mode(anna):
    enrol(anna)
    for verb in (
        lambda: begin_enrolment(anna, actor=ANNA),
        lambda: confirm_enrolment(anna, "123456", actor=ANNA),
        lambda: replace_recovery_codes(anna, actor=ANNA),
    ):
        refused(verb, "second_factor_required")
    assert find_new_key(anna) is None


def test_the_old_factor_is_in_force_until_the_new_one_has_shown_a_code(anna):
    phone = enrol(anna)
    begin_enrolment(anna, actor=proven())
    verify_code(anna, phone.code(steps=1), actor=ANNA)
    new = Authenticator(find_new_key(anna))
    confirm_enrolment(anna, new.code(), actor=proven())
    SecondFactor.objects.update(last_step=0)
    refused(lambda: verify_code(anna, phone.code(), actor=ANNA), "wrong_code")
    verify_code(anna, new.code(), actor=ANNA)


def test_removing_it_takes_everything_and_needs_a_reason(anna):
    enrol(anna)
    with pytest.raises(InvalidInput, match="reason"):
        remove_second_factor(anna, reason=" ", actor=ANNA)
    remove_second_factor(anna, reason="phone lost", actor=ANNA)
    assert not has_second_factor(anna) and not RecoveryCode.objects.exists()
    refused(lambda: verify_code(anna, "123456", actor=ANNA), "no_second_factor")
    assert AuditEntry.objects.get(kind="factor.removed").data["reason"] == "phone lost"


def test_one_code_brought_by_twenty_requests_at_once_counts_once(transactional_db):
    anna = User.objects.create(username="anna")
    code = enrol(anna).code(steps=1)
    done = run_together(*[lambda: verify_code(anna, code, actor=ANNA)] * 20)
    assert len([answer for answer in done if not isinstance(answer, Exception)]) == 1
    assert {answer.code for answer in done if isinstance(answer, Exception)} <= {
        "wrong_code",
        "too_many_codes",
    }
    assert AuditEntry.objects.filter(kind="factor.confirmed").count() == 1


def test_twenty_wrong_codes_at_once_are_five_tries(transactional_db):
    anna = User.objects.create(username="anna")
    enrol(anna)
    done = run_together(*[lambda: verify_code(anna, "000000", actor=ANNA)] * 20)
    assert sorted(answer.code for answer in done) == ["too_many_codes"] * 15 + ["wrong_code"] * 5


def test_one_recovery_code_brought_by_ten_requests_at_once_counts_once(transactional_db):
    anna = User.objects.create(username="anna")
    code = Authenticator.of(anna, actor=ANNA).recovery_codes[0]
    done = run_together(*[lambda: verify_code(anna, code, actor=ANNA)] * 10)
    assert len([answer for answer in done if not isinstance(answer, Exception)]) == 1
