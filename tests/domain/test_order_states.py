"""The table of order states: complete, without traps, and honest about what is final."""

import pytest

from trading.domain.enums import OrderStatus as S
from trading.domain.order_states import (
    AT_RISK,
    TERMINAL,
    TRANSITIONS,
    UNRESOLVED,
    WORKING,
    can_move,
    is_reopening,
    is_terminal,
)


def _reachable(start: S) -> set[S]:
    found, todo = set(), [start]
    while todo:
        for after in TRANSITIONS[todo.pop()] - found:
            found.add(after)
            todo.append(after)
    return found


def test_every_status_has_a_row():
    assert set(TRANSITIONS) == set(S)


def test_no_status_moves_to_itself():
    assert not [status for status in S if can_move(status, status)]


def test_every_status_can_be_reached_from_the_start():
    assert _reachable(S.PROPOSED) == set(S) - {S.PROPOSED}


@pytest.mark.parametrize("status", sorted(set(S) - TERMINAL))
def test_every_living_order_can_come_to_an_end(status):
    assert _reachable(status) & TERMINAL


def test_a_status_is_either_terminal_or_at_risk_or_before_approval():
    before = {S.PROPOSED, S.AWAITING_APPROVAL}
    assert before | AT_RISK | TERMINAL == set(S)
    assert not AT_RISK & TERMINAL
    assert not before & (AT_RISK | TERMINAL)


def test_working_and_unresolved_orders_count_as_exposure():
    assert WORKING | UNRESOLVED < AT_RISK
    assert not WORKING & UNRESOLVED


def test_only_an_approved_order_is_submitted():
    assert [status for status in S if can_move(status, S.SUBMITTING)] == [S.APPROVED]


def test_nothing_that_was_sent_lapses_or_is_denied():
    sent = (UNRESOLVED | WORKING | TERMINAL) - {S.DENIED, S.LAPSED}
    assert not [status for status in sent if TRANSITIONS[status] & {S.LAPSED, S.DENIED}]


def test_only_the_proof_that_nothing_was_sent_leads_back_to_approved():
    back = {status for status in S if can_move(status, S.APPROVED)}
    assert back == {S.PROPOSED, S.AWAITING_APPROVAL, S.SUBMITTING}


def test_an_unresolved_order_never_returns_to_the_queue():
    for status in (S.IN_DOUBT, S.QUARANTINED):
        assert not _reachable(status) & {S.APPROVED, S.SUBMITTING}


@pytest.mark.parametrize("status", [S.FILLED, S.DENIED, S.LAPSED])
def test_some_ends_are_for_ever(status):
    assert is_terminal(status)
    assert not TRANSITIONS[status]


def test_late_evidence_reopens_what_was_given_up():
    for status in (S.REJECTED, S.NOT_ACCEPTED):
        assert is_reopening(status, S.OPEN)
        assert is_reopening(status, S.FILLED)
    assert is_reopening(S.CANCELED, S.FILLED)
    assert not is_reopening(S.CANCELED, S.OPEN)
    assert not is_reopening(S.OPEN, S.FILLED)
