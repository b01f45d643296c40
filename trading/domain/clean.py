"""When a sweep may claim CLEAN: the rule, without a clock.

Two rounds in a row in which every account answered, showed no open order of ours, and our own books held nothing that
is or may be alive; each round begun after the last instant at which a venue could accept something that was sent before
the halt. A list asked before that instant proves nothing, however late its answer came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

ROUNDS_NEEDED = 2


@dataclass(frozen=True, slots=True)
class AccountLook:
    """One account in one round: was its list answered, and how much of ours is open there or alive in our books."""

    was_answered: bool
    open_at_venue: int
    alive_in_books: int

    @property
    def is_empty(self) -> bool:
        return self.was_answered and not self.open_at_venue and not self.alive_in_books


def count_clean_rounds(
    before: int, looks: Iterable[AccountLook], round_began: datetime, proof: datetime
) -> int:
    """Clean rounds in a row after one more; only those count that began after `proof`, the last possible acceptance."""
    return before + 1 if round_began >= proof and all(look.is_empty for look in looks) else 0


def is_clean(rounds: int) -> bool:
    return rounds >= ROUNDS_NEEDED
