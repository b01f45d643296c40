"""Resolving an unknown outcome: when to ask the venue again, and when its silence is proof.

Positive evidence from any source ends the doubt at once. Negative proof is slow on purpose: a request may be accepted
until its window has closed and the venue's engine has let go of it, and a read may lag behind a write. A counter of
failed queries proves nothing and resets the count. All instants are aware datetimes; nothing here reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

# Seconds after the doubt began; then each 30 s to 15 min, then each 5 min for a day.
_FIRST_QUERIES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_STEADY = timedelta(seconds=30)
_SLOW = timedelta(minutes=5)
QUARANTINE_AFTER = timedelta(minutes=15)

PERMIT_LIFE = timedelta(seconds=1)
PROCESSING_BOUND = timedelta(seconds=10)
MARGIN = timedelta(seconds=5)
# A question that failed empties the row. For a minute it is begun again soon: the schedule's half minute would be the
# longer part of a verdict that takes eighteen seconds.
_PROOF_AGAIN = timedelta(seconds=4)
_PROOF_HASTE = timedelta(minutes=1)
NOT_FOUND_NEEDED = 3
NOT_FOUND_SPACING = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class DoubtState:
    """What has been asked and answered so far about one order in doubt.

    `not_found_at`: the instants at which definite not-found answers were asked, in a row, newest last; errors empty it.
    `open_orders_clear_at` / `fills_clear_at`: when a complete list without the id was asked for.
    """

    permit_at: datetime
    doubt_since: datetime
    window: timedelta
    not_found_at: tuple[datetime, ...] = ()
    open_orders_clear_at: datetime | None = None
    fills_clear_at: datetime | None = None
    stream_gap: bool = False

    @property
    def proof_begins_at(self) -> datetime:
        """Before this instant the venue may still accept the request: no silence counts."""
        return self.permit_at + PERMIT_LIFE + self.window + PROCESSING_BOUND + MARGIN


def with_not_found(state: DoubtState, asked_at: datetime) -> tuple[datetime, ...]:
    """The row of definite not-found answers after one more; answers too early or too close together do not count."""
    if asked_at < state.proof_begins_at:
        return ()
    if state.not_found_at and asked_at - state.not_found_at[-1] < NOT_FOUND_SPACING:
        return state.not_found_at
    return (*state.not_found_at, asked_at)


def _are_spaced(instants: tuple[datetime, ...]) -> bool:
    return all(later - earlier >= NOT_FOUND_SPACING for earlier, later in pairwise(instants))


def is_proven_absent(state: DoubtState) -> bool:
    """True only if every condition of the negative proof holds."""
    begins = state.proof_begins_at
    return (
        len(state.not_found_at) >= NOT_FOUND_NEEDED
        and all(at >= begins for at in state.not_found_at)
        and _are_spaced(state.not_found_at)
        and state.open_orders_clear_at is not None
        and state.open_orders_clear_at >= begins
        and state.fills_clear_at is not None
        and state.fills_clear_at >= begins
        and not state.stream_gap
    )


def should_quarantine(state: DoubtState, now: datetime) -> bool:
    return now - state.doubt_since >= QUARANTINE_AFTER


def next_query_at(state: DoubtState, now: datetime) -> datetime:
    """When to ask next: the schedule, but at the spacing of the proof once silence begins to count.

    Always after `now` and at most five minutes away, also when the clock was set back since the doubt began.
    """
    planned = _next_on_schedule(state, now)
    if now < state.proof_begins_at:
        planned = min(planned, state.proof_begins_at + timedelta(milliseconds=1))
    elif 0 < len(state.not_found_at) < NOT_FOUND_NEEDED:
        planned = min(planned, now + NOT_FOUND_SPACING)
    elif not state.not_found_at and now < state.proof_begins_at + _PROOF_HASTE:
        planned = min(planned, now + _PROOF_AGAIN)
    return min(planned, now + _SLOW)


def _next_on_schedule(state: DoubtState, now: datetime) -> datetime:
    for seconds in _FIRST_QUERIES:
        planned = state.doubt_since + timedelta(seconds=seconds)
        if planned > now:
            return planned
    return now + (_STEADY if now - state.doubt_since < QUARANTINE_AFTER else _SLOW)
