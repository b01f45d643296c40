"""What a venue's key may do: asked daily and when it is replaced, told and answered when it is not as it must be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.making import PERSON, World, make_account
from trading import tasks
from trading.domain.enums import HaltScope
from trading.domain.errors import VenueError
from trading.execution import key_rights
from trading.execution.accounts import store_credentials
from trading.execution.cancellation import request_cancel, send_cancel
from trading.execution.following import follow_order
from trading.execution.halts import engage, release
from trading.execution.key_rights import AT_ONCE, ask_rights, check_key, due_keys
from trading.models import Alert, AuditEntry, Credential, ExchangeAccount, HaltChange, HaltState
from trading.queries.key_rights import key_state

TRADES = ["SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE", "SPOT_WITHDRAW_READ"]
WITHDRAWS = [*TRADES, "SPOT_WITHDRAW_WRITE"]


def give(world: World, rights: list[str], **more) -> None:
    """The venue changes what the key in use may do."""
    world.venue.add_user("trader", world.venue.key, world.venue.secret, permissions=rights, **more)


def check(world: World) -> None:
    check_key(world.account.pk)


def state_of(world: World, later: timedelta = timedelta()):
    return key_state(ExchangeAccount.objects.get(pk=world.account.pk), timezone.now() + later)


def halted(world: World) -> str:
    return HaltState.objects.get(scope=HaltScope.ACCOUNT, target=world.account.name).state


def told(event: str) -> list[Alert]:
    return list(Alert.objects.filter(event=event).order_by("at"))


def test_a_key_that_trades_and_reads_is_good_and_no_news(world: World):
    assert state_of(world).word == "not asked yet"
    check(world)
    assert state_of(world).word == "good" and halted(world) == "active"
    entry = AuditEntry.objects.get(kind="credential.checked")
    assert entry.data["rights"] == sorted(TRADES) and entry.data["faults"] == []
    assert world.venue.key not in str(entry.data)
    assert not Alert.objects.filter(event__startswith="credential.").exists()


@pytest.mark.parametrize("right", ["SPOT_WITHDRAW_WRITE", "SPOT_TRANSFER_WRITE", "SPOT_RIGHT_OF_TOMORROW"])
def test_a_key_that_may_take_money_out_is_critical_and_opens_nothing_more(world: World, right):
    resting = world.rest()
    give(world, [*TRADES, right])
    check(world)
    assert state_of(world).word == "at fault" and halted(world) == "reducing"
    (alert,) = told("credential.checked")
    assert alert.severity == "critical" and right in alert.text
    assert world.submit().status == "denied"
    request_cancel(resting.id, actor=PERSON)
    send_cancel(resting.id)
    follow_order(resting.id)
    resting.refresh_from_db()
    assert resting.status == "canceled"


def test_a_person_who_releases_it_is_not_overruled_until_another_right_appears(world: World):
    give(world, WITHDRAWS)
    check(world)
    release(HaltScope.ACCOUNT, world.account.name, reason="known, and on its way", actor=PERSON)
    check(world)
    assert halted(world) == "active" and state_of(world).word == "at fault"
    assert len(told("credential.checked")) == 2
    give(world, [*WITHDRAWS, "SPOT_TRANSFER_WRITE"])
    check(world)
    assert halted(world) == "reducing"


def test_a_right_that_went_and_came_back_is_answered_again(world: World):
    for rights in (WITHDRAWS, TRADES, WITHDRAWS):
        give(world, rights)
        check(world)
        changes = HaltChange.objects.filter(trigger="key_rights").count()
        if rights is TRADES:
            release(HaltScope.ACCOUNT, world.account.name, reason="taken away", actor=PERSON)
    assert changes == 2


def test_a_halt_that_is_stricter_stays(world: World):
    engage(HaltScope.ACCOUNT, world.account.name, reason="by hand", actor=PERSON, cancel=None)
    give(world, WITHDRAWS)
    check(world)
    assert halted(world) == "halted"


def test_a_good_answer_ends_what_was_told(world: World):
    give(world, WITHDRAWS)
    check(world)
    give(world, TRADES)
    check(world)
    (alert,) = told("credential.checked")
    assert alert.acknowledged_at is not None and state_of(world).word == "good"
    assert halted(world) == "reducing"  # a person releases it


@pytest.mark.parametrize(
    ("rights", "code"),
    [
        (["SPOT_ACCOUNT_READ", "SPOT_DEAL_READ"], "no_trade"),
        (["SPOT_ACCOUNT_READ", "SPOT_DEAL_WRITE"], "no_read"),
    ],
)
def test_a_key_that_cannot_trade_or_read_is_critical_and_halts_nothing(world: World, rights, code):
    give(world, rights)
    check(world)
    assert [fault.code for fault in state_of(world).faults] == [code]
    (alert,) = told("credential.checked")
    assert alert.severity == "critical" and halted(world) == "active"


def test_a_key_that_may_not_even_ask_about_itself_is_unknown(world: World):
    give(world, ["SPOT_DEAL_WRITE"])
    check(world)
    assert state_of(world).word == "unknown" and halted(world) == "active"


def test_a_key_that_lost_its_addresses_is_a_warning_for_as_long_as_it_lacks_them(world: World):
    give(world, TRADES, addresses=["203.0.113.7"])
    check(world)
    assert state_of(world).word == "good"
    give(world, TRADES)
    check(world)
    check(world)
    assert [fault.code for fault in state_of(world).faults] == ["unbound"]
    assert {alert.severity for alert in told("credential.checked")} == {"warning"}
    assert halted(world) == "active"


def test_a_venue_that_does_not_say_is_unknown_with_its_age_and_never_good(world: World):
    check(world)
    before = state_of(world).checked_at
    world.fault("http_status", method="GET", path="/api/v3/apiKeyInfo", status=503)
    check(world)
    state = state_of(world)
    assert state.word == "unknown" and state.checked_at == before and state.asked_at > before and state.error
    assert AuditEntry.objects.filter(kind="credential.unanswered").count() == 1
    assert told("credential.unanswered") == []  # an hour's absence is no news
    world.venue.clear_faults()
    check(world)
    assert state_of(world).word == "good"


def test_a_venue_that_has_not_said_for_two_days_is_told(world: World):
    check(world)
    old = timezone.now() - timedelta(hours=49)
    Credential.objects.update(rights_checked_at=old, rights_asked_at=old)
    assert state_of(world).word == "unknown"
    world.fault("http_status", method="GET", path="/api/v3/apiKeyInfo", status=503)
    check(world)
    (alert,) = told("credential.unanswered")
    assert alert.severity == "warning" and halted(world) == "active"


def test_a_fault_stays_while_the_venue_does_not_say_otherwise(world: World):
    give(world, WITHDRAWS)
    check(world)
    world.fault("http_status", method="GET", path="/api/v3/apiKeyInfo", status=503)
    with pytest.raises(VenueError):
        ask_rights(world.account, actor=PERSON)
    assert state_of(world).word == "at fault" and state_of(world).error


def test_an_answer_about_a_key_that_was_replaced_meanwhile_is_thrown_away(world: World, monkeypatch):
    def answer_late(account):
        line = original(account)
        store_credentials(account, world.venue.key, world.venue.secret, actor=PERSON)
        return line

    original = key_rights.exchange_for
    monkeypatch.setattr("trading.execution.key_rights.exchange_for", answer_late)
    check(world)
    assert state_of(world).word == "not asked yet"
    assert not AuditEntry.objects.filter(kind="credential.checked").exists()


def test_each_key_is_due_once_a_day_and_after_a_refusal_every_six_hours(world: World):
    now = timezone.now()
    assert due_keys() == [world.account.pk]
    check(world)
    assert due_keys() == [] == due_keys(now + timedelta(hours=23))
    assert due_keys(now + timedelta(hours=25)) == [world.account.pk]
    Credential.objects.update(rights_checked_at=None, rights_error="503", rights_asked_at=now)
    assert due_keys(now + timedelta(hours=5)) == []
    assert due_keys(now + timedelta(hours=7)) == [world.account.pk]
    Credential.objects.update(rights_error="", rights_asked_at=None)
    ExchangeAccount.objects.update(is_enabled=False)
    assert due_keys() == []  # nothing of it is at risk


def test_a_stored_key_rings_and_the_clock_rings_for_a_few_at_a_time(world: World, monkeypatch):
    rung = []
    monkeypatch.setattr("trading.execution.accounts.ring", lambda bell, of: rung.append((bell, of)))
    other = make_account(world.venue, "other")
    assert rung == [("check_key", other.pk)]
    monkeypatch.setattr("trading.tasks.ring", lambda bell, of: rung.append((bell, of)))
    tasks.check_due_keys()
    tasks.check_due_keys()  # the same slot: once, whoever rings
    assert sorted(rung[1:]) == sorted([("check_key", other.pk), ("check_key", world.account.pk)])
    assert AT_ONCE < 100
    tasks.check_key(str(world.account.pk))
    tasks.check_key("forged")
    assert state_of(world).word == "good"
