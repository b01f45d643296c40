"""From an alert's text to the body of a signal: pure, and stricter than the senders are.

Numbers are kept as they were written; a sender's field that is known but cannot be used is a mistake, one that is not
known is ignored. Never turns a side round, never makes a quantity larger, and never keeps the secret in what it
returns. Knows no database, no clock and no webhook.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trading.domain.chain import canonical_bytes
from trading.domain.enums import Side
from trading.domain.errors import InvalidInput

from .request_parsing import MAX_KEY

EXAMPLE = (
    '{"secret": "…", "id": "{{timenow}}-{{ticker}}", "ticker": "BTCUSDT", "action": "buy", "qty": "0.01"}'
)
# Our field -> the names senders use for it, the best one first.
NAMES: dict[str, tuple[str, ...]] = {
    "secret": ("secret",),
    "symbol": ("symbol", "ticker"),
    "side": ("action", "side"),
    "quantity": ("quantity", "contracts", "qty", "size"),
    "quote_quantity": ("quote_quantity",),
    "last_price": ("last_price", "price", "close"),
    "price": ("limit_price",),
    "order_type": ("order_type",),
    "reduce_only": ("reduce_only",),
    # `time` comes last: there senders put the opening of the bar, not the moment of the alert.
    "sent_at": ("sent_at", "timenow", "time"),
    "source_id": ("id", "alert_id", "order_id", "source_id"),
}
# Two names that disagree here would make another order; elsewhere the best name simply wins.
_MUST_AGREE = frozenset({"symbol", "side", "quantity", "quote_quantity", "price"})
_SIDES = {"buy": Side.BUY, "long": Side.BUY, "sell": Side.SELL, "short": Side.SELL}
_CLOSING = frozenset({"flat", "close", "exit"})
_FLAGS = {"true": True, "false": False}
_EPOCH = re.compile(r"\d{10}(\d{3})?(\.\d+)?", re.ASCII)
_SECONDS_DIGITS = 10


@dataclass(frozen=True, slots=True)
class MappedAlert:
    """`body` is what `intake.submit` takes; `key` tells this alert from every other of the same sender."""

    body: dict[str, Any]
    key: str


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidInput("The alert names a field twice.", remedy="Name every field once.")
    return found


def read_alert(text: bytes) -> dict[str, Any]:
    """The alert as an object. Numbers become the text that was written, so that none goes through a float."""
    try:
        alert = json.loads(text.decode(), parse_float=str, parse_int=str, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        # Without its cause: that would carry the text, and with it the secret.
        raise InvalidInput("The alert is not JSON.", remedy=f"Send a message such as {EXAMPLE}") from None
    if not isinstance(alert, dict):
        raise InvalidInput("The alert is not a JSON object.", remedy=f"Send a message such as {EXAMPLE}")
    return alert


def take_secret(alert: Mapping[str, Any], fields: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The secret, empty where none was sent, and the alert without it."""
    name = fields.get("secret", NAMES["secret"][0])
    secret = alert.get(name)
    rest = {key: value for key, value in alert.items() if key != name}
    return (secret if isinstance(secret, str) else ""), rest


def _value(alert: Mapping[str, Any], fields: Mapping[str, str], field: str) -> Any:
    names = (fields[field],) if field in fields else NAMES[field]
    found = {name: alert[name] for name in names if alert.get(name) not in (None, "")}
    if field in _MUST_AGREE and len({str(value).strip().lower() for value in found.values()}) > 1:
        raise InvalidInput(
            f"{' and '.join(found)} disagree.", remedy=f"Send one of them as the {field}.", field=field
        )
    value = next(iter(found.values()), None)
    if value is not None and not isinstance(value, str | bool):
        raise InvalidInput(f"{field} must be text or a number.", field=field)
    return value


def read_symbol(written: Any, known: Iterable[str]) -> str:
    """BASE/QUOTE among `known` for `MEXC:BTCUSDT`, `BTCUSDT` or `BTC/USDT`."""
    if not isinstance(written, str):
        raise InvalidInput(
            "The alert names no symbol.", remedy='Send "ticker": "{{ticker}}".', field="symbol"
        )
    ticker = written.strip().upper().rpartition(":")[2]
    if "." in ticker:
        raise InvalidInput(
            f"{written[:60]!r} is not a spot symbol.",
            remedy="A perpetual is another instrument: set the alert on the spot chart.",
            field="symbol",
        )
    fitting = [symbol for symbol in known if ticker in (symbol, symbol.replace("/", ""))]
    if len(fitting) != 1:
        raise InvalidInput(
            f"{written[:60]!r} is no symbol of this webhook.",
            remedy="Use a symbol that the account trades, such as BTC/USDT.",
            field="symbol",
        )
    return fitting[0]


def read_side(written: Any) -> Side:
    word = written.strip().lower() if isinstance(written, str) else ""
    if word in _CLOSING:
        raise InvalidInput(
            f"An alert cannot ask to {word}.",
            remedy='Send "sell" with "reduce_only": true and the quantity, or flatten in the panel.',
            field="side",
        )
    if word not in _SIDES:
        raise InvalidInput(
            "The alert's action is missing or not known.",
            remedy=f"Use one of {', '.join(_SIDES)}.",
            field="side",
        )
    return _SIDES[word]


def _flag(written: Any) -> bool:
    value = _FLAGS.get(str(written).strip().lower())
    if value is None:
        raise InvalidInput("reduce_only must be true or false.", field="reduce_only")
    return value


def read_moment(written: Any) -> str:
    """ISO 8601 as it came, or made from seconds or milliseconds since 1970."""
    text = str(written).strip()
    if not _EPOCH.fullmatch(text):
        return text
    whole = text.partition(".")[0]
    seconds, thousandths = int(whole[:_SECONDS_DIGITS]), int(whole[_SECONDS_DIGITS:] or 0)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=thousandths * 1000).isoformat()


def _key(alert: Mapping[str, Any], named: Any, sent_at: Any) -> str:
    if named is not None:
        key = str(named).strip()
        if not key or len(key) > MAX_KEY or not key.isprintable():
            raise InvalidInput(f"The id must be 1 to {MAX_KEY} printable characters.", field="source_id")
        return key
    if sent_at is None:
        raise InvalidInput(
            "Without an id or a time, two equal alerts could not be told apart.",
            remedy='Add "id": "{{timenow}}-{{ticker}}" to the message.',
            field="source_id",
        )
    return f"body-{hashlib.sha256(canonical_bytes(dict(alert))).hexdigest()}"


def map_alert(
    alert: Mapping[str, Any],
    *,
    fields: Mapping[str, str],
    symbols: Iterable[str],
    defaults: Mapping[str, str],
) -> MappedAlert:
    """The signal that an alert without its secret asks for. `defaults` holds a quantity for alerts that name none."""
    found = {field: _value(alert, fields, field) for field in NAMES if field != "secret"}
    key = _key(alert, found.pop("source_id"), found["sent_at"])
    if found["quantity"] is None and found["quote_quantity"] is None:
        found |= defaults
    found["symbol"] = read_symbol(found["symbol"], symbols)
    found["side"] = read_side(found["side"]).value
    for field, read in (("reduce_only", _flag), ("sent_at", read_moment)):
        if found[field] is not None:
            found[field] = read(found[field])
    return MappedAlert({field: value for field, value in found.items() if value is not None}, key)
