"""Engage and release at once: whatever was engaged after the release's operator looked, wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.making import PERSON, begin, run_together, wait_until, wait_until_blocked
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import NotAllowed, StaleDecision
from trading.execution import halts
from trading.execution.approvals import approve, propose
from trading.execution.halts import engage, release, release_payload
from trading.execution.releasing import release_or_propose
from trading.locking import share_halt_lock
from trading.models import ApprovalRequest, AuditEntry, HaltChange, HaltState
from trading.queries.halts import current_epoch

ACCOUNT = (HaltScope.ACCOUNT, "paper")
SCOPE = {"scope": "account", "target": "paper"}


def state() -> str:
    return HaltState.objects.get(scope="account", target="paper").state


def halt(reason: str = "first") -> int:
    return engage(*ACCOUNT, reason=reason, actor=PERSON, cancel=None).epoch


def hold_shared_lock():
    """A worker that stopped in the middle of its permit."""
    share_halt_lock()


@pytest.mark.usefixtures("live_world")
def test_a_release_never_goes_on_without_the_lock(monkeypatch):
    halt()
    monkeypatch.setattr(halts, "LOCK_WAIT_MS", 50)
    with transaction.atomic():
        hold_shared_lock()
        releasing = begin(lambda: release(*ACCOUNT, reason="looks fine", actor=PERSON))
        refused = releasing.end()
    assert isinstance(refused, StaleDecision) and "few seconds" in refused.remedy
    assert state() == TradingState.HALTED


@pytest.mark.usefixtures("live_world")
def test_a_halt_that_went_on_without_the_lock_beats_the_release_that_waits_for_its_row():
    seen = halt()
    with transaction.atomic():
        # As an engagement that was not granted the lock: epoch and row are written, the commit is still to come.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE trading_controlepoch SET epoch = epoch + 1")
            cursor.execute("UPDATE trading_haltstate SET reason = 'second' WHERE target = 'paper'")
        releasing = begin(lambda: release(*ACCOUNT, reason="looks fine", actor=PERSON, seen_epoch=seen))
        # Asked on another connection: this one sees the activity of its transaction's beginning.
        begin(lambda: wait_until_blocked(releasing)).end()
    assert isinstance(releasing.end(), StaleDecision)
    assert state() == TradingState.HALTED


@pytest.mark.usefixtures("live_world")
def test_a_halt_that_went_on_without_the_lock_is_not_loosened_by_what_waits_for_its_row():
    with transaction.atomic():
        with connection.cursor() as cursor:  # as above: engaged, and not committed yet
            cursor.execute("UPDATE trading_controlepoch SET epoch = epoch + 1")
            cursor.execute("UPDATE trading_haltstate SET state = 'halted' WHERE target = 'paper'")
        reducing = begin(
            lambda: engage(*ACCOUNT, state=TradingState.REDUCING, reason="stale prices", actor=PERSON)
        )
        begin(lambda: wait_until_blocked(reducing)).end()
    assert isinstance(reducing.end(), NotAllowed)
    assert state() == TradingState.HALTED
    assert not HaltChange.objects.filter(after="reducing").exists()


# -- the doors: a release by one person, and one that a second person approved ----------------------------------------
def person(name: str) -> Actor:
    return Actor(ActorKind.OPERATOR, name, f"request-of-{name}", timezone.now())


def ask(**more) -> Any:
    return release_or_propose(*ACCOUNT, reason="looks fine", actor=person("anna"), **more)


@pytest.fixture(params=["testnet", "production"])
def let_go(request, live_world, settings) -> Callable[[], Callable[[], Any]]:
    """Prepares a release of the halted account, as its door does in this mode; what it returns is the last step."""
    settings.LEVI_MODE = request.param

    def prepare() -> Callable[[], Any]:
        if request.param == "testnet":
            seen = current_epoch()
            return lambda: ask(seen_epoch=seen)
        row = ask()
        return lambda: approve(row.pk, actor=person("ben"))

    return prepare


def released() -> int:
    return AuditEntry.objects.filter(kind="halt.released").count()


def queue_up(*steps: Callable[[], Any]) -> list[Any]:
    """The steps wait for the halt lock in this order, behind a permit that is being written; then it is."""
    with transaction.atomic():
        share_halt_lock()
        threads = []
        for number, step in enumerate(steps, start=1):
            threads.append(begin(step))
            begin(lambda number=number: wait_until(lambda: waiting_for_halt_lock() >= number, "queued")).end()
    return [thread.end() for thread in threads]


def waiting_for_halt_lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return int(cursor.fetchone()[0])


def test_a_release_queued_behind_a_newer_halt_is_refused(let_go):
    halt()
    go = let_go()
    engaged, refused = queue_up(lambda: halt("second"), go)
    assert isinstance(refused, StaleDecision) and engaged == current_epoch()
    assert state() == TradingState.HALTED and released() == 0
    assert not ApprovalRequest.objects.filter(used_at__isnull=False).exists()
    assert set(ApprovalRequest.objects.values_list("state", flat=True)) <= {"void"}


def test_a_halt_queued_behind_a_release_has_the_last_word(let_go):
    halt()
    go = let_go()
    done, engaged = queue_up(go, lambda: halt("second"))
    assert not isinstance(done, Exception) and engaged == current_epoch()
    assert state() == TradingState.HALTED and released() == 1
    assert HaltState.objects.get(**SCOPE).reason == "second"


def test_a_halt_without_the_lock_that_waits_for_the_row_of_a_release_has_the_last_word(let_go, monkeypatch):
    halt()
    go = let_go()
    reached, may_go_on = threading.Event(), threading.Event()

    def stop_there(name: str) -> None:
        if name == "halts.before_release_commit":
            reached.set()
            assert may_go_on.wait(20)

    monkeypatch.setattr(halts, "failpoint", stop_there)
    releasing = begin(go)
    assert reached.wait(20)
    monkeypatch.setattr(halts, "LOCK_WAIT_MS", 50)
    engaging = begin(lambda: halt("second"))
    begin(lambda: wait_until(lambda: rows_waited_for() > 0, "the halt waits for the row")).end()
    may_go_on.set()
    assert not isinstance(releasing.end(), Exception)
    assert engaging.end() == current_epoch()
    assert state() == TradingState.HALTED and released() == 1


def rows_waited_for() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype IN ('transactionid', 'tuple') AND NOT granted"
        )
        return int(cursor.fetchone()[0])


def test_a_release_whose_row_a_halt_without_the_lock_has_taken_is_refused(let_go):
    halt()
    go = let_go()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE trading_controlepoch SET epoch = epoch + 1")
            cursor.execute("UPDATE trading_haltstate SET reason = 'second' WHERE target = 'paper'")
        releasing = begin(go)
        begin(lambda: wait_until_blocked(releasing)).end()
    assert isinstance(releasing.end(), StaleDecision)
    assert state() == TradingState.HALTED and released() == 0


def test_a_halt_of_another_scope_makes_what_was_asked_for_before_it_void(let_go):
    halt()
    go = let_go()
    engage(HaltScope.INSTRUMENT, "ETH/USDT", reason="odd", actor=PERSON, cancel=None)
    with pytest.raises(StaleDecision):
        go()
    assert state() == TradingState.HALTED and released() == 0


def test_whoever_wins_of_a_halt_and_a_release_at_once_the_halt_stands(let_go):
    halt()
    for _round in range(5):
        done, engaged = run_together(let_go(), lambda: halt("again"))
        assert not isinstance(done, Exception) or isinstance(done, StaleDecision), done
        assert engaged == current_epoch() and state() == TradingState.HALTED
    assert HaltChange.objects.order_by("id").last().after == TradingState.HALTED


def test_two_people_who_release_and_halt_in_turn_leave_one_line_of_history(let_go):
    """Each change begins where the one before it ended, whatever the order in which they were let through."""
    halt()
    queue_up(let_go(), lambda: halt("second"), lambda: halt("third"))
    ends = list(HaltChange.objects.filter(**SCOPE).order_by("at", "id").values_list("before", "after"))
    assert all(later[0] == earlier[1] for earlier, later in pairwise(ends)), ends
    assert state() == ends[-1][1] == TradingState.HALTED


@pytest.mark.usefixtures("live_world")
@pytest.mark.parametrize("names_epoch", [True, False])
def test_an_approval_that_a_crash_left_unused_does_not_outlive_the_next_halt(
    settings, monkeypatch, names_epoch
):
    seen = halt()
    settings.LEVI_MODE = "production"
    payload = release_payload(*ACCOUNT, seen if names_epoch else None)
    row = propose("release", payload, subject="Release", reason="looks fine", actor=person("anna"))

    class Killed(BaseException):
        pass

    def die(_wait: int) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(halts, "take_halt_lock", die)
        with pytest.raises(Killed):
            approve(row.pk, actor=person("ben"))
    row.refresh_from_db()
    assert (row.state, row.used_at) == ("approved", None)
    halt("second")
    for named in (seen, None, current_epoch()):
        with pytest.raises(StaleDecision):
            release(*ACCOUNT, reason="go", actor=person("anna"), seen_epoch=named, approval=row)
    with pytest.raises(StaleDecision):
        approve(row.pk, actor=person("carl"))
    assert state() == TradingState.HALTED and released() == 0


@pytest.mark.usefixtures("live_world")
def test_asking_again_after_a_newer_halt_never_revives_the_older_request(settings):
    """The same person asks for the same scope: what is approved is bound to what was seen when it was asked for."""
    halt()
    settings.LEVI_MODE = "production"
    older = ask()
    halt("second")
    newer = ask()
    assert newer.pk != older.pk
    with pytest.raises(StaleDecision):
        approve(older.pk, actor=person("ben"))
    assert state() == TradingState.HALTED
    assert approve(newer.pk, actor=person("ben")).state == "approved"
    assert state() == TradingState.ACTIVE and released() == 1
