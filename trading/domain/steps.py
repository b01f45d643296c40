"""The small decisions between one step of an order and the next, as functions of what is known.

What the outcome of a request makes of an order, when an unsent one is given up, which order is followed and when again,
which cancel may be sent, and when a final status has to wait for its fills. No clock, no I/O: execution and simulation
ask the same functions.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from .enums import CancelState, OrderStatus
from .order_states import GIVEN_UP, TERMINAL, WORKING
from .outcomes import (
    CancelAccepted,
    CancelOutcome,
    CancelRefused,
    NotSentOutcome,
    Placed,
    PlaceOutcome,
    Refused,
    Unknown,
)

MAX_NOT_SENT = 5
# The venue's fill list may lag behind its order status; after this long without the fills something is wrong.
FILLS_LAG = timedelta(seconds=60)
CANCEL_TAKES = timedelta(seconds=1)
DOUBTFUL = frozenset({OrderStatus.IN_DOUBT, OrderStatus.QUARANTINED})

_AFTER_REQUEST: dict[type, OrderStatus] = {
    Placed: OrderStatus.OPEN,
    Unknown: OrderStatus.IN_DOUBT,
    NotSentOutcome: OrderStatus.APPROVED,
}
_AFTER_CANCEL: dict[type, CancelState] = {
    CancelAccepted: CancelState.SENT,
    # Probably final already, which the follower reads; what it finds open is canceled again.
    CancelRefused: CancelState.SENT,
    Unknown: CancelState.IN_DOUBT,
    NotSentOutcome: CancelState.REQUESTED,
}
_ASKED_FOR = frozenset({CancelState.REQUESTED, CancelState.SENT, CancelState.IN_DOUBT})
# The age of an order → seconds until the next look. After the last row the sync takes over.
_CADENCE = ((1.0, 0.2), (5.0, 0.7), (15.0, 2.0), (30.0, 5.0))
# What we are waiting for is never left to the sync, however old its order is.
_WAIT_WHILE_OWED = 5.0


def status_after(outcome: PlaceOutcome) -> OrderStatus:
    """What the outcome of its request makes of a submitting order."""
    if isinstance(outcome, Refused):
        return OrderStatus.REJECTED if outcome.reached_matching else OrderStatus.NOT_ACCEPTED
    return _AFTER_REQUEST[type(outcome)]


def is_given_up_unsent(
    count: int, cancel_state: CancelState, expires_at: datetime | None, now: datetime
) -> bool:
    """True if an order whose request provably never left is not to be tried again. `count`: how often it was tried."""
    expired = expires_at is None or expires_at <= now
    return cancel_state is CancelState.REQUESTED or count >= MAX_NOT_SENT or expired


def is_followed(status: OrderStatus) -> bool:
    """Nothing is looked for at the venue before its request has an outcome: its timer is the lease of its permit."""
    return status in WORKING or status in TERMINAL or status in DOUBTFUL


def is_timed_by_follower(status: OrderStatus) -> bool:
    """The resolver keeps its own schedule for what is in doubt."""
    return is_followed(status) and status not in DOUBTFUL


def is_worth_a_look(
    status: OrderStatus, booked: Decimal, said: OrderStatus | None, announced: Decimal | None
) -> bool:
    """Whether what a private stream said of an order makes it worth a question to the venue; it is never more.

    `said` and `announced`: the status and the filled quantity it spoke of; None where it did not say.
    """
    if not is_followed(status):
        return False
    if status in DOUBTFUL or (announced is not None and announced > booked):
        return True
    if status in TERMINAL:
        return status in GIVEN_UP and said not in GIVEN_UP
    return announced is None or said is None or said in TERMINAL


def next_look(age: timedelta, *, is_owed: bool) -> timedelta | None:
    """The wait until the next look at an acknowledged order of this age; None leaves it to the sync.

    `is_owed`: a cancel is not confirmed yet, or fills that the venue announced are not booked yet.
    """
    seconds = age.total_seconds()
    wait = next((wait for until, wait in _CADENCE if seconds < until), _WAIT_WHILE_OWED if is_owed else None)
    return None if wait is None else timedelta(seconds=wait)


def may_send_cancel(status: OrderStatus, cancel_state: CancelState) -> bool:
    """A cancel goes out only for an order that works at the venue and whose end somebody asked for."""
    return status in WORKING and cancel_state in _ASKED_FOR


def cancel_state_after(outcome: CancelOutcome) -> CancelState:
    return _AFTER_CANCEL[type(outcome)]


def is_cancel_overdue(cancel_state: CancelState, unchanged_for: timedelta) -> bool:
    """True if a cancel had its time and the order is still open: refused or swallowed, so it is sent once more."""
    return cancel_state is CancelState.SENT and unchanged_for > CANCEL_TAKES


def waits_for_fills(
    status: OrderStatus, missing: Decimal, announced_at: datetime | None, now: datetime
) -> bool:
    """True if a final status has to wait for the fills that explain it.

    `missing`: filled at the venue, not booked. `announced_at`: when the venue first showed that quantity, which may be
    long after the order was acknowledged.
    """
    if status not in TERMINAL or missing <= 0:
        return False
    return now - (announced_at or now) < FILLS_LAG
