"""The texts of Binance's private stream: what we say, and what a text of the venue means. Pure.

Strict where a mistake would send somebody to the wrong order, lenient where it only makes a question less precise. An
event nobody here knows is a sign of life; an unknown status is an order to look at; all else that does not fit raises
MalformedAnswer, which ends the connection: nobody knows what else it got wrong. Prices and quantities of an order are
not taken over, nor is the id of a fill: they are no evidence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trading.domain.enums import OrderStatus

from ..query_string import sign
from ..streams import StreamEvent, StreamEventKind
from ..strict_json import (
    JsonObject,
    as_list,
    as_object,
    find_quantity,
    find_text,
    load_json,
    malformed,
    read_int,
    read_text,
    read_time,
)
from ..text_stream import Heard
from .constants import STATUS_WORDS
from .parse import join_id, read_number

SUBSCRIBED = "userDataStream"
_METHOD, _PING = "userDataStream.subscribe.signature", "ping"
_WINDOW_MS = 5000
_SHOWN = 200
PING = json.dumps({"id": _PING, "method": _PING})
_FILLED = "TRADE"
_ENDS: Mapping[str, str] = {
    "eventStreamTerminated": "the subscription was ended",
    "serverShutdown": "this server shuts down",
}


def subscribe_text(key: str, secret: str, venue_time_ms: int) -> str:
    parameters: dict[str, str | int] = {"apiKey": key, "recvWindow": _WINDOW_MS, "timestamp": venue_time_ms}
    signed = parameters | {"signature": sign(secret, signed_text(parameters))}
    return json.dumps({"id": SUBSCRIBED, "method": _METHOD, "params": signed})


def signed_text(parameters: Mapping[str, object]) -> str:
    """In the order of the alphabet and, other than a query string, not encoded."""
    return "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))


def understand(text: str) -> Heard:
    """Raises MalformedAnswer. `trouble` may hold anything, also a secret: redact it."""
    message = as_object(_load(text), "message")
    if "event" not in message:
        return _answer(message, text)
    event = as_object(message["event"], "event")
    word = read_text(event, "e")
    if word in _ENDS:
        return Heard(trouble=_ENDS[word])
    parse = _PARSERS.get(word)
    return Heard() if parse is None else Heard(tuple(parse(event)))


def find_status(text: str) -> int:
    """The HTTP status that an answer would have had; zero where it does not say."""
    status = as_object(_load(text), "message").get("status")
    return status if isinstance(status, int) else 0


def _load(text: str) -> Any:
    # A lone half of a surrogate is no text: it is refused where the rest is refused.
    return load_json(text.encode("utf-8", "surrogatepass"))


def _answer(message: JsonObject, text: str) -> Heard:
    """To something we said. A subscription counts only with its number."""
    number, is_good = message.get("id"), message.get("status") == 200
    if is_good and number == _PING:
        return Heard()
    if is_good and number == SUBSCRIBED:
        read_int(as_object(message.get("result"), "result"), "subscriptionId")
        return Heard(granted=SUBSCRIBED)
    return Heard(trouble=" ".join(text[: 10 * _SHOWN].split())[:_SHOWN])


# -- events --------------------------------------------------------------------------------------------------------
def _parse_report(event: JsonObject) -> list[StreamEvent]:
    """One report tells of an order and, if it was one, of the fill that changed it."""
    symbol = _word(event, "s")
    status = STATUS_WORDS.get(read_text(event, "X"))
    order = StreamEvent(
        StreamEventKind.ORDER,
        symbol=symbol,
        # On a cancel `c` is the cancel's own name and `C` the order's.
        client_order_id=_find_word(event, "C") or _find_word(event, "c"),
        exchange_order_id=join_id(symbol, read_number(event, "i")),
        filled_quantity=find_quantity(event, "z"),
        status=None if status is None else OrderStatus(status.value),
        at_ms=_time(event, "T"),
    )
    if read_text(event, "x") != _FILLED:
        return [order]
    return [order, replace(order, kind=StreamEventKind.FILL, filled_quantity=None, status=None)]


def _parse_position(event: JsonObject) -> list[StreamEvent]:
    rows = [as_object(row, "balance") for row in as_list(event.get("B"), "B")]
    at_ms = _time(event, "u")
    return [StreamEvent(StreamEventKind.BALANCE, asset=_word(row, "a"), at_ms=at_ms) for row in rows]


def _parse_change(event: JsonObject) -> list[StreamEvent]:
    return [StreamEvent(StreamEventKind.BALANCE, asset=_word(event, "a"), at_ms=_time(event, "T"))]


_PARSERS: Mapping[str, Callable[[JsonObject], list[StreamEvent]]] = {
    "executionReport": _parse_report,
    "outboundAccountPosition": _parse_position,
    "balanceUpdate": _parse_change,
    "externalLockUpdate": _parse_change,
}


def _word(row: JsonObject, field: str) -> str:
    """What cannot be printed belongs into no id and no row."""
    word = read_text(row, field)
    if not word.isprintable() or " " in word:
        raise malformed(field, "a word that can be printed", None)
    return word


def _find_word(row: JsonObject, field: str) -> str:
    return _word(row, field) if find_text(row, field) else ""


def _time(row: JsonObject, field: str) -> int:
    """Milliseconds. Refuses zeros, seconds and microseconds."""
    read_time(row, field)
    return read_int(row, field)
