"""The life of an algo as a table: which state may follow which, and which are final.

The database enforces the same table by a trigger. A halt, a denial that does not go away and a person lead to `paused`,
and only a person leads out of it.
"""

from __future__ import annotations

from .enums import AlgoState as S

ALGO_TRANSITIONS: dict[S, frozenset[S]] = {
    S.RUNNING: frozenset({S.PAUSED, S.CANCELING, S.COMPLETED, S.EXPIRED}),
    # The last fills may arrive while it stands still, or while it is being taken down.
    S.PAUSED: frozenset({S.RUNNING, S.CANCELING, S.COMPLETED}),
    S.CANCELING: frozenset({S.CANCELED, S.COMPLETED}),
    S.COMPLETED: frozenset(),
    S.CANCELED: frozenset(),
    S.EXPIRED: frozenset(),
    S.DENIED: frozenset(),  # never had a child
}

ENDED = frozenset(state for state, after in ALGO_TRANSITIONS.items() if not after)
# Still to be looked after: its children may be alive.
LIVING = frozenset(ALGO_TRANSITIONS) - ENDED


def can_change(before: S, after: S) -> bool:
    return after in ALGO_TRANSITIONS[before]
