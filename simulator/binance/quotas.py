"""Binance's limits: weight per address and minute, unfilled orders per account, connections; counted even when off.

Intervals begin with the clock's own: a minute at :00, ten seconds at :00, :10, a day at midnight UTC. Orders count
while nothing of them is filled, so an account whose orders trade may go on placing them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from simulator.binance.errors import BinanceWireRefusal
from simulator.core.accounts import SimUser
from simulator.core.limits import RequestLimits
from simulator.core.rows import SimOrder
from simulator.core.trading import TradingVenue

MINUTE_MS, DAY_MS, TEN_SECONDS_MS = 60_000, 86_400_000, 10_000
WEIGHT_PER_MINUTE, WALLET_WEIGHT_PER_MINUTE = 6_000, 12_000
ORDERS_PER_TEN_SECONDS, ORDERS_PER_DAY = 100, 200_000
CONNECTIONS, CONNECTIONS_SECONDS = 300, 300
TOO_MANY = (
    "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API."
)
BANNED = (
    "Way too much request weight used; IP banned until {until}. "
    "Please use WebSocket Streams for live updates to avoid bans."
)
Row = dict[str, object]


class IntervalCounts:
    """Units by owner in the running interval."""

    def __init__(self, interval_ms: int) -> None:
        self.interval_ms = interval_ms
        self._used: dict[str, tuple[int, int]] = {}

    def used(self, owner: str, now_ms: int) -> int:
        interval, units = self._used.get(owner, (0, 0))
        return units if interval == now_ms // self.interval_ms else 0

    def add(self, owner: str, units: int, now_ms: int) -> None:
        self._used[owner] = (now_ms // self.interval_ms, self.used(owner, now_ms) + units)


@dataclass
class UnfilledOrders:
    """How many of an account's orders of the running interval have no fill; each is looked at while it is open."""

    interval_ms: int
    interval: int = -1
    seen: int = 0
    ended: int = 0
    undecided: list[SimOrder] = field(default_factory=list)

    def count(self, orders: list[SimOrder], now_ms: int) -> int:
        if now_ms // self.interval_ms != self.interval or len(orders) < self.seen:
            self.interval, self.ended, self.undecided = now_ms // self.interval_ms, 0, []
            self.seen = self._first_of_interval(orders)
        self.undecided += orders[self.seen :]
        self.seen = len(orders)
        unfilled = [order for order in self.undecided if not order.filled]
        self.undecided = [order for order in unfilled if order.status.is_open]
        self.ended += len(unfilled) - len(self.undecided)
        return self.ended + len(self.undecided)

    def _first_of_interval(self, orders: list[SimOrder]) -> int:
        first = len(orders)
        while first and orders[first - 1].received_ms // self.interval_ms == self.interval:
            first -= 1
        return first


class BinanceQuotas:
    def __init__(self, venue: TradingVenue) -> None:
        self._venue = venue
        self.clear()

    def clear(self) -> None:
        self._weights = {"api": IntervalCounts(MINUTE_MS), "sapi": IntervalCounts(MINUTE_MS)}
        self._orders: dict[tuple[str, int], UnfilledOrders] = {}
        self.abuse = RequestLimits()

    def _scaled(self, limit: int) -> int:
        return int(limit * self._venue.settings.limits_scale)

    # -- weight ----------------------------------------------------------------------------------------------------

    def check_weight(self, family: str, address: str, weight: int) -> None:
        if not self._venue.settings.limits_enabled:
            return
        now_ms, limit = self._venue.clock.now_ms(), self.weight_limit(family)
        if self._weights[family].used(address, now_ms) + weight > limit:
            self.abuse.note_excess(address, time.monotonic())
            reason = TOO_MANY.format(limit=limit)
            raise BinanceWireRefusal(429, -1003, reason, _seconds_left(MINUTE_MS, now_ms))

    def weight_limit(self, family: str) -> int:
        return self._scaled(WEIGHT_PER_MINUTE if family == "api" else WALLET_WEIGHT_PER_MINUTE)

    def add_weight(self, family: str, address: str, weight: int) -> None:
        self._weights[family].add(address, weight, self._venue.clock.now_ms())

    def used_weight(self, family: str, address: str) -> int:
        return self._weights[family].used(address, self._venue.clock.now_ms())

    # -- orders ----------------------------------------------------------------------------------------------------

    def count_orders(self, user: SimUser, interval_ms: int) -> int:
        counted = self._orders.setdefault((user.name, interval_ms), UnfilledOrders(interval_ms))
        return counted.count(self._venue.orders_of.get(user.name, []), self._venue.clock.now_ms())

    def check_orders(self, user: SimUser) -> None:
        if not self._venue.settings.limits_enabled:
            return
        for interval_ms, limit, words in (
            (TEN_SECONDS_MS, ORDERS_PER_TEN_SECONDS, "10 SECOND"),
            (DAY_MS, ORDERS_PER_DAY, "1 DAY"),
        ):
            if self.count_orders(user, interval_ms) >= self._scaled(limit):
                reason = f"Too many new orders; current limit is {self._scaled(limit)} orders per {words}."
                left = _seconds_left(interval_ms, self._venue.clock.now_ms())
                raise BinanceWireRefusal(429, -1015, reason, left)

    # -- bans and connections --------------------------------------------------------------------------------------

    def check_ban(self, address: str) -> None:
        seconds = self.abuse.find_ban(address, time.monotonic())
        if seconds:
            raise self.banned(seconds)

    def banned(self, seconds: int) -> BinanceWireRefusal:
        reason = BANNED.format(until=self._venue.clock.now_ms() + 1_000 * seconds)
        return BinanceWireRefusal(418, -1003, reason, seconds)

    def check_connection(self, address: str) -> None:
        if not self._venue.settings.limits_enabled:
            return
        scale = self._venue.settings.limits_scale
        now = time.monotonic()
        wait = self.abuse.take("connections", address, CONNECTIONS, CONNECTIONS_SECONDS, 1, now, scale)
        if wait:
            reason = "Too many connection attempts from IP; current limit is 300 per '5 MINUTES'."
            raise BinanceWireRefusal(429, -1034, reason, wait)

    # -- rows ------------------------------------------------------------------------------------------------------

    def limit_rows(self) -> list[Row]:
        return [
            _row("REQUEST_WEIGHT", "MINUTE", 1, self._scaled(WEIGHT_PER_MINUTE)),
            _row("ORDERS", "SECOND", 10, self._scaled(ORDERS_PER_TEN_SECONDS)),
            _row("ORDERS", "DAY", 1, self._scaled(ORDERS_PER_DAY)),
            _row("RAW_REQUESTS", "MINUTE", 5, 300_000),
        ]

    def order_rows(self, user: SimUser) -> list[Row]:
        _, of_seconds, of_day, _ = self.limit_rows()
        return [
            of_seconds | {"count": self.count_orders(user, TEN_SECONDS_MS)},
            of_day | {"count": self.count_orders(user, DAY_MS)},
        ]

    def weight_row(self, address: str) -> Row:
        return self.limit_rows()[0] | {"count": self.used_weight("api", address)}


def _row(kind: str, interval: str, number: int, limit: int) -> Row:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def _seconds_left(interval_ms: int, now_ms: int) -> int:
    return 1 + (interval_ms - now_ms % interval_ms) // 1_000
