"""The next move of an algo: whatever becomes of its children, it never orders more than its quantity, and it ends."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.algo_walking import LOT, ZERO, calm_down, disturb, draw_walk
from trading.domain.algo_moves import (
    BACK_OFF,
    MOST_FAILURES,
    AlgoView,
    Change,
    ChildView,
    Make,
    Wait,
    Withdraw,
    next_move,
)
from trading.domain.algo_plans import make_plan, slice_quantities, spread_evenly
from trading.domain.algo_states import ENDED
from trading.domain.enums import AlgoKind, AlgoState
from trading.domain.enums import OrderStatus as S
from trading.domain.order_states import TERMINAL

SEEDS = st.integers(0, 2**32)


@settings(max_examples=150)
@given(SEEDS, st.integers(0, 120))
def test_no_order_of_events_commits_more_than_the_quantity_and_every_algo_ends(seed, events):
    """The promises are asserted after each event, in the walk itself."""
    walk = draw_walk(random.Random(seed))
    disturb(walk, events)
    calm_down(walk)
    assert walk.state in ENDED
    filled = sum((child.filled for child in walk.children), ZERO)
    assert filled <= walk.quantity
    if walk.state is AlgoState.COMPLETED:
        assert walk.quantity - filled < walk.smallest


@settings(max_examples=80)
@given(SEEDS)
def test_undisturbed_nothing_is_left_but_what_the_venue_does_not_take(seed):
    walk = draw_walk(random.Random(seed))
    walk.chance.random = lambda: 1.0  # type: ignore[method-assign]  # nothing is denied
    calm_down(walk)
    filled = sum((child.filled for child in walk.children), ZERO)
    assert walk.state is AlgoState.COMPLETED and walk.resumes == 0
    assert walk.quantity - filled < walk.smallest
    if walk.kind is AlgoKind.TWAP and min(slice_quantities(walk.plan)) >= walk.smallest:
        assert [child.quantity for child in walk.children] == slice_quantities(walk.plan)


@settings(max_examples=40)
@given(SEEDS)
def test_the_same_events_lead_to_the_same_moves(seed):
    one, other = draw_walk(random.Random(seed)), draw_walk(random.Random(seed))
    for walk in (one, other):
        disturb(walk, 80)
    assert one.trace == other.trace and one.children == other.children


@settings(max_examples=60)
@given(SEEDS)
def test_who_decides_on_an_old_view_makes_no_second_child(seed):
    """Both decide on the same view; whoever comes second finds that the number is made."""
    walk = draw_walk(random.Random(seed))
    disturb(walk, 60)
    if walk.state in ENDED:
        return
    view, before = walk.view(), len(walk.children)
    move = next_move(view)
    walk.commit(view, move)
    walk.commit(view, next_move(view))
    assert len(walk.children) - before == isinstance(move, Make)


# -- single moves -----------------------------------------------------------------------------------------------------
def view_of(*children: ChildView, elapsed: str = "0", **more) -> AlgoView:
    plan = make_plan(Decimal("0.04"), spread_evenly(4), seconds=400, lot_size=LOT)
    plain = AlgoView(
        kind=AlgoKind.TWAP,
        state=AlgoState.RUNNING,
        quantity=Decimal("0.04"),
        plan=plan,
        elapsed=Decimal(elapsed),
        children=children,
        lot_size=LOT,
        smallest=LOT,
        duration=Decimal(400),
    )
    return replace(plain, **more)


def child(number: int, status: S, filled: str = "0", *, slice: int = 0, **more) -> ChildView:
    ended_ago = more.pop("ended_ago", Decimal(1000))
    ended = ended_ago if status in TERMINAL else None
    return ChildView(number, slice, status, Decimal("0.01"), Decimal(filled), ended, **more)


ALIVE = sorted(set(S) - TERMINAL)


@pytest.mark.parametrize("status", ALIVE)
def test_whatever_is_alive_counts_in_full(status):
    one = child(1, status, "0.004")
    assert one.committed == Decimal("0.01")
    assert view_of(one).room == Decimal("0.03")
    assert next_move(view_of(one, elapsed="100")) == Make(1, Decimal("0.01"))


@pytest.mark.parametrize("status", sorted(TERMINAL - {S.FILLED}))
def test_what_has_ended_counts_by_what_it_filled(status):
    assert view_of(child(1, status, "0.004")).room == Decimal("0.036")


def test_a_child_that_was_filled_beyond_its_size_takes_from_the_room_of_the_others():
    assert view_of(child(1, S.OPEN, "0.012")).room == Decimal("0.028")


@pytest.mark.parametrize("elapsed", ["100", "210", "399"])
def test_what_was_missed_is_caught_up_by_twice_a_slice(elapsed):
    move = next_move(view_of(elapsed=elapsed))
    assert isinstance(move, Make) and move.quantity == Decimal("0.02")


def test_when_the_time_is_over_nothing_is_ordered():
    assert next_move(view_of(elapsed="400")) == Change(AlgoState.EXPIRED, "0 of 0.04 filled")
    resting = child(1, S.OPEN)
    assert next_move(view_of(resting, elapsed="400")) == Withdraw((1,))
    waiting = next_move(view_of(replace(resting, cancel_asked=True), elapsed="9999"))
    assert isinstance(waiting, Wait) and "its cancel was asked for" in waiting.why


@pytest.mark.parametrize("failures", range(1, MOST_FAILURES))
def test_a_child_that_came_to_nothing_is_tried_again_later_and_later(failures):
    failed = [child(number + 1, S.DENIED, ended_ago=ZERO, why="halted") for number in range(failures)]
    wait = next_move(view_of(*failed))
    assert isinstance(wait, Wait) and wait.seconds == BACK_OFF[failures - 1] and "halted" in wait.why
    rested = [replace(one, ended_ago=BACK_OFF[failures - 1]) for one in failed]
    assert next_move(view_of(*rested)) == Make(0, Decimal("0.01"))


def test_after_five_in_a_row_a_person_is_asked_and_their_word_forgives_them():
    failed = [child(number, S.REJECTED) for number in range(1, MOST_FAILURES + 1)]
    move = next_move(view_of(*failed))
    assert isinstance(move, Change) and move.state is AlgoState.PAUSED
    assert next_move(view_of(*failed, forgiven=MOST_FAILURES)) == Make(0, Decimal("0.01"))
    between = [*failed[:3], child(4, S.FILLED, "0.01"), child(5, S.REJECTED, slice=1)]
    assert next_move(view_of(*between, elapsed="100")) == Make(1, Decimal("0.01"))


@pytest.mark.parametrize("status", [S.OPEN, S.CANCELED, S.LAPSED, S.NOT_ACCEPTED])
def test_a_child_that_somebody_took_out_pauses_it_and_their_word_lets_it_go_on(status):
    taken = replace(child(1, status, ended_ago=Decimal(500)), cancel_asked=True)
    move = next_move(view_of(taken, elapsed="100"))
    assert isinstance(move, Change) and move.state is AlgoState.PAUSED and "not by this algo" in move.reason
    assert isinstance(next_move(view_of(taken, elapsed="100", forgiven=1)), Make)
    too_late = replace(child(1, S.FILLED, "0.01"), cancel_asked=True)
    assert isinstance(next_move(view_of(too_late, elapsed="100")), Make)


@pytest.mark.parametrize("state", [AlgoState.PAUSED, AlgoState.CANCELING])
def test_who_was_stopped_withdraws_and_makes_nothing(state):
    assert next_move(view_of(child(1, S.OPEN), elapsed="200", state=state)) == Withdraw((1,))
    idle = next_move(view_of(elapsed="200", state=state))
    assert isinstance(idle, Change if state is AlgoState.CANCELING else Wait)


def test_a_full_quantity_completes_it_in_every_state():
    filled = [child(number, S.FILLED, "0.01") for number in range(1, 5)]
    for state in (AlgoState.RUNNING, AlgoState.PAUSED, AlgoState.CANCELING):
        assert next_move(view_of(*filled, elapsed="10", state=state)) == Change(AlgoState.COMPLETED, "")
