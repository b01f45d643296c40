"""Bybit's private topics: which event goes to which, and the text that tells of it.

The executions of one commit share a message. Frames of a topic have no sequence that could show a loss.
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


def list_frames(
    venue: TradingVenue, user: SimUser, topics: Iterable[str], events: list[VenueEvent]
) -> list[StreamFrame]:
    """In the order of the events; all fills come where the first of them happened."""
    topic_of = {TOLD[topic]: topic for topic in topics if topic in TOLD}
    fills = [event for event in events if isinstance(event, FillHappened)]
    frames = []
    for number, event in enumerate(events):
        topic = topic_of.get(type(event))
        if topic is None or (isinstance(event, FillHappened) and event is not fills[0]):
            continue
        rows = fills if isinstance(event, FillHappened) else [event]
        data = [_row(venue, user, row) for row in rows]
        frames.append(StreamFrame(topic, _message(venue, user, topic, number, data), event))
    return frames


def _message(venue: TradingVenue, user: SimUser, topic: str, number: int, data: list[Shape]) -> str:
    now_ms = venue.clock.now_ms()
    message = {"id": f"{user.uid}_{now_ms}_{number}", "topic": topic, "creationTime": now_ms, "data": data}
    return json.dumps(message, separators=(",", ":"))


def _row(venue: TradingVenue, user: SimUser, event: VenueEvent) -> Shape:
    if isinstance(event, OrderChanged):
        return {"category": "spot"} | order_shape(venue, event.order)
    if isinstance(event, FillHappened):
        return {"category": "spot"} | fill_shape(venue, event.fill)
    coin = coin_shape(venue, event.asset, event.free + event.locked, event.locked)
    return total_in_dollars(venue, user) | {"coin": [coin]}
