"""What the simulation of algos is made of: parent and children as committed, and a transaction on the parent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.enums import AlgoState
from trading.domain.enums import OrderStatus as S

from .kernel import Process, Steps, StoreError
from .locks import Lock

ZERO = Decimal(0)
LEASE, LONGEST_LOOK, IDLE = 5.0, 5.0, 5.0
WORDS = {
    "only_fills_count": "what is alive does not count",
    "doubt_counts_nothing": "a child in doubt does not count",
    "no_number": "a number may be made twice",
    "no_state": "a child is made whatever the parent's state is",
    "no_epoch": "the epoch is not looked at when a child is made",
    "no_cap": "all that was missed is caught up at once",
    "clock_goes_on": "resuming does not move the schedule",
    "release_wakes": "a halt that is over is forgotten",
    "epoch_asked_once": "the epoch is not asked again when the child is decided",
    "old_look_at_the_clock": "a child is made though the algo was paused and resumed since the look",
}


@dataclass(slots=True)
class Child:
    number: int
    slice: int
    quantity: Decimal
    epoch: int
    at: float
    status: S = S.APPROVED
    filled: Decimal = ZERO
    ended_at: float | None = None
    cancel_asked: bool = False
    clock: float = 0.0  # true seconds of the algo's clock when it was committed


@dataclass(slots=True)
class Row:
    """The parent as committed. `stood`: seconds that its clock stood in pauses that are over."""

    state: AlgoState = AlgoState.RUNNING
    since: float = 0.0
    epoch: int = 1
    forgiven: int = 0
    stood: float = 0.0
    next_at: float | None = 0.0


class Locked:
    """A transaction that holds the parent. `abort` is what a crash, or five idle seconds, do to it."""

    def __init__(self, lock: Lock, process: Process, loses: Callable[[], bool]) -> None:
        self.lock, self.process, self.loses = lock, process, loses
        self.is_open, self.touched = True, 0
        self.locks: list[Lock] = []
        self.waits_for: Lock | None = None
        process.transactions[self] = None

    def begin(self) -> Steps:
        yield None
        self.check()
        if not (yield from self.lock.take(self, True, 2.0)):
            self.abort()
        self.check()

    def check(self) -> None:
        self.touched += 1
        if not self.is_open:
            raise StoreError("the server ended the transaction")

    def commit(self) -> Steps:
        """Generator; the caller writes right after it. Its answer may be lost with the commit undone."""
        yield None
        self.check()
        if self.loses():
            self.abort()
            raise StoreError("connection lost in COMMIT")

    def abort(self) -> None:
        self.is_open = False
        self.process.transactions.pop(self, None)
        if self.waits_for is not None:
            self.waits_for.release(self)
        for lock in self.locks:
            lock.release(self)

    def watch_idleness(self) -> None:
        self.process.kernel.call_later(IDLE, self._end_if_idle, self.touched)

    def _end_if_idle(self, touched: int) -> None:
        if self.waits_for is not None:  # a statement that waits is not idle
            self.watch_idleness()
        elif self.is_open and self.touched == touched:
            self.abort()
