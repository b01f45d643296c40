"""The exchange: takes orders, fills them over time, answers late or wrongly. Its journal is the oracle.

It refuses a request that arrives after stamp + window, works on an accepted one for up to the processing bound, shows
what happened with a read lag (fills lag more), and need not recognise a repeated client order id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading.domain.enums import Side
from trading.domain.enums import VenueOrderStatus as V
from trading.domain.outcomes import (
    CancelAccepted,
    CancelRefused,
    FillReport,
    OrderFound,
    OrderNotFound,
    OrderReport,
    Placed,
    Refused,
    Unknown,
)

from .kernel import Kernel, as_time

ZERO = Decimal(0)
FINAL = frozenset({V.FILLED, V.CANCELED, V.EXPIRED, V.REJECTED})
Reply = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Destiny:
    """What the venue will make of an order: `fills` are (seconds after acceptance, quantity)."""

    processing: float = 0.01
    fills: tuple[tuple[float, Decimal], ...] = ()
    is_refused: bool = False
    ends_as: V | None = None  # of what is left after the fills of an order that ends at once


@dataclass(slots=True)
class VenueOrder:
    exchange_order_id: str
    client_order_id: str
    account: str
    symbol: str
    side: Side
    quantity: Decimal
    accepted_at: float
    status: V = V.OPEN
    filled: Decimal = ZERO
    history: list[tuple[float, V, Decimal]] = field(default_factory=list)
    fills: list[tuple[float, FillReport]] = field(default_factory=list)

    def seen_at(self, instant: float) -> tuple[V, Decimal] | None:
        """What a read that shows the state of `instant` answers."""
        for at, status, filled in reversed(self.history):
            if at <= instant:
                return status, filled
        return None


class Venue:
    __slots__ = (
        "_kernel",
        "_lag_floor",
        "accepted",
        "cancels",
        "checks_window",
        "destinies",
        "fill_lag",
        "names",
        "orders",
        "pending_fills",
        "processing",
        "read_lag",
        "recognises_repeats",
    )

    def __init__(
        self, kernel: Kernel, *, read_lag: float, lag_floor: float, fill_lag: float, recognises_repeats: bool
    ) -> None:
        self._kernel, self._lag_floor = kernel, lag_floor
        self.read_lag, self.fill_lag, self.recognises_repeats = read_lag, fill_lag, recognises_repeats
        self.checks_window = True
        self.orders: list[VenueOrder] = []
        self.names: dict[str, str] = {}  # what stories call the orders
        self.destinies: dict[str, Destiny] = {}
        self.accepted: list[tuple[float, str]] = []
        self.cancels: list[tuple[float, str]] = []
        self.processing = self.pending_fills = 0

    # -- acting ------------------------------------------------------------------------------------------------
    def place(
        self,
        reply: Reply,
        client_id: str,
        account: str,
        symbol: str,
        side: Side,
        quantity: Decimal,
        latest: float,
    ) -> None:
        """`latest`: stamp + window, after which the request is refused unread."""
        if self.checks_window and self._kernel.now > latest:
            self._kernel.tell("venue", f"refuses order {self.names[client_id]}: outside of its window")
            reply(Refused("700003", "timestamp outside the receive window", reached_matching=False))
            return
        if self.recognises_repeats and any(order.client_order_id == client_id for order in self.orders):
            reply(Unknown("duplicate client id"))
            return
        self.processing += 1
        destiny = self.destinies[client_id]
        order = VenueOrder("", client_id, account, symbol, side, quantity, 0.0)
        self._kernel.call_later(destiny.processing, self._process, reply, order, destiny)

    def _process(self, reply: Reply, order: VenueOrder, destiny: Destiny) -> None:
        self.processing -= 1
        if destiny.is_refused:
            self._kernel.tell("venue", f"refuses order {self.names[order.client_order_id]} for good")
            reply(Refused("30004", "insufficient balance"))
            return
        self.accept(order, destiny)
        reply(Placed(order.exchange_order_id))

    def accept(self, order: VenueOrder, destiny: Destiny) -> None:
        now = self._kernel.now
        client_id = order.client_order_id
        order.exchange_order_id, order.accepted_at = f"X{len(self.orders) + 1}", now
        order.history.append((now, V.OPEN, ZERO))
        self.orders.append(order)
        self.accepted.append((now, client_id))
        self._kernel.tell("venue", f"accepts order {self.names[client_id]}")
        self.pending_fills += len(destiny.fills)
        for delay, filled in destiny.fills:
            self._kernel.call_later(delay, self._fill, order, filled)
        if destiny.ends_as is not None:
            last = max((delay for delay, _ in destiny.fills), default=0.0)
            self._kernel.call_later(last, self._end, order, destiny.ends_as)

    def cancel(self, reply: Reply, client_id: str) -> None:
        self.cancels.append((self._kernel.now, client_id))
        order = self._find(client_id)
        lagging = order is not None and order.accepted_at > self._kernel.now - self.read_lag
        if order is None or lagging or order.status in FINAL:
            reply(CancelRefused("-2011", "unknown order"))
            return
        self._kernel.call_later(0.01, self._end, order, V.CANCELED)
        reply(CancelAccepted())

    def _find(self, client_id: str) -> VenueOrder | None:
        return next((order for order in self.orders if order.client_order_id == client_id), None)

    def _fill(self, order: VenueOrder, quantity: Decimal) -> None:
        self.pending_fills -= 1
        quantity = min(quantity, order.quantity - order.filled)
        if order.status in FINAL or quantity <= 0:
            return
        order.filled += quantity
        fill_id = f"{order.exchange_order_id}-{len(order.fills) + 1}"
        order.fills.append((self._kernel.now, self._report_fill(order, fill_id, quantity)))
        self._kernel.tell("venue", f"fills {quantity} of order {self.names[order.client_order_id]}")
        self._set(order, V.FILLED if order.filled >= order.quantity else V.PARTIALLY_FILLED)

    def _end(self, order: VenueOrder, status: V) -> None:
        if order.status not in FINAL:
            self._kernel.tell("venue", f"ends order {self.names[order.client_order_id]}: {status}")
            self._set(order, status)

    def _set(self, order: VenueOrder, status: V) -> None:
        order.status = status
        order.history.append((self._kernel.now, status, order.filled))

    # -- reading -----------------------------------------------------------------------------------------------
    def query(self, reply: Reply, client_id: str) -> None:
        order = self._find(client_id)
        seen = None if order is None else order.seen_at(self._instant(self.read_lag))
        if order is None or seen is None:
            reply(OrderNotFound("-2013"))
        else:
            reply(OrderFound(self._report(order, *seen)))

    def open_orders(self, reply: Reply, account: str) -> None:
        instant = self._instant(self.read_lag)
        found = []
        for order in self.orders:
            seen = order.seen_at(instant) if order.account == account else None
            if seen is not None and seen[0] not in FINAL:
                found.append(self._report(order, *seen))
        reply(found)

    def fills(self, reply: Reply, account: str, symbol: str) -> None:
        instant = self._instant(self.read_lag + self.fill_lag)
        reply(
            [
                fill
                for order in self.orders
                if order.account == account and order.symbol == symbol
                for at, fill in order.fills
                if at <= instant
            ]
        )

    def _instant(self, lag: float) -> float:
        floor = self._lag_floor
        return (
            self._kernel.now - lag * (floor + (1.0 - floor) * self._kernel.random())
            if lag
            else self._kernel.now
        )

    @staticmethod
    def _report(order: VenueOrder, status: V, filled: Decimal) -> OrderReport:
        return OrderReport(
            order.client_order_id,
            order.exchange_order_id,
            order.symbol,
            order.side,
            status,
            order.quantity,
            filled,
            filled,
        )

    def _report_fill(self, order: VenueOrder, fill_id: str, quantity: Decimal) -> FillReport:
        return FillReport(
            fill_id,
            order.exchange_order_id,
            order.client_order_id,
            order.symbol,
            order.side,
            Decimal(1),
            quantity,
            ZERO,
            "USDT",
            True,
            as_time(self._kernel.now),
        )
