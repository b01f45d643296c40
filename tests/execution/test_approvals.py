"""Four eyes: asked by one person, approved by another within ten minutes, for exactly what was shown, once."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from tests.making import PERSON, World, run_together
from trading.domain.actors import Actor, ActorKind, system_actor
from trading.domain.enums import HaltScope
from trading.domain.errors import InvalidInput, LeviError, NotAllowed, StaleDecision, UnknownName
from trading.execution import approvals
from trading.execution.approvals import approve, expire_overdue, propose, refuse
from trading.execution.halts import engage, release
from trading.execution.releasing import release_or_propose
from trading.models import ApprovalRequest, AuditEntry, ExchangeAccount, HaltState
from trading.queries.halts import current_epoch
from trading.stop_flag import raise_stop_flag

ALL = HaltScope.EVERYTHING
PAYLOAD = {"scope": "account", "target": "paper", "seen_epoch": None}


def person(name: str, minutes_ago: float | None = 0) -> Actor:
    at = None if minutes_ago is None else timezone.now() - timedelta(minutes=minutes_ago)
    return Actor(ActorKind.OPERATOR, name, f"request-of-{name}", at)


@pytest.fixture
def halted(world: World, settings) -> World:
    """The account is halted, in production, where a release takes two people."""
    engage(HaltScope.ACCOUNT, "paper", reason="test", actor=PERSON, cancel=None)
    settings.LEVI_MODE = "production"
    return world


def ask(actor: Actor | None = None, **more) -> ApprovalRequest:
    given = {"reason": "books agree", "actor": actor or person("anna")} | more
    return release_or_propose(HaltScope.ACCOUNT, "paper", **given)


def state(target: str = "paper") -> str:
    return HaltState.objects.get(scope="account", target=target).state


def test_a_release_in_production_waits_for_a_second_person_and_names_both(halted):
    row = ask()
    assert isinstance(row, ApprovalRequest) and row.state == "pending" and state() == "halted"
    assert row.requested_by == "operator:anna" and "Release account paper" in row.subject
    done = approve(row.pk, actor=person("ben"))
    assert state() == "active"
    assert (done.state, done.decided_by) == ("approved", "operator:ben") and done.used_at
    entry = AuditEntry.objects.get(kind="halt.released")
    assert (entry.actor, entry.data["approved_by"]) == ("operator:anna", "operator:ben")
    assert set(AuditEntry.objects.filter(object_type="approval").values_list("kind", "actor")) == {
        ("approval.requested", "operator:anna"),
        ("approval.approved", "operator:ben"),
    }


@pytest.mark.parametrize("mode", ["paper", "testnet"])
def test_elsewhere_one_person_is_enough(halted, settings, mode):
    settings.LEVI_MODE = mode
    assert isinstance(ask(), HaltState) and state() == "active"
    assert not ApprovalRequest.objects.exists()


def test_nobody_approves_what_they_asked_for_themselves(halted):
    row = ask()
    with pytest.raises(NotAllowed, match="asked for this yourself") as refused:
        approve(row.pk, actor=person("anna"))
    assert refused.value.code == "same_person"
    assert state() == "halted" and ApprovalRequest.objects.get().state == "pending"


@pytest.mark.parametrize("minutes", [None, 5.1, 60])
def test_author_and_approver_both_need_a_fresh_factor(halted, minutes):
    with pytest.raises(NotAllowed) as refused:
        ask(person("anna", minutes))
    assert refused.value.code == "second_factor_required"
    assert not ApprovalRequest.objects.exists()
    row = ask()
    with pytest.raises(NotAllowed) as refused:
        approve(row.pk, actor=person("ben", minutes))
    assert refused.value.code == "second_factor_required"
    assert state() == "halted" and ApprovalRequest.objects.get().state == "pending"


@pytest.mark.parametrize("kind", [ActorKind.CLIENT, ActorKind.COMMAND, ActorKind.SYSTEM])
def test_a_program_neither_asks_nor_approves(halted, kind):
    program = Actor(kind, "bot", factor_at=timezone.now())
    row = ask()
    for verb in (lambda: ask(program), lambda: approve(row.pk, actor=program)):
        with pytest.raises(NotAllowed, match="Only an operator"):
            verb()
    assert state() == "halted"


def test_a_halt_that_comes_in_between_makes_it_void(halted):
    row = ask()
    engage(HaltScope.INSTRUMENT, "ETH/USDT", reason="odd", actor=PERSON, cancel=None)
    with pytest.raises(StaleDecision, match="A halt was engaged"):
        approve(row.pk, actor=person("ben"))
    assert ApprovalRequest.objects.get().state == "void" and state() == "halted"


def test_after_ten_minutes_it_is_too_late(halted, monkeypatch):
    monkeypatch.setattr(approvals, "APPROVAL_LIFE", timedelta(0))
    row = ask()
    with pytest.raises(StaleDecision, match="expired"):
        approve(row.pk, actor=person("ben"))
    assert expire_overdue() == 1 and expire_overdue() == 0
    assert ApprovalRequest.objects.get().state == "expired" and state() == "halted"
    assert AuditEntry.objects.filter(kind="approval.expired").count() == 1


def test_a_refusal_ends_it(halted):
    row = ask()
    with pytest.raises(InvalidInput, match="needs a reason"):
        refuse(row.pk, reason=" ", actor=person("ben"))
    refuse(row.pk, reason="cause not found", actor=person("ben", None))
    with pytest.raises(StaleDecision, match="refused"):
        approve(row.pk, actor=person("ben"))
    assert state() == "halted" and ApprovalRequest.objects.get().answer == "cause not found"


def test_the_same_thing_asked_for_twice_is_one_request(halted):
    assert ask().pk == ask(person("carl")).pk
    assert ApprovalRequest.objects.count() == 1


def test_an_approval_is_good_for_one_act_and_for_that_act_only(halted):
    row = ask()
    approve(row.pk, actor=person("ben"))
    row.refresh_from_db()
    engage(HaltScope.ACCOUNT, "paper", reason="again", actor=PERSON, cancel=None)
    for target, epoch in (("paper", row.payload["seen_epoch"]), ("paper", current_epoch())):
        with pytest.raises(StaleDecision):
            release(HaltScope.ACCOUNT, target, reason="x", actor=PERSON, seen_epoch=epoch, approval=row)
    assert state() == "halted"


def test_an_approval_that_does_not_fit_the_act_is_worth_nothing(halted):
    engage(HaltScope.INSTRUMENT, "ETH/USDT", reason="odd", actor=PERSON, cancel=None)
    row = ask()
    ApprovalRequest.objects.filter(pk=row.pk).update(
        state="approved", decided_by="operator:ben", decided_at=timezone.now()
    )
    with pytest.raises(StaleDecision, match="does not fit"):
        release(
            HaltScope.INSTRUMENT,
            "ETH/USDT",
            reason="x",
            actor=PERSON,
            seen_epoch=row.payload["seen_epoch"],
            approval=row,
        )
    assert HaltState.objects.get(target="ETH/USDT").state == "halted"


def test_the_verb_itself_refuses_without_a_second_person(halted):
    with pytest.raises(NotAllowed) as refused:
        release(HaltScope.ACCOUNT, "paper", reason="x", actor=person("anna"))
    assert refused.value.code == "second_person_required"
    with pytest.raises(NotAllowed) as refused:
        release(HaltScope.ACCOUNT, "paper", reason="x", actor=system_actor("beat"))
    assert refused.value.code == "second_person_required"
    assert state() == "halted"


def test_what_cannot_be_released_is_not_even_asked_for(halted):
    ExchangeAccount.objects.update(mode="production", environment="live", synced_at=None)
    engage(ALL, reason="test", actor=PERSON, cancel=None)
    with pytest.raises(NotAllowed, match="no complete sync"):
        release_or_propose(ALL, reason="x", actor=person("anna"))
    assert not ApprovalRequest.objects.exists()


def test_glass_broken_between_asking_and_approving_voids_the_release(halted, settings, monkeypatch):
    """No epoch tells of it: it needs no database."""
    monkeypatch.setattr("trading.execution.halts.missing_after_start", list)
    engage(ALL, reason="test", actor=PERSON, cancel=None)
    row = release_or_propose(ALL, reason="books agree", actor=person("anna"))
    raise_stop_flag(settings.STOP_FLAG, "break glass", "command:uid-0")
    later = timezone.now().timestamp() + 1
    os.utime(settings.STOP_FLAG, (later, later))
    with pytest.raises(StaleDecision, match="stop flag"):
        approve(row.pk, actor=person("ben"))
    assert ApprovalRequest.objects.get(pk=row.pk).state == "void"
    assert settings.STOP_FLAG.exists() and HaltState.objects.get(scope="everything").state == "halted"


def test_an_approved_act_that_fails_is_void_and_says_why(halted, monkeypatch):
    row = ask()
    monkeypatch.setattr("trading.execution.halts.take_halt_lock", lambda _wait: False)
    with pytest.raises(StaleDecision, match="being written"):
        approve(row.pk, actor=person("ben"))
    row.refresh_from_db()
    assert (row.state, row.used_at) == ("void", None) and "could not be done" in row.answer
    assert state() == "halted"


def test_unknown_kinds_and_requests_are_named(halted):
    with pytest.raises(ValueError, match="holiday"):
        propose("holiday", {}, subject="x", reason="x", actor=person("anna"))
    with pytest.raises(UnknownName):
        approve(ask().pk.__class__(int=1), actor=person("ben"))


@pytest.mark.parametrize(
    "change",
    [
        {"payload": {"scope": "everything", "target": "", "seen_epoch": None}},
        {"requested_by": "operator:ben"},
        {"epoch": 99},
        {"expires_at": timezone.now() + timedelta(days=1)},
        {"used_at": timezone.now()},
    ],
)
def test_the_database_keeps_what_was_asked_for(halted, change):
    row = ask()
    with pytest.raises(IntegrityError, match="approval"), transaction.atomic():
        ApprovalRequest.objects.filter(pk=row.pk).update(**change)


def test_the_database_refuses_a_person_who_approves_their_own_request(halted):
    row = ask()
    with pytest.raises(IntegrityError, match="approval_by_another"), transaction.atomic():
        ApprovalRequest.objects.filter(pk=row.pk).update(
            state="approved", decided_by=row.requested_by, decided_at=timezone.now()
        )
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM trading_approvalrequest")


def test_ten_approvers_at_once_do_it_once(live_world: World, settings):
    engage(HaltScope.ACCOUNT, "paper", reason="test", actor=PERSON, cancel=None)
    settings.LEVI_MODE = "production"
    row = ask()
    done = run_together(*[lambda n=n: approve(row.pk, actor=person(f"ben-{n}")) for n in range(10)])
    assert len([answer for answer in done if isinstance(answer, ApprovalRequest)]) == 1
    assert all(isinstance(answer, ApprovalRequest | LeviError) for answer in done), done
    assert AuditEntry.objects.filter(kind="halt.released").count() == 1


def test_the_widest_release_takes_the_flag_of_this_host_down(halted):
    engage(ALL, reason="test", actor=PERSON, cancel=None)
    ExchangeAccount.objects.update(is_enabled=False)
    row = release_or_propose(ALL, reason="books agree", actor=person("anna"))
    assert django_settings.STOP_FLAG.exists()
    approve(row.pk, actor=replace(person("ben"), request_id="r"))
    assert not django_settings.STOP_FLAG.exists()
