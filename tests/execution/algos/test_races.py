"""Races of an algo's runner with pauses, halts, fills, other runners and its own death: arranged, never by chance."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from tests.execution.algos.walking import ICEBERG, TWAP, children, fresh, pass_seconds, settle, start, step
from tests.execution.test_in_doubt import PROOF_SECONDS, SPACING, ask
from tests.execution.test_races import Hold
from tests.making import (
    ORDER_PATH,
    PERSON,
    Parallel,
    World,
    begin,
    run_together,
    status_of,
    wait_until_blocked,
)
from trading.domain.algo_moves import Change, Make, Wait, Withdraw
from trading.domain.enums import CancelScope, HaltScope
from trading.domain.errors import IdempotencyConflict, StaleDecision
from trading.execution import approval, intake, settlement
from trading.execution.algos import cancel_algo, pause_algo, resume_algo, running, steering
from trading.execution.algos.children import LONGEST_LOOK, ChildPlace, make_child
from trading.execution.algos.running import run_due_algos
from trading.execution.cancellation import cancel_all
from trading.execution.dispatch import dispatch_order
from trading.execution.flatten import flatten, flatten_payload
from trading.execution.following import follow_order
from trading.execution.halts import engage, release
from trading.failpoints import POINTS, FailpointRaised, FailpointRule, also_armed
from trading.locking import lock_algo
from trading.models import Alert, Algo, AlgoChild, AuditEntry, Order

STEPS = [name for name in POINTS if name.startswith("algos.")]


def begin_step(monkeypatch, algo) -> tuple[Hold, Parallel]:
    """A runner that has looked, and has not yet done what it decided."""
    hold = Hold(monkeypatch, running, "next_move")
    runner = begin(lambda: step(algo))
    assert hold.reached.wait(15)
    return hold, runner


def end_step(hold: Hold, runner: Parallel):
    hold.go.set()
    outcome = runner.end()
    assert not isinstance(outcome, Exception), outcome
    return outcome


@contextmanager
def somebody_holds(algo: Algo) -> Iterator[threading.Event]:
    """Its lock is another's until the block ends, or until the event is set."""
    has_it, let_go = threading.Event(), threading.Event()

    def hold_it() -> None:
        with transaction.atomic():
            lock_algo(algo.pk)
            has_it.set()
            let_go.wait(30)

    holder = begin(hold_it)
    assert has_it.wait(15)
    yield let_go
    let_go.set()
    holder.end()


def halt(scope: HaltScope = HaltScope.EVERYTHING, target: str = "") -> None:
    engage(scope, target, reason="test", actor=PERSON, cancel=None)


def test_a_pause_between_the_look_and_the_child_leaves_no_child(live_world: World, monkeypatch):
    algo = start(TWAP)
    hold, runner = begin_step(monkeypatch, algo)
    pause_algo(algo.pk, actor=PERSON)
    assert isinstance(end_step(hold, runner), Make)
    assert children(algo) == [] and Order.objects.count() == 0
    assert fresh(algo).state == "paused" and live_world.placements() == []


def test_a_pause_that_came_and_went_since_the_look_leaves_no_child_of_a_slice_that_is_not_due(
    live_world: World, monkeypatch
):
    """The row was read before the pause, the clock after it: it shows the length of the pause too much."""
    algo = start(TWAP)
    step(algo)
    settle(algo)
    hold = Hold(monkeypatch, running, "read_children")
    runner = begin(lambda: step(algo))
    assert hold.reached.wait(15)
    pause_algo(algo.pk, actor=PERSON)
    pass_seconds(algo, 150)
    resume_algo(algo.pk, actor=PERSON)
    monkeypatch.setattr(running, "clock_of", lambda _algo, _now: Decimal(150))
    end_step(hold, runner)
    monkeypatch.undo()
    assert [child.slice for child in AlgoChild.objects.all()] == [0]
    assert isinstance(step(algo), Wait)


def test_a_halt_between_the_look_and_the_child_leaves_no_child_and_outlives_its_release(
    live_world: World, monkeypatch
):
    algo = start(TWAP)
    hold, runner = begin_step(monkeypatch, algo)
    halt(HaltScope.ACCOUNT, "paper")
    release(HaltScope.ACCOUNT, "paper", reason="over", actor=PERSON)
    assert isinstance(end_step(hold, runner), Make)
    assert children(algo) == []
    step(algo)
    assert fresh(algo).state == "paused" and "was halted" in fresh(algo).state_reason
    assert children(algo) == [] and live_world.placements() == []


def test_a_halt_that_came_and_went_while_a_child_waited_for_its_account_leaves_no_child(
    live_world: World, monkeypatch
):
    """Its place was admitted before the halt; what is decided after the release would be valid again."""
    algo = start(TWAP)
    hold = Hold(monkeypatch, approval, "lock_account")
    runner = begin(lambda: step(algo))
    assert hold.reached.wait(15)
    halt(HaltScope.ACCOUNT, "paper")
    release(HaltScope.ACCOUNT, "paper", reason="over", actor=PERSON)
    end_step(hold, runner)
    assert children(algo) == [] and Order.objects.count() == 0
    step(algo)
    assert fresh(algo).state == "paused" and live_world.placements() == []


def test_a_halt_while_a_child_is_being_decided_lets_nothing_out(live_world: World, monkeypatch):
    """The decision began before the halt and is committed after it: its approval is void, and a person must resume."""
    algo = start(TWAP)
    hold = Hold(monkeypatch, ChildPlace, "adopt")
    runner = begin(lambda: step(algo))
    assert hold.reached.wait(15)
    halt(HaltScope.ACCOUNT, "paper")
    release(HaltScope.ACCOUNT, "paper", reason="over", actor=PERSON)
    end_step(hold, runner)
    (child,) = children(algo)
    assert dispatch_order(child.pk) is None
    assert children(algo)[0].status == "lapsed" and live_world.placements() == []
    step(algo)
    assert fresh(algo).state == "paused" and len(children(algo)) == 1


def test_a_pause_waits_for_the_child_that_is_being_made_and_takes_it_back(live_world: World, monkeypatch):
    algo = start(ICEBERG)
    hold = Hold(monkeypatch, intake, "decide")
    runner = begin(lambda: step(algo))
    assert hold.reached.wait(15)
    pause = begin(lambda: pause_algo(algo.pk, actor=PERSON))
    wait_until_blocked(pause)
    assert pause.is_alive() and fresh(algo).state == "running"
    end_step(hold, runner)
    assert not isinstance(pause.end(), Exception)
    assert [child.status for child in children(algo)] == ["lapsed"]
    assert fresh(algo).state == "paused" and live_world.placements() == []


@pytest.mark.parametrize(("filled_before", "state"), [(1, "completed"), (0, "canceled")])
def test_a_cancel_beside_a_fill_counts_the_fill(
    live_world: World, monkeypatch, filled_before: int, state: str
):
    algo = start(ICEBERG, quantity="0.04")
    for _ in range(filled_before):
        show_and_fill(live_world, algo)
        settle(algo)
    child = show_and_fill(live_world, algo)
    hold = Hold(monkeypatch, settlement, "_write_booked")
    booking = begin(lambda: follow_order(child.pk))
    assert hold.reached.wait(15)
    canceling = begin(lambda: cancel_algo(algo.pk, actor=PERSON))
    wait_until_blocked(canceling)
    hold.go.set()
    assert not isinstance(booking.end(), Exception) and not isinstance(canceling.end(), Exception)
    step(algo)
    assert (fresh(algo).state, children(algo)[-1].status) == (state, "filled")
    assert live_world.position() == Decimal("0.02") * (1 + filled_before)
    assert live_world.cancels() == []


def show_and_fill(world: World, algo: Algo) -> Order:
    """The next child rests at the venue and is filled there; nobody here knows yet."""
    step(algo)
    settle(algo)
    child = children(algo)[-1]
    world.venue.fill(child.exchange_order_id, "0.02")
    return child


def test_four_runners_with_the_same_view_make_one_child(live_world: World, monkeypatch):
    algo = start(TWAP)
    barrier, carry_out = threading.Barrier(4), running._carry_out

    def together(*args, **kwargs):
        barrier.wait(15)
        return carry_out(*args, **kwargs)

    monkeypatch.setattr(running, "_carry_out", together)
    outcomes = run_together(*[lambda: step(algo)] * 4)
    assert all(isinstance(outcome, Make) for outcome in outcomes)
    assert [child.quantity for child in children(algo)] == [Decimal("0.01")]
    assert AuditEntry.objects.filter(kind="algo.child").count() == 1
    assert Order.objects.count() == AlgoChild.objects.count() == 1


def test_a_runner_that_slept_through_a_slice_makes_nothing_of_its_old_view(live_world: World, monkeypatch):
    algo = start(TWAP)
    hold, runner = begin_step(monkeypatch, algo)
    step(algo)
    settle(algo)
    pass_seconds(algo, 100)
    step(algo)
    settle(algo)
    end_step(hold, runner)
    assert [child.quantity for child in children(algo)] == [Decimal("0.01")] * 2
    assert live_world.position() == Decimal("0.02")


@pytest.mark.parametrize("other", ["0.02", "0.01"])
def test_the_same_number_again_is_the_same_child_or_none(live_world: World, monkeypatch, other: str):
    algo = fresh(start(TWAP))
    hold = Hold(monkeypatch, intake, "decide")
    first = begin(lambda: make_first(algo, "0.01"))
    assert hold.reached.wait(15)
    again = begin(lambda: make_first(algo, other))
    wait_until_blocked(again)
    hold.go.set()
    made, repeated = first.end(), again.end()
    if other == "0.01":
        assert repeated == made
    else:
        assert isinstance(repeated, IdempotencyConflict)
    assert [child.quantity for child in children(algo)] == [Decimal("0.01")]


def make_first(algo: Algo, quantity: str) -> Order:
    return make_child(algo, number=1, slice=0, quantity=Decimal(quantity), seen_at=timezone.now())


def test_a_runner_that_was_stopped_after_its_look_makes_no_child_when_it_goes_on(world: World):
    """Also where nobody else has looked meanwhile: the time of the plan may be over, the price may be another."""
    algo, long_ago = fresh(start(TWAP)), timezone.now() - LONGEST_LOOK - timedelta(seconds=1)
    with pytest.raises(StaleDecision, match="too long ago"):
        make_child(algo, number=1, slice=0, quantity=Decimal("0.01"), seen_at=long_ago)
    assert children(algo) == [] and Order.objects.count() == 0
    assert make_first(algo, "0.01").status == "approved"


@pytest.mark.parametrize("point", STEPS)
def test_a_runner_that_dies_anywhere_leaves_one_child_and_a_timer(live_world: World, point: str):
    algo = start(TWAP)
    with also_armed(point, FailpointRule("raise")), suppress(FailpointRaised):
        run_due_algos()
    row = fresh(algo)
    assert row.state == "running" and row.next_action_at is not None
    for _ in range(3):  # whoever comes next, however often
        step(algo)
        settle(algo)
    assert [child.status for child in children(algo)] == ["filled"]
    assert live_world.position() == Decimal("0.01")


@pytest.mark.parametrize("point", ["algos.before_state_commit", "algos.after_state"])
def test_who_dies_while_pausing_leaves_it_running_or_withdrawn_by_others(live_world: World, point: str):
    algo = start(ICEBERG)
    step(algo)
    settle(algo)
    with also_armed(point, FailpointRule("raise")), suppress(FailpointRaised):
        pause_algo(algo.pk, actor=PERSON)
    done = point == "algos.after_state"
    assert fresh(algo).state == ("paused" if done else "running")
    assert isinstance(step(algo), Withdraw if done else Wait)
    assert (children(algo)[0].cancel_state == "requested") is done


@pytest.mark.parametrize(
    ("kind", "filled"), [("drop_after", "0.01"), ("drop_before", "0")], ids=["it was there", "it was not"]
)
def test_a_child_in_doubt_at_the_deadline_is_waited_for(live_world: World, kind: str, filled: str):
    algo = start(TWAP)
    unanswerable = {"match": {"method": "GET", "path": ORDER_PATH}, "kind": "drop_before"}
    live_world.venue.faults(
        [{"match": {"method": "POST", "path": ORDER_PATH}, "kind": kind, "count": 1}, unanswerable]
    )
    step(algo)
    dispatch_order(children(algo)[0].pk)
    assert children(algo)[0].status == "in_doubt"
    pass_seconds(algo, 500)
    for _ in range(3):
        step(algo)
        assert fresh(algo).state == "running", "what is in doubt may have been filled"
    assert len(children(algo)) == 1 and "in doubt" in fresh(algo).waiting_for
    live_world.venue.clear_faults()
    end_doubt(algo)
    step(algo)
    assert fresh(algo).state == "expired"
    assert fresh(algo).state_reason == f"{filled} of 0.04 filled"


def end_doubt(algo: Algo) -> None:
    """Whether the venue shows it or not, after the whole proof it is known."""
    child = children(algo)[0]
    for seconds in (PROOF_SECONDS, SPACING, SPACING):
        if status_of(child) == "in_doubt":
            ask(child, after=seconds)
    assert status_of(child) != "in_doubt"


def test_an_old_look_at_one_pause_does_not_stop_the_timer_of_the_next(live_world: World, monkeypatch):
    """Without a bell the timer is all there is: what rests has to be withdrawn by whoever finds it due."""
    algo = start(ICEBERG)
    pause_algo(algo.pk, actor=PERSON)
    hold = Hold(monkeypatch, running, "_carry_out")
    sleeper = begin(lambda: step(algo))  # it finds nothing to do in this pause
    assert hold.reached.wait(15)
    resume_algo(algo.pk, actor=PERSON)
    step(algo)
    settle(algo)
    assert children(algo)[0].status == "open"
    halt(HaltScope.ACCOUNT, "paper")
    step(algo)
    assert fresh(algo).state == "paused"
    end_step(hold, sleeper)
    assert run_due_algos() == 1, "nobody looks at it any more"
    assert children(algo)[0].cancel_state == "requested"


@pytest.mark.parametrize(("act", "state"), [(pause_algo, "paused"), (cancel_algo, "canceling")])
def test_who_stops_an_algo_that_is_held_asks_until_it_is_let_go(
    live_world: World, monkeypatch, act, state: str
):
    algo = start(TWAP)
    with somebody_holds(algo) as let_go:
        monkeypatch.setattr(steering.log, "info", lambda *_words: let_go.set())
        act(algo.pk, actor=PERSON)
    assert fresh(algo).state == state and children(algo) == []


def test_an_old_look_does_not_undo_the_word_of_a_person(live_world: World, monkeypatch):
    """A runner has counted five failures; before it pauses the algo a person has paused and resumed it."""
    algo = start(TWAP)
    live_world.change_limits(allowed_symbols=["ETH/USDT"])
    for _ in range(5):
        step(algo)
        Order.objects.filter(algo_child__algo=algo).update(finished_at=algo.created_at.replace(year=2020))
    hold, runner = begin_step(monkeypatch, algo)
    pause_algo(algo.pk, actor=PERSON)
    resume_algo(algo.pk, actor=PERSON)
    move = end_step(hold, runner)
    assert isinstance(move, Change) and move.state == "paused"
    assert fresh(algo).state == "running" and fresh(algo).forgiven == 5


def test_closing_positions_names_an_algo_that_somebody_holds(live_world: World):
    live_world.buy("0.01")
    held = start(TWAP)
    with somebody_holds(held):
        flatten(flatten_payload("paper", "BTC/USDT"), reason="out", actor=PERSON)
    entry = AuditEntry.objects.get(kind="flatten.requested")
    assert entry.data["algos_not_stopped"] == [str(held.pk)]
    assert str(held.pk) in Alert.objects.get(subject__startswith="Closing").text


def test_an_algo_that_somebody_holds_keeps_no_order_from_being_canceled(live_world: World):
    held, other = start(TWAP), start({**TWAP, "symbol": "ETH/USDT", "quantity": "0.4"})
    resting = live_world.rest()
    with somebody_holds(held):
        answer = cancel_all(CancelScope.OURS, actor=PERSON)
    assert (answer["algos"], answer["algos_not_stopped"]) == ([str(other.pk)], [str(held.pk)])
    assert status_of(resting) == "canceled" or Order.objects.get(pk=resting.pk).cancel_state == "requested"
    assert cancel_all(CancelScope.OURS, actor=PERSON)["algos"] == [str(held.pk)]
