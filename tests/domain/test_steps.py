"""The small decisions between the steps of an order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from trading.domain.enums import CancelState as C
from trading.domain.enums import OrderStatus as S
from trading.domain.order_states import TERMINAL, can_move
from trading.domain.outcomes import (
    CancelAccepted,
    CancelRefused,
    NotSentOutcome,
    Placed,
    Refused,
    Unknown,
)
from trading.domain.steps import (
    FILLS_LAG,
    MAX_NOT_SENT,
    cancel_state_after,
    is_cancel_overdue,
    is_followed,
    is_given_up_unsent,
    is_timed_by_follower,
    is_worth_a_look,
    may_send_cancel,
    next_look,
    status_after,
    waits_for_fills,
)

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Placed("X1"), S.OPEN),
        (Refused("30004", "no money"), S.REJECTED),
        (Refused("700003", "late", reached_matching=False), S.NOT_ACCEPTED),
        (Unknown("time-out"), S.IN_DOUBT),
        (NotSentOutcome("no connection"), S.APPROVED),
    ],
)
def test_every_outcome_has_one_status_and_the_table_allows_it(outcome, status: S):
    assert status_after(outcome) is status
    assert can_move(S.SUBMITTING, status)


@pytest.mark.parametrize(
    ("count", "cancel", "expires", "given_up"),
    [
        (1, C.NONE, LATER, False),
        (MAX_NOT_SENT, C.NONE, LATER, True),
        (1, C.REQUESTED, LATER, True),
        (1, C.NONE, NOW, True),
        (1, C.NONE, None, True),
    ],
)
def test_an_unsent_order_is_tried_again_while_it_is_wanted(count, cancel, expires, given_up):
    assert is_given_up_unsent(count, cancel, expires, NOW) is given_up


def test_nothing_is_followed_before_its_request_has_an_outcome():
    assert [s for s in S if not is_followed(s)] == [S.PROPOSED, S.AWAITING_APPROVAL, S.APPROVED, S.SUBMITTING]
    assert not is_timed_by_follower(S.IN_DOUBT) and not is_timed_by_follower(S.SUBMITTING)
    assert is_timed_by_follower(S.OPEN)


def test_looks_become_rarer_and_end_unless_something_is_owed():
    ages = [timedelta(seconds=age) for age in (0, 2, 10, 20, 31)]
    waits = [next_look(age, is_owed=False) for age in ages]
    assert waits[-1] is None and waits[:-1] == sorted(wait for wait in waits if wait)
    assert next_look(timedelta(days=3), is_owed=True) == timedelta(seconds=5)


@pytest.mark.parametrize("state", C)
def test_a_cancel_goes_out_only_if_it_was_asked_for(state: C):
    asked = state in (C.REQUESTED, C.SENT, C.IN_DOUBT)
    assert may_send_cancel(S.OPEN, state) is asked
    assert not any(may_send_cancel(status, state) for status in TERMINAL | {S.SUBMITTING, S.IN_DOUBT})


def test_no_outcome_of_a_cancel_ends_it():
    states = [cancel_state_after(o) for o in (CancelAccepted(), CancelRefused("1", ""), Unknown(""))]
    assert states == [C.SENT, C.SENT, C.IN_DOUBT]
    assert cancel_state_after(NotSentOutcome("")) is C.REQUESTED


def test_a_sent_cancel_that_left_the_order_open_is_overdue_after_a_moment():
    assert is_cancel_overdue(C.SENT, timedelta(seconds=1.1))
    assert not is_cancel_overdue(C.SENT, timedelta(seconds=0.9))
    assert not is_cancel_overdue(C.REQUESTED, timedelta(days=1))


def test_a_final_status_waits_for_its_fills_since_they_were_announced():
    one = Decimal(1)
    assert waits_for_fills(S.FILLED, one, None, NOW)
    assert waits_for_fills(S.CANCELED, one, NOW - FILLS_LAG + timedelta(seconds=1), NOW)
    assert not waits_for_fills(S.FILLED, one, NOW - FILLS_LAG, NOW)
    assert not waits_for_fills(S.FILLED, Decimal(0), NOW, NOW)
    assert not waits_for_fills(S.PARTIALLY_FILLED, one, NOW, NOW)


@pytest.mark.parametrize(
    ("status", "booked", "said", "announced", "expected"),
    [
        (S.OPEN, 0, S.PARTIALLY_FILLED, 1, True),
        (S.OPEN, 0, S.OPEN, 0, False),  # what it says is known already
        (S.PARTIALLY_FILLED, 1, S.PARTIALLY_FILLED, 1, False),
        (S.PARTIALLY_FILLED, 1, S.CANCELED, 1, True),
        (S.PARTIALLY_FILLED, 1, None, None, True),  # a fill, nobody says how much of the order
        (S.FILLED, 1, S.FILLED, 1, False),
        (S.CANCELED, 1, S.FILLED, 2, True),  # the last fill overtook the cancel
        (S.IN_DOUBT, 0, S.OPEN, 0, True),
        (S.QUARANTINED, 0, None, None, True),
        (S.NOT_ACCEPTED, 0, S.OPEN, 0, True),  # given up, and it lives
        (S.REJECTED, 0, S.REJECTED, 0, False),
        (S.SUBMITTING, 0, S.FILLED, 1, False),  # its timer is a lease
        (S.APPROVED, 0, S.OPEN, 0, False),
        (S.DENIED, 0, None, None, False),
    ],
)
def test_an_order_is_asked_about_where_the_books_do_not_know_what_was_said(
    status, booked, said, announced, expected
):
    told = None if announced is None else Decimal(announced)
    assert is_worth_a_look(status, Decimal(booked), said, told) is expected
