"""What a step of the protocol may touch: its process, the store, the venue, the bells, and the broken safeguards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from trading.domain.enums import OrderStatus, TradingState
from trading.domain.order_states import can_move, is_terminal

from ..kernel import Process, Steps, StoreError, Waiter, as_time
from ..mutations import Mutations
from ..network import Network
from ..scenario import Tunables
from ..store import OrderRow, ScopeKey, Store, Transaction
from ..venue import Venue


@dataclass(slots=True)
class Engaged:
    """What the oracle holds an engagement to. `returned_at` None: the operator never got an answer."""

    scope: ScopeKey
    state: TradingState
    epoch: int
    committed_at: float
    returned_at: float | None = None


class IllegalMove(Exception):
    """The table of statuses does not allow it: the database's trigger would refuse the commit."""


@dataclass(slots=True)
class Node:
    process: Process
    store: Store
    venue: Venue
    network: Network
    tunables: Tunables
    mutations: Mutations
    ring: Callable[[str, int], None]
    stop_flags: set[int]
    engaged: list[Engaged]
    bells: list[tuple[str, int]] = field(default_factory=list)
    waiting: Waiter | None = None

    @property
    def now(self) -> float:
        """timezone.now() of this host."""
        return self.process.now

    @property
    def time(self) -> datetime:
        return as_time(self.process.now)

    @property
    def database_now(self) -> float:
        return self.process.kernel.now

    def begin(self, *, is_bare: bool = False) -> Transaction:
        return Transaction(self.store, self.process, is_bare=is_bare)

    def read(self, order_id: int) -> Steps:
        """One plain SELECT. The caller must not change what it gets."""
        yield None
        if self.store.down_until > self.process.kernel.now:
            raise StoreError("no connection to the database")
        return self.store.orders[order_id]

    def tell(self, what: str) -> None:
        self.process.kernel.tell(self.process.name, what)

    def move_order(self, row: OrderRow, status: OrderStatus, *, is_forced: bool = False) -> None:
        if not is_forced and not can_move(row.status, status):
            raise IllegalMove(f"{row.name}: {row.status} to {status}")
        self.tell(f"moves order {row.name} from {row.status} to {status}")
        row.status, row.path = status, (*row.path, status)
        if is_terminal(status):
            row.next_action_at = None
