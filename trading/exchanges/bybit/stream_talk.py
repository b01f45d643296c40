"""The texts of Bybit's private stream: what we say, and what a text of the venue means. Pure.

Strict where a mistake would send somebody to the wrong order, lenient where it only makes a question less precise. A
text of a topic nobody subscribed to is a sign of life; an unknown status is an order to look at; all else that does not
fit raises MalformedAnswer, which ends the connection: nobody knows what else it got wrong. Prices and quantities of an
order are not taken over: they are no evidence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from trading.domain.enums import OrderStatus

from ..streams import StreamEvent, StreamEventKind
from ..strict_json import (
    JsonObject,
    as_list,
    as_object,
    find_quantity,
    find_text,
    load_json,
    malformed,
    read_text,
    read_time,
)
from ..text_stream import Heard
from .constants import STATUS_WORDS
from .signing import stream_signature

ORDERS_TOPIC, FILLS_TOPIC, WALLET_TOPIC = "order.spot", "execution.spot", "wallet"
TOPICS = (ORDERS_TOPIC, FILLS_TOPIC, WALLET_TOPIC)
AUTH, SUBSCRIBE = "auth", "subscribe"
PING = json.dumps({"op": "ping"})
_SHOWN = 200


def auth_text(key: str, secret: str, expires_ms: int) -> str:
    return json.dumps({"op": AUTH, "args": [key, expires_ms, stream_signature(secret, expires_ms)]})


def subscribe_text() -> str:
    return json.dumps({"op": SUBSCRIBE, "args": list(TOPICS)})


def understand(text: str) -> Heard:
    """Raises MalformedAnswer. `trouble` may hold anything, also a secret: redact it."""
    message = as_object(_load(text), "message")
    topic = message.get("topic")
    if topic is None:
        return _answer(message, text)
    if topic not in _PARSERS:
        return Heard()
    rows = [as_object(row, "data") for row in as_list(message.get("data"), "data")]
    at_ms = _find_time(message, "creationTime")
    return Heard(tuple(event for row in rows for event in _PARSERS[topic](row, at_ms)))


def _load(text: str) -> Any:
    # A lone half of a surrogate is no text: it is refused where the rest is refused.
    return load_json(text.encode("utf-8", "surrogatepass"))


def _answer(message: JsonObject, text: str) -> Heard:
    """To something we said. A pong has two forms, of which one has no word of success."""
    op = message.get("op")
    if op == "pong" or (op == "ping" and message.get("success") is True):
        return Heard()
    if op in (AUTH, SUBSCRIBE) and message.get("success") is True:
        return Heard(granted=str(op))
    return Heard(trouble=" ".join(text[: 10 * _SHOWN].split())[:_SHOWN])


# -- topics ------------------------------------------------------------------------------------------------------------
def _parse_order(row: JsonObject, at_ms: int) -> list[StreamEvent]:
    symbol, exchange_order_id, client_order_id = _names(row)
    word = STATUS_WORDS.get(find_text(row, "orderStatus"))
    return [
        StreamEvent(
            StreamEventKind.ORDER,
            symbol=symbol,
            client_order_id=client_order_id,
            exchange_order_id=exchange_order_id,
            filled_quantity=find_quantity(row, "cumExecQty"),
            status=None if word is None else OrderStatus(word.value),
            at_ms=_find_time(row, "updatedTime") or at_ms,
        )
    ]


def _parse_fill(row: JsonObject, at_ms: int) -> list[StreamEvent]:
    symbol, exchange_order_id, client_order_id = _names(row)
    return [
        StreamEvent(
            StreamEventKind.FILL,
            symbol=symbol,
            client_order_id=client_order_id,
            exchange_order_id=exchange_order_id,
            at_ms=_find_time(row, "execTime") or at_ms,
        )
    ]


def _parse_wallet(row: JsonObject, at_ms: int) -> list[StreamEvent]:
    coins = [as_object(coin, "coin") for coin in as_list(row.get("coin"), "coin")]
    return [
        StreamEvent(StreamEventKind.BALANCE, asset=_word(coin, "coin", required=True), at_ms=at_ms)
        for coin in coins
    ]


_PARSERS: Mapping[str, Callable[[JsonObject, int], list[StreamEvent]]] = {
    ORDERS_TOPIC: _parse_order,
    FILLS_TOPIC: _parse_fill,
    WALLET_TOPIC: _parse_wallet,
}


def _names(row: JsonObject) -> tuple[str, str, str]:
    """Symbol and ids of the order. One of the two ids has to be there, or nobody knows whom it rings for."""
    exchange_order_id, client_order_id = _word(row, "orderId"), _word(row, "orderLinkId")
    if not exchange_order_id and not client_order_id:
        raise malformed("orderId", "an order's id", "")
    return _word(row, "symbol"), exchange_order_id, client_order_id


def _word(row: JsonObject, field: str, *, required: bool = False) -> str:
    """What cannot be printed belongs into no id and no row."""
    word = read_text(row, field) if required else find_text(row, field)
    if word and (not word.isprintable() or " " in word):
        raise malformed(field, "a word that can be printed", None)
    return word


def _find_time(row: JsonObject, field: str) -> int:
    """Milliseconds; 0 where the venue did not say. Refuses seconds and microseconds."""
    if row.get(field) in (None, ""):
        return 0
    at = read_time(row, field)
    return round(at.timestamp() * 1000)
