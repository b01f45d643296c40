"""What a kind of fault is: a name, a rhythm, what it does, and which automatic halts it is allowed to cause."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from soak.scene import Scene


@dataclass(frozen=True)
class FaultKind:
    """`play` takes as long as the fault lasts and says what it did. `may_halt`: triggers that are right to fire.

    `costs_orders`: an order may fail because of it; else whatever fails meanwhile counts as an error.
    """

    meaning: str
    every_hours: float
    play: Callable[[Scene, random.Random], str]
    may_halt: frozenset[str] = frozenset()
    costs_orders: bool = True
