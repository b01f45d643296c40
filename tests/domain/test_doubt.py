"""Doubt: silence becomes proof only slowly, completely, and never by counting errors."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.doubt import (
    NOT_FOUND_NEEDED,
    NOT_FOUND_SPACING,
    DoubtState,
    is_proven_absent,
    next_query_at,
    should_quarantine,
    with_not_found,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WINDOW = timedelta(seconds=2)
FRESH = DoubtState(permit_at=NOON, doubt_since=NOON + timedelta(seconds=1), window=WINDOW)
BEGINS = FRESH.proof_begins_at


def after(seconds: float) -> datetime:
    return BEGINS + timedelta(seconds=seconds)


PROVEN = replace(
    FRESH,
    not_found_at=(BEGINS, after(2), after(4)),
    open_orders_clear_at=BEGINS,
    fills_clear_at=BEGINS,
)


def ask(state: DoubtState, *instants: datetime) -> DoubtState:
    for instant in instants:
        state = replace(state, not_found_at=with_not_found(state, instant))
    return state


def test_proof_begins_after_permit_life_window_processing_bound_and_margin():
    assert timedelta(seconds=1 + 2 + 10 + 5) + NOON == BEGINS


def test_the_complete_proof_holds():
    assert is_proven_absent(PROVEN)


@pytest.mark.parametrize(
    "missing",
    [
        {"not_found_at": ()},
        {"not_found_at": (BEGINS, after(2))},
        {"not_found_at": (BEGINS - timedelta(microseconds=1), after(2), after(4))},
        {"not_found_at": (BEGINS, after(1.999999), after(4))},
        {"not_found_at": (BEGINS, BEGINS, BEGINS)},
        {"not_found_at": (after(4), after(2), BEGINS)},
        {"open_orders_clear_at": None},
        {"open_orders_clear_at": BEGINS - timedelta(microseconds=1)},
        {"fills_clear_at": None},
        {"fills_clear_at": BEGINS - timedelta(microseconds=1)},
        {"stream_gap": True},
        {"window": timedelta(seconds=60)},
        {"permit_at": NOON + timedelta(seconds=1)},
    ],
)
def test_the_proof_fails_without_any_one_of_its_conditions(missing):
    assert not is_proven_absent(replace(PROVEN, **missing))


def test_three_spaced_answers_count():
    assert ask(FRESH, BEGINS, after(2), after(4)).not_found_at == (BEGINS, after(2), after(4))


def test_an_answer_asked_too_early_does_not_count():
    early = BEGINS - timedelta(microseconds=1)
    assert ask(FRESH, early, early + NOT_FOUND_SPACING).not_found_at == (early + NOT_FOUND_SPACING,)


def test_crowded_answers_count_once():
    assert ask(FRESH, BEGINS, after(0.1), after(1.9), after(2)).not_found_at == (BEGINS, after(2))


def test_an_answer_asked_before_the_last_one_does_not_count():
    assert ask(FRESH, after(10), after(3)).not_found_at == (after(10),)


def test_an_error_resets_the_row_of_answers():
    reset = replace(ask(FRESH, BEGINS, after(2)), not_found_at=())
    assert not is_proven_absent(replace(PROVEN, not_found_at=ask(reset, after(4)).not_found_at))


instants = st.integers(-60_000, 120_000).map(lambda ms: BEGINS + timedelta(milliseconds=ms))


@given(st.lists(instants, max_size=12))
def test_only_spaced_answers_after_the_bound_ever_stand_in_the_row(asked):
    row = ask(FRESH, *asked).not_found_at
    assert all(at >= BEGINS for at in row)
    assert all(later - earlier >= NOT_FOUND_SPACING for earlier, later in pairwise(row))


@given(
    st.integers(-86_400_000, 2 * 86_400_000),
    st.integers(0, 60_000),
    st.lists(instants, max_size=5),
    st.integers(0, 120),
)
def test_the_next_query_is_always_in_the_future_and_at_most_five_minutes_away(ms, late_ms, row, window):
    state = replace(
        FRESH,
        doubt_since=NOON + timedelta(milliseconds=late_ms),
        not_found_at=tuple(row),
        window=timedelta(seconds=window),
    )
    now = NOON + timedelta(milliseconds=ms)
    assert now < next_query_at(state, now) <= now + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("elapsed", "next_at"),
    [(0, 0.5), (0.5, 1), (1, 2), (2, 4), (4, 8), (8, 15)],
)
def test_the_first_queries_follow_the_schedule(elapsed, next_at):
    since = FRESH.doubt_since
    assert next_query_at(FRESH, since + timedelta(seconds=elapsed)) == since + timedelta(seconds=next_at)


def test_a_query_is_asked_as_soon_as_silence_begins_to_count():
    asked = next_query_at(FRESH, FRESH.doubt_since + timedelta(seconds=15))
    assert BEGINS < asked <= BEGINS + timedelta(milliseconds=1)


def test_the_proof_is_reached_by_following_the_schedule():
    state, now, queries = FRESH, FRESH.doubt_since, 0
    while len(state.not_found_at) < NOT_FOUND_NEEDED:
        now = next_query_at(state, now)
        state, queries = ask(state, now), queries + 1
    assert now - NOON < timedelta(seconds=30)
    assert queries < 15
    assert is_proven_absent(replace(state, open_orders_clear_at=now, fills_clear_at=now))


def test_once_the_row_is_complete_the_schedule_is_followed_again():
    now = after(60)
    two, three = (replace(FRESH, not_found_at=PROVEN.not_found_at[:count]) for count in (2, 3))
    assert next_query_at(two, now) - now == NOT_FOUND_SPACING
    assert next_query_at(three, now) - now == timedelta(seconds=30)


def test_a_question_that_failed_is_soon_asked_again_for_a_minute_and_then_with_patience():
    assert next_query_at(FRESH, after(1)) - after(1) == timedelta(seconds=4)
    assert next_query_at(FRESH, after(59)) - after(59) == timedelta(seconds=4)
    assert next_query_at(FRESH, after(60)) - after(60) == timedelta(seconds=30)


def test_old_doubt_is_asked_about_less_often():
    soon, late = FRESH.doubt_since + timedelta(minutes=14), FRESH.doubt_since + timedelta(minutes=16)
    assert next_query_at(FRESH, soon) - soon == timedelta(seconds=30)
    assert next_query_at(FRESH, late) - late == timedelta(minutes=5)


def test_doubt_is_quarantined_after_fifteen_minutes():
    limit = FRESH.doubt_since + timedelta(minutes=15)
    assert should_quarantine(FRESH, limit)
    assert not should_quarantine(FRESH, limit - timedelta(microseconds=1))
