"""Halts: one step to engage, latched, with a history, and no process writes a new order once engage has returned."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from levi_site.env import REPO_DIR
from tests.making import PERSON, World, begin, fresh, status_of
from trading.domain.actors import system_actor
from trading.domain.enums import CancelScope, HaltScope, TradingState
from trading.domain.errors import InvalidInput, NotAllowed, StaleDecision, UnknownName
from trading.execution import halts
from trading.execution.dispatch import dispatch_order
from trading.execution.halts import engage, missing_for_release, release
from trading.locking import share_halt_lock
from trading.models import AuditEntry, ControlEpoch, HaltChange, HaltState, Order, Sweep
from trading.queries.halts import current_epoch, read_status
from trading.stop_flag import raise_stop_flag

ALL = HaltScope.EVERYTHING


def stop(scope: HaltScope = ALL, target: str = "", **more):
    return engage(scope, target, **({"reason": "test", "actor": PERSON} | more))


def test_engaging_writes_state_epoch_history_audit_and_a_sweep(world: World):
    before = current_epoch()
    engagement = stop(reason="  prices look wrong  ")
    row = HaltState.objects.get(scope="everything")
    assert (row.state, row.reason, row.actor, row.trigger) == (
        "halted",
        "prices look wrong",
        "operator:olga",
        "manual",
    )
    assert engagement.epoch == row.epoch == current_epoch() == before + 1
    change = HaltChange.objects.get(pk=engagement.change_id)
    assert (change.before, change.after, change.epoch) == ("active", "halted", before + 1)
    entry = AuditEntry.objects.get(kind="halt.engaged")
    assert (entry.actor, entry.object_id, entry.data["reason"]) == (
        "operator:olga",
        str(change.pk),
        "prices look wrong",
    )
    sweep = Sweep.objects.get(pk=engagement.sweep_id)
    assert (sweep.cancel_scope, sweep.verdict, sweep.engaged_at) == ("ours", "running", change.at)
    assert sweep.drained_at and engagement.drained and engagement.in_flight == []


def test_the_widest_halt_raises_the_flag_of_this_host_and_its_release_takes_it_down(world: World):
    stop(HaltScope.ACCOUNT, "paper")
    assert not django_settings.STOP_FLAG.exists()
    stop()
    assert django_settings.STOP_FLAG.exists()
    release(ALL, reason="checked", actor=PERSON)
    assert not django_settings.STOP_FLAG.exists()


def test_a_flag_that_is_raised_while_a_release_is_written_stays(world: World, monkeypatch):
    """Somebody breaks the glass at that moment; it needs no database, so no epoch tells of it."""
    stop()

    def break_glass(*_release):
        raise_stop_flag(django_settings.STOP_FLAG, "break glass", "command:uid-0")
        later = time.time() + 1
        os.utime(django_settings.STOP_FLAG, (later, later))

    monkeypatch.setattr(halts, "use_approval", break_glass)
    release(ALL, reason="checked", actor=PERSON)
    assert django_settings.STOP_FLAG.exists() and read_status()["kill_switch"] is True
    monkeypatch.undo()
    release(ALL, reason="checked again", actor=PERSON)
    assert not django_settings.STOP_FLAG.exists()


def test_engaging_twice_keeps_it_halted_and_is_told_twice(world: World):
    first, second = stop(), stop(reason="again")
    assert second.epoch == first.epoch + 1
    assert [change.before for change in HaltChange.objects.order_by("epoch")] == ["active", "halted"]


def test_an_approval_from_before_never_fires_after_the_release(world: World):
    order = world.approve(price="49000")
    stop()
    release(ALL, reason="checked", actor=PERSON)
    assert dispatch_order(order.id) is None
    assert status_of(order) == "lapsed" and world.placements() == []
    assert world.rest().status == "open"


def test_one_engagement_anywhere_voids_every_approval(world: World):
    order = world.approve(price="49000")
    stop(HaltScope.INSTRUMENT, "ETH/USDT", cancel=None)
    assert dispatch_order(order.id) is None and status_of(order) == "lapsed"


def test_reducing_needs_no_sweep_and_no_flag(world: World):
    engagement = stop(state=TradingState.REDUCING)
    assert engagement.sweep_id is None and not django_settings.STOP_FLAG.exists()
    assert HaltState.objects.get(scope="everything").state == "reducing"


def test_the_cancel_scope_is_kept_for_the_sweep(world: World):
    assert stop(cancel=None).sweep_id is None
    sweep = Sweep.objects.get(pk=stop(cancel=CancelScope.EVERYTHING).sweep_id)
    assert sweep.cancel_scope == "everything"


def test_engaging_to_active_is_refused(world: World):
    with pytest.raises(InvalidInput):
        stop(state=TradingState.ACTIVE)
    assert not HaltChange.objects.exists()


def test_a_scope_nobody_registered_cannot_be_halted(world: World):
    epoch = current_epoch()
    with pytest.raises(UnknownName) as caught:
        stop(HaltScope.ACCOUNT, "nobody")
    assert caught.value.code == "unknown_account"
    assert current_epoch() == epoch and not HaltChange.objects.exists()


def test_an_empty_reason_does_not_hold_up_a_halt(world: World):
    stop(reason="   ")
    assert HaltState.objects.get(scope="everything").reason == "manual"


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_release_needs_a_reason(world: World, reason):
    stop()
    with pytest.raises(NotAllowed) as caught:
        release(ALL, reason=reason, actor=PERSON)
    assert caught.value.code == "reason_missing"
    assert HaltState.objects.get(scope="everything").state == "halted" and django_settings.STOP_FLAG.exists()


def test_a_release_that_saw_an_older_epoch_is_refused(world: World):
    seen = stop().epoch
    stop(HaltScope.ACCOUNT, "paper")
    with pytest.raises(StaleDecision):
        release(ALL, reason="checked", actor=PERSON, seen_epoch=seen)
    assert HaltState.objects.get(scope="everything").state == "halted"
    release(ALL, reason="checked", actor=PERSON, seen_epoch=current_epoch())
    assert HaltState.objects.get(scope="everything").state == "active"


def test_a_release_is_written_down_and_raises_no_epoch(world: World):
    epoch = stop().epoch
    release(ALL, reason="checked", actor=PERSON)
    assert current_epoch() == epoch
    assert AuditEntry.objects.get(kind="halt.released").data["reason"] == "checked"
    assert HaltChange.objects.order_by("-at").first().after == "active"
    assert HaltState.objects.get(scope="everything").reason == ""


def test_what_is_missing_for_a_release_is_said_in_words(world: World):
    assert missing_for_release(ALL) == ["It is not halted."]
    assert missing_for_release(HaltScope.ACCOUNT, "nobody") == ["This scope has no state."]
    stop()
    assert missing_for_release(ALL) == []


def test_the_drain_waits_for_a_young_permit_until_its_outcome_is_known(world: World, monkeypatch):
    order = world.approve(price="49000")
    monkeypatch.setattr("trading.execution.dispatch.record_outcome", lambda *_: None)
    dispatch_order(order.id)
    asked, young = [], halts._young_permits

    def ask_thrice() -> list[str]:
        found = young()
        asked.append(found)
        if len(asked) == 3:
            Order.objects.filter(pk=order.pk).update(status="open")
        return found

    monkeypatch.setattr(halts, "_young_permits", ask_thrice)
    assert stop().in_flight == []
    assert asked == [[order.client_order_id]] * 3 + [[]]


def test_what_is_still_under_way_after_the_drain_is_named(world: World, monkeypatch):
    order = world.approve(price="49000")
    with monkeypatch.context() as patch:
        patch.setattr("trading.execution.dispatch.record_outcome", lambda *_: None)
        dispatch_order(order.id)
    monkeypatch.setattr(halts, "PERMIT_SECONDS", 0.05)
    engagement = stop()
    assert engagement.in_flight == [order.client_order_id] and engagement.drained
    assert fresh(order).status == "submitting"  # a halt invents no outcome


def test_a_process_that_stopped_in_the_middle_of_a_permit_does_not_hold_up_a_halt(
    live_world: World, monkeypatch
):
    """Without the lock the halt is committed all the same, and a whole permit's life is waited out."""
    monkeypatch.setattr(halts, "LOCK_WAIT_MS", 50)
    monkeypatch.setattr(halts, "PERMIT_SECONDS", 0.05)
    holds, let_go = threading.Event(), threading.Event()

    def stopped_worker():
        with transaction.atomic():
            share_halt_lock()
            holds.set()
            assert let_go.wait(15)

    worker = begin(stopped_worker)
    assert holds.wait(15)
    waited: list[float] = []
    monkeypatch.setattr(halts, "_drain", spy_on(halts._drain, waited))
    engagement = stop()
    assert worker.is_alive() and waited == [False]
    assert engagement.drained and HaltState.objects.get(scope="everything").state == "halted"
    let_go.set()
    worker.end()


def test_a_stopped_process_that_holds_the_epoch_delays_a_halt_and_does_not_prevent_it(
    live_world: World, monkeypatch
):
    """It stopped inside its own engagement; the server ends its idle transaction while this one tries again."""
    monkeypatch.setattr(halts, "LOCK_WAIT_MS", 50)
    holds, let_go = threading.Event(), threading.Event()

    def stopped_engager():
        with transaction.atomic():
            ControlEpoch.objects.filter(id=1).update(raised_at=timezone.now())
            holds.set()
            assert let_go.wait(15)

    engager = begin(stopped_engager)
    assert holds.wait(15)
    tries: list[int] = []
    write = halts._write_change

    def try_again(*args, **kwargs):
        if tries:  # the first try waited for the row in vain
            let_go.set()
            engager.end()
        tries.append(1)
        return write(*args, **kwargs)

    monkeypatch.setattr(halts, "_write_change", try_again)
    epoch = current_epoch()
    engagement = stop()
    assert len(tries) == 2 and engagement.epoch == epoch + 1 and engagement.drained
    assert HaltState.objects.get(scope="everything").state == "halted"
    assert AuditEntry.objects.filter(kind="halt.engaged").count() == 1


def spy_on(drain, waited):
    def spied(committed, *, lock_granted):
        waited.append(lock_granted)
        return drain(committed, lock_granted=lock_granted)

    return spied


def test_a_halt_survives_into_a_fresh_process(live_world: World):
    stop(reason="before the restart")
    code = (
        "import django; django.setup();"
        "from trading.queries.halts import read_status; s = read_status();"
        "print(s['state'], s['reason'], s['epoch'])"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=REPO_DIR, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == f"halted before the restart {current_epoch()}"


def test_a_halt_works_with_the_broker_dead(live_world: World, dead_broker):
    order = live_world.approve(price="49000")
    engagement = stop()
    assert engagement.drained and read_status()["kill_switch"]
    assert dispatch_order(order.id) is None and live_world.placements() == []


def test_the_actor_may_be_the_system(world: World):
    stop(actor=system_actor("triggers"), trigger="exposure")
    row = HaltState.objects.get(scope="everything")
    assert (row.actor, row.trigger) == ("system:triggers", "exposure")


def test_a_disk_that_refuses_the_flag_does_not_keep_the_database_from_halting(
    world: World, monkeypatch, caplog
):
    def refuse(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(halts, "raise_stop_flag", refuse)
    order = world.approve(price="49000")
    stop()
    assert HaltState.objects.get(scope="everything").state == "halted"
    assert "No space left" in caplog.text
    assert dispatch_order(order.id) is None and world.placements() == []
