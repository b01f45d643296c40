"""The database: committed rows, transactions that buffer and commit atomically, and locks that end with them.

READ COMMITTED: a statement sees what was committed when it began; a locked row is read again after the wait. A
transaction that is idle for five seconds is ended by the server, a lock is waited for two seconds. A COMMIT can fail,
and its answer can be lost with the commit done or not done: then the caller gets StoreError and knows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from decimal import Decimal
from operator import attrgetter
from typing import Any

from trading.domain.enums import CancelState, OrderStatus, Side, TradingState

from .kernel import Kernel, Process, Steps, StoreError
from .locks import Lock

IDLE_SECONDS = 5.0
LOCK_SECONDS = 2.0
ZERO = Decimal(0)
ScopeKey = tuple[str, str]


@dataclass(slots=True)
class OrderRow:
    """One order. Instants are seconds of the virtual clock."""

    id: int
    name: str  # how stories call it
    client_order_id: str
    account: str
    symbol: str
    strategy: str
    side: Side
    quantity: Decimal
    reduce_only: bool
    flattens: bool
    ends_at_once: bool
    status: OrderStatus
    created_at: float
    approved_epoch: int | None = None
    limits_version: int | None = None
    expires_at: float | None = None
    attempt: int = 0
    permit_at: float | None = None
    window: float = 2.0
    not_sent_count: int = 0
    cancel_state: CancelState = CancelState.NONE
    exchange_order_id: str = ""
    acknowledged_at: float | None = None
    announced_at: float | None = None
    filled: Decimal = ZERO
    venue_filled: Decimal = ZERO
    doubt_since: float | None = None
    not_found_at: tuple[float, ...] = ()
    open_orders_clear_at: float | None = None
    fills_clear_at: float | None = None
    failures: int = 0
    next_action_at: float | None = None
    updated_at: float = 0.0
    path: tuple[OrderStatus, ...] = ()  # the moves of this transaction, for the audit trail
    is_touched: bool = False  # written in this transaction, even if nothing differs

    def copy(self) -> OrderRow:
        return OrderRow(*_VALUES(self))


_VALUES = attrgetter(*(entry.name for entry in fields(OrderRow)))


@dataclass(slots=True)
class SweepRow:
    id: int
    scope: ScopeKey
    epoch: int
    engaged_at: float
    drained_at: float | None = None
    verdict: str = "running"
    finished_at: float | None = None
    leased_by: str = ""
    leased_until: float = -1.0
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """One committed change of an order's status, as the audit trail has it."""

    at: float
    order_id: int
    before: OrderStatus | None
    after: OrderStatus
    filled: Decimal


@dataclass(frozen=True, slots=True)
class HaltChangeRow:
    """`seen_epoch`: for a release, the epoch its operator had seen."""

    at: float
    scope: ScopeKey
    state: TradingState
    epoch: int
    seen_epoch: int | None = None


@dataclass(frozen=True, slots=True)
class PermitRow:
    at: float
    committed_at: float
    order_id: int
    attempt: int
    epoch: int


@dataclass(slots=True)
class Store:
    kernel: Kernel
    orders: dict[int, OrderRow] = field(default_factory=dict)
    scopes: dict[ScopeKey, TradingState] = field(default_factory=dict)
    epoch: int = 1
    limits_version: int = 1
    positions: dict[tuple[str, str], Decimal] = field(default_factory=dict)  # by account and symbol
    fills: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    booked: list[str] = field(default_factory=list)
    signals: dict[str, int] = field(default_factory=dict)
    sweeps: dict[int, SweepRow] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    permits: list[PermitRow] = field(default_factory=list)
    halt_changes: list[HaltChangeRow] = field(default_factory=list)
    cancel_requests: dict[int, float] = field(default_factory=dict)
    words: dict[int, float] = field(default_factory=dict)  # orders ended by a person's word, and when
    breaks: dict[int, float] = field(default_factory=dict)  # orders that ended short of fills, and when noted
    down_until: float = -1.0
    locks: dict[Any, Lock] = field(default_factory=dict)
    next_id: int = 1

    def add_to_position(self, account: str, symbol: str, change: Decimal) -> None:
        key = (account, symbol)
        self.positions[key] = self.positions.get(key, ZERO) + change

    def lock_named(self, key: Any) -> Lock:
        lock = self.locks.get(key)
        if lock is None:
            lock = self.locks[key] = Lock(self.kernel)
        return lock

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def put(self, row: OrderRow, *, is_bare: bool = False) -> None:
        """The committed form of a row. Every change of status is a move in the audit trail.

        `is_bare`: a plain UPDATE of the timer, which leaves `updated_at` alone.
        """
        known = self.orders.get(row.id)
        if known == row:
            return
        before = None if known is None else known.status
        if not is_bare:
            row.updated_at = self.kernel.now
        self.orders[row.id] = row
        for status in row.path or (row.status,):
            if status is not before:
                self.moves.append(Move(self.kernel.now, row.id, before, status, row.filled))
            before = status
        row.path, row.is_touched = (), False
        if row.cancel_state is not CancelState.NONE:
            self.cancel_requests.setdefault(row.id, self.kernel.now)


class Transaction:
    """READ COMMITTED. Use: `begin`, lock or read, change the copies, `commit`. `at_commit` runs with the commit."""

    __slots__ = (
        "_is_open",
        "_touched",
        "at_commit",
        "fills",
        "is_bare",
        "locks",
        "process",
        "rows",
        "store",
        "waits_for",
    )

    def __init__(self, store: Store, process: Process, *, is_bare: bool = False) -> None:
        self.store, self.process, self.is_bare = store, process, is_bare
        self.locks: list[Lock] = []
        self.waits_for: Lock | None = None
        self.rows: dict[int, OrderRow] = {}
        self.at_commit: list[Callable[[], None]] = []
        self.fills: set[str] = set()  # booked by this transaction
        self._is_open, self._touched = True, 0
        process.transactions[self] = None

    def take(self, key: Any, *, exclusive: bool = True, timeout: float = LOCK_SECONDS) -> Steps:
        """Generator: True once the lock is held, False if it was not granted in time."""
        yield from self.statement()
        granted = yield from self.store.lock_named(key).take(self, exclusive, timeout)
        self.check()
        return granted

    def lock_order(self, order_id: int) -> Steps:
        """SELECT … FOR UPDATE: the newest committed row, as a copy to change."""
        if not (yield from self.take(("order", order_id))):
            self.abort()
            raise StoreError("lock time-out")
        return self.copy_of(order_id)

    def copy_of(self, order_id: int) -> OrderRow:
        row = self.rows.get(order_id)
        if row is None:
            row = self.rows[order_id] = self.store.orders[order_id].copy()
        return row

    def insert(self, row: OrderRow) -> None:
        self.rows[row.id] = row

    def statement(self) -> Steps:
        yield None
        self.check()

    def check(self) -> None:
        self._touched += 1
        if self.store.down_until > self.process.kernel.now:
            self.abort()
        if not self._is_open:
            raise StoreError("the server ended the transaction")

    def commit(self) -> Steps:
        """Generator. StoreError: not committed, or nobody knows."""
        yield from self.statement()
        self.process.commits += 1
        fault = self.process.commit_faults.pop(self.process.commits, "")
        if fault:
            self.process.kernel.tell(self.process.name, f"loses the answer to its COMMIT ({fault})")
        if fault == "undone":
            self.abort()
            raise StoreError("connection lost in COMMIT")
        self._apply()
        yield None
        if fault or self.store.down_until > self.process.kernel.now:
            raise StoreError("connection lost after COMMIT")

    def _apply(self) -> None:
        for row in self.rows.values():
            self.store.put(row, is_bare=self.is_bare)
        for act in self.at_commit:
            act()
        self._close()

    def abort(self) -> None:
        if self._is_open:
            self._close()

    def _close(self) -> None:
        self._is_open = False
        self.process.transactions.pop(self, None)
        if self.waits_for is not None:
            self.waits_for.release(self)
        for lock in self.locks:
            lock.release(self)

    def watch_idleness(self) -> None:
        """The process has stopped: the server ends the transaction if nothing comes for five seconds."""
        self.process.kernel.call_later(IDLE_SECONDS, self._end_if_idle, self._touched)

    def _end_if_idle(self, touched: int) -> None:
        if self._is_open and self._touched == touched:
            self.abort()
