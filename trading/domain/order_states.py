"""The life of an order as a table: which status may follow which, and which are final.

The database enforces the same table (a trigger generated from it in the migrations), so that no code path, console or
other program can make an impossible move. A status changes only by our own decision before the permit, and only by
venue evidence after it.
"""

from __future__ import annotations

from .enums import OrderStatus as S

# What the venue may tell us about an order whose fate we are waiting for.
_EVIDENCE = frozenset(
    {S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.NOT_ACCEPTED}
)
# Late evidence: the venue shows an order we had given up. Money that moved is never ignored, so these moves are legal;
# settlement raises an alarm and halts the account when one happens.
_LATE = frozenset({S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED})

TRANSITIONS: dict[S, frozenset[S]] = {
    S.PROPOSED: frozenset({S.DENIED, S.AWAITING_APPROVAL, S.APPROVED}),
    S.AWAITING_APPROVAL: frozenset({S.APPROVED, S.DENIED, S.LAPSED}),
    S.APPROVED: frozenset({S.SUBMITTING, S.LAPSED}),
    # Back to approved only with the proof that zero bytes left (see exchanges.base).
    S.SUBMITTING: _EVIDENCE | {S.APPROVED, S.IN_DOUBT},
    S.IN_DOUBT: _EVIDENCE | {S.QUARANTINED},
    S.QUARANTINED: _EVIDENCE,
    # A venue may still reject an order it acknowledged (asynchronous acceptance).
    S.OPEN: frozenset({S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED}),
    S.PARTIALLY_FILLED: frozenset({S.FILLED, S.CANCELED, S.EXPIRED}),
    S.CANCELED: frozenset({S.FILLED}),  # the last fill overtook the cancel
    S.EXPIRED: frozenset({S.FILLED}),
    S.REJECTED: _LATE,
    S.NOT_ACCEPTED: _LATE,
    S.FILLED: frozenset(),
    S.DENIED: frozenset(),  # never had a permit: nothing of it can exist at a venue
    S.LAPSED: frozenset(),
}

TERMINAL = frozenset(
    {S.DENIED, S.LAPSED, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.NOT_ACCEPTED},
)
# At the venue, or possibly so: these count at full open quantity in every exposure.
AT_RISK = frozenset({S.APPROVED, S.SUBMITTING, S.IN_DOUBT, S.QUARANTINED, S.OPEN, S.PARTIALLY_FILLED})
# Final by a refusal or by the venue's silence: the only ends that a later sight of the order can prove wrong.
GIVEN_UP = frozenset({S.REJECTED, S.NOT_ACCEPTED})
# Resting at the venue by its own evidence.
WORKING = frozenset({S.OPEN, S.PARTIALLY_FILLED})
# The permit was given and the venue has not yet said what became of it.
UNRESOLVED = frozenset({S.SUBMITTING, S.IN_DOUBT, S.QUARANTINED})


def can_move(before: S, after: S) -> bool:
    return after in TRANSITIONS[before]


def is_terminal(status: S) -> bool:
    return status in TERMINAL


def is_reopening(before: S, after: S) -> bool:
    """A terminal order that venue evidence brings back: legal, alarming."""
    return before in TERMINAL and can_move(before, after)
