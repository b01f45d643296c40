"""Bybit's private topics: which event goes to which, and the text that tells of it.

The executions of one commit share a message, and so do the balances that it changed. There is no sequence that could
show that a message was lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from simulator.bybit.account import total_in_dollars
from simulator.bybit.call import Shape
from simulator.bybit.shapes import coin_shape, fill_shape, order_shape
from simulator.core.accounts import SimUser
from simulator.core.events import BalanceChanged, FillHappened, OrderChanged, VenueEvent
from simulator.core.trading import TradingVenue
from simulator.wire import StreamFrame

# A topic is of all categories, or of one; only spot has anything to tell.
CATEGORIES = ("spot", "linear", "inverse", "option")
ORDERS, FILLS, WALLET = "order", "execution", "wallet"
TOPICS = {
    WALLET,
    *(topic + ending for topic in (ORDERS, FILLS) for ending in ("", *("." + name for name in CATEGORIES))),
}
TOLD: dict[str, type] = {
    ORDERS: OrderChanged,
    ORDERS + ".spot": OrderChanged,
    FILLS: FillHappened,
    FILLS + ".spot": FillHappened,
    WALLET: BalanceChanged,
}
Group = list[VenueEvent]


def list_frames(
    venue: TradingVenue, user: SimUser, topics: Iterable[str], events: list[VenueEvent]
) -> list[StreamFrame]:
    topic_of = {TOLD[topic]: topic for topic in topics if topic in TOLD}
    frames = []
    for number, group in enumerate(_group(events)):
        topic = topic_of.get(type(group[0]))
        if topic is not None:
            frames.append(StreamFrame(topic, _message(venue, user, topic, number, group), group[-1]))
    return frames


def _group(events: list[VenueEvent]) -> list[Group]:
    """Every order's change by itself, all fills where the first of them happened, and all balances at the end."""
    groups: list[Group] = []
    fills: Group = []
    for event in events:
        if isinstance(event, OrderChanged):
            groups.append([event])
        elif isinstance(event, FillHappened):
            if not fills:
                groups.append(fills)
            fills.append(event)
    last_known = {event.asset: event for event in events if isinstance(event, BalanceChanged)}
    return [*groups, *([list(last_known.values())] if last_known else [])]


def _message(venue: TradingVenue, user: SimUser, topic: str, number: int, group: Group) -> str:
    now_ms = venue.clock.now_ms()
    message = {
        "id": f"{user.uid}_{now_ms}_{number}",
        "topic": topic,
        "creationTime": now_ms,
        "data": _rows(venue, user, group),
    }
    return json.dumps(message, separators=(",", ":"))


def _rows(venue: TradingVenue, user: SimUser, group: Group) -> list[Shape]:
    rows: list[Shape] = []
    coins: list[Shape] = []
    for event in group:
        if isinstance(event, OrderChanged):
            rows.append({"category": "spot"} | order_shape(venue, event.order))
        elif isinstance(event, FillHappened):
            rows.append({"category": "spot"} | fill_shape(venue, event.fill))
        else:
            coins.append(coin_shape(venue, event.asset, event.free + event.locked, event.locked))
    return [*rows, *([total_in_dollars(venue, user) | {"coin": coins}] if coins else [])]
