"""What happened at a venue, for whoever listens: changes of orders, fills, changes of balances.

Events are noted while an operation runs and told after its commit, all at once and in the order in which they
happened. Only users that somebody listens to are noted: without a listener an order costs one look into an empty table.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from simulator.core.accounts import SimUser
from simulator.core.money import ZERO
from simulator.core.rows import SimFill, SimOrder, SimOrderStatus


class BalanceCause(StrEnum):
    PLACED = "placed"
    FILLED = "filled"
    CANCELED = "canceled"
    DEPOSITED = "deposited"
    WITHDRAWN = "withdrawn"
    ADJUSTED = "adjusted"


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """The order as it was at that moment, and its newest fill."""

    order: SimOrder
    last_fill: SimFill | None


@dataclass(frozen=True, slots=True)
class FillHappened:
    fill: SimFill
    number: int  # its place among the fills of its order, from 1


@dataclass(frozen=True, slots=True)
class BalanceChanged:
    asset: str
    free: Decimal
    locked: Decimal
    free_change: Decimal
    locked_change: Decimal
    cause: BalanceCause
    at_ms: int


VenueEvent = OrderChanged | FillHappened | BalanceChanged
Listener = Callable[[list[VenueEvent]], None]
_CAUSES = {SimOrderStatus.NEW: BalanceCause.PLACED} | dict.fromkeys(
    (SimOrderStatus.PARTIALLY_FILLED, SimOrderStatus.FILLED), BalanceCause.FILLED
)


class EventFeed:
    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}
        self._known: dict[str, dict[str, tuple[Decimal, Decimal]]] = {}
        self._forget()

    def _forget(self) -> None:
        self._noted: dict[str, list[VenueEvent]] = {}
        self._shown: dict[str, tuple[object, ...]] = {}

    def is_heard(self, user: str) -> bool:
        return user in self._listeners

    def listen(self, user: SimUser, listener: Listener) -> None:
        self._listeners.setdefault(user.name, []).append(listener)
        self._known.setdefault(user.name, _as_free_and_locked(user))

    def stop_listening(self, user: str, listener: Listener) -> None:
        self._listeners[user].remove(listener)
        if not self._listeners[user]:
            del self._listeners[user], self._known[user]
            self._noted.pop(user, None)

    # -- notes, for users that are heard ---------------------------------------------------------------------------

    def note_order(self, user: SimUser, order: SimOrder, last_fill: SimFill | None) -> None:
        shown = (order.status, order.filled, order.quantity)
        if self._shown.get(order.order_id) != shown:
            self._shown[order.order_id] = shown
            self._note(order.user, OrderChanged(copy(order), last_fill))
        self.note_balances(user, _CAUSES.get(order.status, BalanceCause.CANCELED), order.updated_ms)

    def note_again(self, order: SimOrder) -> None:
        self._note(order.user, OrderChanged(order, None))

    def note_fill(self, fill: SimFill, number: int) -> None:
        self._note(fill.user, FillHappened(fill, number))

    def note_balances(self, user: SimUser, cause: BalanceCause, at_ms: int) -> None:
        """What differs from what the listeners know."""
        known = self._known[user.name]
        for asset, (free, locked) in _as_free_and_locked(user).items():
            old_free, old_locked = known.get(asset, (ZERO, ZERO))
            if (free, locked) != (old_free, old_locked):
                known[asset] = (free, locked)
                changes = (free - old_free, locked - old_locked)
                self._note(user.name, BalanceChanged(asset, free, locked, *changes, cause, at_ms))

    def _note(self, user: str, event: VenueEvent) -> None:
        self._noted.setdefault(user, []).append(event)

    # -- after the commit ------------------------------------------------------------------------------------------

    def tell(self) -> None:
        if not self._noted:
            return
        noted = self._noted
        self._forget()
        for user, events in noted.items():
            for listener in list(self._listeners.get(user, ())):
                listener(events)


def _as_free_and_locked(user: SimUser) -> dict[str, tuple[Decimal, Decimal]]:
    return {asset: (balance.free, balance.locked) for asset, balance in user.balances.items()}
