"""What a binary frame of MEXC's stream rings for: pure functions from bytes to a StreamEvent.

Strict where a mistake would send somebody to the wrong order, lenient where it only makes a question less precise. A
frame of a channel nobody subscribed to is None; an unknown status is an order to look at; all else that does not fit
raises MalformedAnswer, which ends the connection: nobody knows what else it got wrong.

Fields are optional on the wire and absent at their zero value. An order's price, quantity and status are not taken
over: they are no evidence. The fill's id is not even read, because nobody knows whether REST names the fill the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from trading.domain.enums import OrderStatus

from ..streams import StreamEvent, StreamEventKind
from ..strict_json import find_quantity, find_text, malformed, read_text, read_time
from .frames import decode_frame

ORDERS_CHANNEL = "spot@private.orders.v3.api.pb"
DEALS_CHANNEL = "spot@private.deals.v3.api.pb"
ACCOUNT_CHANNEL = "spot@private.account.v3.api.pb"
CHANNELS = (ORDERS_CHANNEL, DEALS_CHANNEL, ACCOUNT_CHANNEL)

# 5 is PARTIALLY_CANCELED: at its end, with fills.
STATUS_NUMBERS: Mapping[int, OrderStatus] = {
    1: OrderStatus.OPEN,
    2: OrderStatus.FILLED,
    3: OrderStatus.PARTIALLY_FILLED,
    4: OrderStatus.CANCELED,
    5: OrderStatus.CANCELED,
}


def parse_frame(data: bytes) -> StreamEvent | None:
    """None for a frame of a channel that is none of ours. Raises MalformedAnswer."""
    frame = decode_frame(data)
    channel = frame.channel
    if not channel:
        raise malformed("channel", "the name of a channel", channel)
    if channel not in _PARSERS:
        return None
    body, parse = _PARSERS[channel]
    found = frame.WhichOneof("body")
    if found != body:
        raise malformed("body", f"{body} in this channel", found)
    return parse(frame, getattr(frame, body))


def _parse_order(frame: Any, order: Any) -> StreamEvent:
    symbol, exchange_order_id, client_order_id = _names(frame, order.id, order.clientId)
    return StreamEvent(
        StreamEventKind.ORDER,
        symbol=symbol,
        client_order_id=client_order_id,
        exchange_order_id=exchange_order_id,
        filled_quantity=_filled(order),
        status=STATUS_NUMBERS.get(order.status),
        at_ms=_time(frame.createTime or frame.sendTime),
    )


def _parse_deal(frame: Any, deal: Any) -> StreamEvent:
    symbol, exchange_order_id, client_order_id = _names(frame, deal.orderId, deal.clientOrderId)
    return StreamEvent(
        StreamEventKind.FILL,
        symbol=symbol,
        client_order_id=client_order_id,
        exchange_order_id=exchange_order_id,
        at_ms=_time(deal.time or frame.createTime or frame.sendTime),
    )


def _parse_account(frame: Any, account: Any) -> StreamEvent:
    asset = _word({"vcoinName": account.vcoinName}, "vcoinName", required=True)
    at_ms = _time(account.time or frame.createTime or frame.sendTime)
    return StreamEvent(StreamEventKind.BALANCE, asset=asset, at_ms=at_ms)


_PARSERS: Mapping[str, tuple[str, Callable[[Any, Any], StreamEvent]]] = {
    ORDERS_CHANNEL: ("privateOrders", _parse_order),
    DEALS_CHANNEL: ("privateDeals", _parse_deal),
    ACCOUNT_CHANNEL: ("privateAccount", _parse_account),
}


def _names(frame: Any, exchange_order_id: str, client_order_id: str) -> tuple[str, str, str]:
    """Symbol and ids of the order. One of the two ids has to be there, or nobody knows whom it rings for."""
    row = {"symbol": frame.symbol, "id": exchange_order_id, "clientId": client_order_id}
    if not exchange_order_id and not client_order_id:
        raise malformed("id", "an order's id", "")
    return _word(row, "symbol"), _word(row, "id"), _word(row, "clientId")


def _word(row: Mapping[str, str], field: str, *, required: bool = False) -> str:
    """Assets may be named in any script; what cannot be printed belongs into no id and no row."""
    word = read_text(row, field) if required else find_text(row, field)
    if word and (not word.isprintable() or " " in word):
        raise malformed(field, "a word that can be printed", None)
    return word


def _filled(order: Any) -> Decimal | None:
    return find_quantity({"cumulativeQuantity": order.cumulativeQuantity}, "cumulativeQuantity")


def _time(stamp: int) -> int:
    """Milliseconds; 0 where the venue did not say. Refuses seconds and microseconds."""
    if stamp:
        read_time({"time": stamp}, "time")
    return stamp
