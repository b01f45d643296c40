"""Evidence about an order may come in any order and any number of times: the truth it leads to is one."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading.domain.enums import OrderStatus as S
from trading.domain.enums import Side
from trading.domain.enums import VenueOrderStatus as V
from trading.domain.evidence import OrderView, status_of, weigh
from trading.domain.order_states import TERMINAL, can_move
from trading.domain.outcomes import OrderReport

TEN = Decimal(10)
# Two words for one end: the first one stays, and money does not care.
ONE_END = {S.EXPIRED: S.CANCELED, S.NOT_ACCEPTED: S.REJECTED}
BEFORE_EVIDENCE = [S.SUBMITTING, S.IN_DOUBT, S.QUARANTINED, S.OPEN, S.REJECTED, S.NOT_ACCEPTED]


def a_report(status: V, filled: int | str = 0) -> OrderReport:
    quantity = Decimal(filled)
    return OrderReport("lv", "1", "BTCUSDT", Side.BUY, status, TEN, quantity, quantity * 100)


def a_view(status: S = S.SUBMITTING, filled: int = 0, seen: bool = False) -> OrderView:
    return OrderView(status, TEN, Decimal(filled), seen)


def weigh_all(view: OrderView, looks: list[OrderReport]) -> tuple[S, Decimal]:
    """As settlement does: each verdict is the state that the next report meets."""
    filled = view.filled_quantity
    for look in looks:
        verdict = weigh(view, look, filled)
        assert verdict.venue_filled >= filled, "filled quantity never shrinks"
        assert verdict.status is view.status or can_move(view.status, verdict.status)
        if view.status in TERMINAL and verdict.status is not view.status:
            assert verdict.reopened, "no terminal status is lost without an alarm"
        assert verdict.changed == ((verdict.status, verdict.venue_filled) != (view.status, filled))
        filled = verdict.venue_filled
        view = replace(view, status=verdict.status, seen_at_venue=True)
    return view.status, filled


reports = st.builds(a_report, st.sampled_from(V), st.integers(0, 10))
looks_and_shuffle = st.lists(reports, min_size=1, max_size=6).flatmap(
    lambda looks: st.tuples(
        st.just(looks),
        st.permutations(looks),
        st.lists(st.sampled_from(looks), max_size=4),
        st.randoms(use_true_random=False),
    )
)


@given(st.sampled_from(BEFORE_EVIDENCE), looks_and_shuffle)
def test_any_order_and_any_duplicates_end_in_the_same_state(start, drawn):
    looks, shuffled, again, random = drawn
    doubled = list(shuffled)
    for look in again:
        doubled.insert(random.randint(0, len(doubled)), look)
    status, filled = weigh_all(a_view(start), looks)
    other_status, other_filled = weigh_all(a_view(start), doubled)
    assert ONE_END.get(status, status) is ONE_END.get(other_status, other_status)
    assert filled == other_filled == max(look.filled_quantity for look in looks)


@given(st.sampled_from(BEFORE_EVIDENCE), st.lists(reports, max_size=6), reports)
@example(S.SUBMITTING, [], a_report(V.FILLED, 10))
def test_a_filled_order_stays_filled(start, before, after):
    full = a_report(V.FILLED, 10)
    assert weigh_all(a_view(start), [*before, full, after]) == (S.FILLED, TEN)


@pytest.mark.parametrize("final", [V.FILLED, V.CANCELED, V.EXPIRED, V.REJECTED])
def test_a_late_open_changes_nothing_after_the_venue_reported_the_end(final):
    end = weigh(a_view(), a_report(final), Decimal(0))
    late = weigh(a_view(end.status, seen=True), a_report(V.OPEN), Decimal(0))
    assert (late.status, late.changed, late.reopened) == (end.status, False, False)


@pytest.mark.parametrize("given_up", [S.REJECTED, S.NOT_ACCEPTED])
def test_an_open_order_after_a_refusal_of_our_request_is_reopened_with_an_alarm(given_up):
    verdict = weigh(a_view(given_up), a_report(V.OPEN), Decimal(0))
    assert (verdict.status, verdict.reopened) == (S.OPEN, True)


def test_a_fill_after_a_reported_rejection_is_reopened_with_an_alarm():
    verdict = weigh(a_view(S.REJECTED, seen=True), a_report(V.PARTIALLY_FILLED, 3), Decimal(0))
    assert (verdict.status, verdict.venue_filled, verdict.reopened) == (S.PARTIALLY_FILLED, 3, True)


def test_the_last_fill_overtakes_the_cancel():
    verdict = weigh(a_view(S.CANCELED), a_report(V.FILLED, 10), Decimal(4))
    assert (verdict.status, verdict.venue_filled, verdict.reopened) == (S.FILLED, 10, True)


def test_an_open_order_can_still_be_rejected_unless_something_was_filled():
    assert weigh(a_view(S.OPEN), a_report(V.REJECTED), Decimal(0)).status is S.REJECTED
    assert weigh(a_view(S.OPEN), a_report(V.REJECTED), Decimal(1)).status is S.OPEN


def test_an_old_open_report_does_not_undo_a_partial_fill():
    verdict = weigh(a_view(S.PARTIALLY_FILLED), a_report(V.OPEN), Decimal(4))
    assert (verdict.status, verdict.venue_filled, verdict.changed) == (S.PARTIALLY_FILLED, 4, False)


def test_more_filled_in_the_same_status_is_a_change():
    verdict = weigh(a_view(S.PARTIALLY_FILLED), a_report(V.PARTIALLY_FILLED, 5), Decimal(4))
    assert (verdict.venue_filled, verdict.changed) == (5, True)


@pytest.mark.parametrize(("filled", "is_alarm"), [(10, False), ("10.000000000000000001", True)])
def test_more_than_was_ordered_raises_the_overfill_alarm(filled, is_alarm):
    assert weigh(a_view(S.OPEN), a_report(V.FILLED, filled), Decimal(0)).overfilled is is_alarm


def test_an_order_by_quote_quantity_cannot_overfill():
    view = OrderView(S.OPEN, None, Decimal(0))
    assert not weigh(view, a_report(V.FILLED, 99), Decimal(0)).overfilled


@pytest.mark.parametrize("status", [S.DENIED, S.LAPSED, S.PROPOSED])
def test_no_evidence_moves_what_never_had_a_permit(status):
    assert weigh(a_view(status), a_report(V.OPEN), Decimal(0)).status is status


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        (V.OPEN, 0, S.OPEN),
        (V.OPEN, 1, S.PARTIALLY_FILLED),
        (V.REJECTED, 0, S.REJECTED),
        (V.REJECTED, 1, S.CANCELED),
        (V.CANCELED, 1, S.CANCELED),
        (V.FILLED, 10, S.FILLED),
    ],
)
def test_the_numbers_of_a_report_correct_its_word(word, filled, status):
    assert status_of(a_report(word, filled)) is status


def test_every_venue_word_has_a_status():
    assert {status_of(a_report(word)).value for word in V} == {word.value for word in V}
