"""From an alert as chart programs write it to the body of a signal: pure, and strict where a guess would cost money.

Other programs add fields of their own, so that unknown ones are left out. What a known field means is never guessed: a
word for a side that could mean two things, and two names of one field that disagree, are refused with the remedy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.domain.chain import canonical_bytes
from trading.domain.errors import InvalidInput
from trading.domain.money import plain

# What we call it -> what senders call it, ours first. `price` is the price of the chart, never a limit.
NAMES: dict[str, tuple[str, ...]] = {
    "symbol": ("symbol", "ticker"),
    "side": ("side", "action"),
    "quantity": ("quantity", "contracts", "qty"),
    "quote_quantity": ("quote_quantity",),
    "order_type": ("order_type",),
    "price": ("limit_price",),
    "time_in_force": ("time_in_force",),
    "reduce_only": ("reduce_only",),
    "last_price": ("last_price", "price", "close"),
    "sent_at": ("sent_at", "time", "timenow"),
}
_IDS = ("id", "alert_id", "order_id", "source_id")
_SIDES = {"buy": "BUY", "long": "BUY", "sell": "SELL"}
_WORDS = {"true": True, "false": False}
# Seconds since 1970 have ten digits until 2286; more digits are milliseconds.
_SECONDS_BELOW = 10_000_000_000


@dataclass(frozen=True, slots=True)
class ParsedAlert:
    """`body` as a client of the API would write it; `key` tells a repeat from another alert."""

    body: dict[str, Any]
    key: str


def parse_alert(payload: Mapping[str, Any], *, quantity: Decimal | None = None) -> ParsedAlert:
    """`quantity`: of an alert that names none. Raises InvalidInput."""
    body: dict[str, Any] = {}
    for field, names in NAMES.items():
        value = _find_one(payload, names)
        if value is not None:
            body[field] = value
    body["symbol"] = _read_symbol(body.get("symbol"))
    body["side"] = _read_side(body.get("side"))
    if "reduce_only" in body:
        body["reduce_only"] = _read_flag(body["reduce_only"])
    if "sent_at" in body:
        body["sent_at"] = _read_time(body["sent_at"])
    if "quantity" not in body and "quote_quantity" not in body and quantity is not None:
        body["quantity"] = plain(quantity)
    return ParsedAlert(body, _key_of(payload, has_time="sent_at" in body))


def _find_one(payload: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The value under whichever of these names; None for none. An empty placeholder is none."""
    found = {name: payload[name] for name in names if payload.get(name) not in (None, "")}
    if len({str(value) for value in found.values()}) > 1:
        raise InvalidInput(
            f"{' and '.join(found)} disagree.", remedy=f"Send only {names[0]}.", field=names[0]
        )
    return next(iter(found.values()), None)


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{field} must be text.", remedy="Write it in quotes.", field=field)
    return value.strip()


def _read_symbol(value: Any) -> str:
    """BTC/USDT, BTCUSDT or MEXC:BTCUSDT. A perpetual is another instrument than the spot pair of its name."""
    if value is None:
        raise InvalidInput(
            "symbol is missing.", remedy='Add "symbol": "{{ticker}}" to the alert.', field="symbol"
        )
    symbol = _text(value, "symbol").rpartition(":")[2].upper()
    if symbol.endswith((".P", "PERP")) or "." in symbol or "!" in symbol:
        raise InvalidInput(
            f"{symbol!r} is a future, not a spot pair.",
            remedy="Make the alert on the chart of the spot pair, such as MEXC:BTCUSDT.",
            field="symbol",
        )
    return symbol


def _read_side(value: Any) -> str:
    word = "" if value is None else _text(value, "side").lower()
    if word not in _SIDES:
        raise InvalidInput(
            f"side {word!r} is not clear." if word else "side is missing.",
            remedy='Send "side": "buy" or "sell"; to close, send the opposite side with "reduce_only": true.',
            field="side",
        )
    return _SIDES[word]


def _read_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _WORDS:
        raise InvalidInput(
            "reduce_only must be true or false.", remedy="Send true, or leave it out.", field="reduce_only"
        )
    return _WORDS[word]


def _read_time(value: Any) -> str:
    """ISO 8601 as it came, or seconds or milliseconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _no_time(str(value))
    text = str(value).strip()
    if not text.isdecimal():
        return text  # judged where every request's time is
    number = int(text[:18])
    try:
        return datetime.fromtimestamp(number if number < _SECONDS_BELOW else number / 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        raise _no_time(text) from None


def _no_time(text: str) -> InvalidInput:
    return InvalidInput(
        f"sent_at is not a time: {text[:40]!r}.",
        remedy='Send "sent_at": "{{timenow}}", or milliseconds since 1970.',
        field="sent_at",
    )


def _key_of(payload: Mapping[str, Any], *, has_time: bool) -> str:
    """The alert's own id; else what the whole of it says, which must then tell when it was."""
    given = _find_one(payload, _IDS)
    if given is not None:
        return f"id {given}"  # one that is too long is refused where every key is
    if not has_time:
        raise InvalidInput(
            "Nothing tells this alert from the same one a minute later.",
            remedy='Add "id": "{{timenow}} {{ticker}}" or "sent_at": "{{timenow}}" to the alert.',
            code="idempotency_key_missing",
            field="id",
        )
    return "content " + hashlib.sha256(canonical_bytes(dict(payload))).hexdigest()
