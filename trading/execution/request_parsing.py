"""From the body of a request to a validated OrderRequest: pure, and the only place that reads client input.

Every mistake is an InvalidInput that names the field and the remedy. Unknown keys are mistakes too: a misspelt `price`
must not become a market order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from django.core.exceptions import ValidationError

from trading.domain.enums import OrderType, Side, TimeInForce
from trading.domain.errors import InvalidInput
from trading.domain.money import positive
from trading.domain.order_request import OrderRequest
from trading.models.accounts import name_validator

FIELDS = (
    "source_id",
    "symbol",
    "side",
    "quantity",
    "quote_quantity",
    "order_type",
    "price",
    "time_in_force",
    "reduce_only",
    "last_price",
    "account",
    "strategy",
    "sent_at",
)
MAX_KEY = 200
MAX_NAME = 60
_AHEAD = timedelta(seconds=5)
_OLDEST = timedelta(minutes=5)
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """`account` and `strategy` are names, empty where none was given."""

    order: OrderRequest
    account: str
    strategy: str
    source_id: str
    sent_at: datetime | None = None


def read_text(body: Mapping[str, Any], field: str, *, longest: int = MAX_NAME) -> str:
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput(f"{field} must be text, not a {type(value).__name__}.", field=field)
    text = value.strip()
    if len(text) > longest or not text.isprintable():
        raise InvalidInput(f"{field} must be at most {longest} printable characters.", field=field)
    return text


def read_word(
    body: Mapping[str, Any], field: str, vocabulary: type[Word], default: Word | None = None
) -> Word:
    text = read_text(body, field).upper()
    if not text and default is not None:
        return default
    if text not in {member.value for member in vocabulary}:
        allowed = ", ".join(member.value for member in vocabulary)
        said = f"{field} {text!r} is not known." if text else f"{field} is missing."
        raise InvalidInput(said, remedy=f"Use one of {allowed}.", field=field)
    return vocabulary(text)


def read_number(body: Mapping[str, Any], field: str) -> Decimal | None:
    value = body.get(field)
    return None if value is None or value == "" else positive(value, field=field)


def read_flag(body: Mapping[str, Any], field: str) -> bool:
    value = body.get(field, False)
    if not isinstance(value, bool):
        raise InvalidInput(f"{field} must be true or false.", field=field)
    return value


def _strategy(body: Mapping[str, Any]) -> str:
    name = read_text(body, "strategy").lower()
    try:
        if name:
            name_validator(name)
    except ValidationError as error:
        raise InvalidInput(
            f"{name!r} is no name for a strategy.", remedy=str(error.message), field="strategy"
        ) from None
    return name


def read_time(body: Mapping[str, Any], field: str) -> datetime | None:
    text = read_text(body, field)
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{field} is not a time: {text!r}.", remedy="Use ISO 8601 in UTC.", field=field
        ) from None
    if time.tzinfo is None:
        raise InvalidInput(
            f"{field} has no time zone.", remedy="Use ISO 8601 in UTC, ending in Z.", field=field
        )
    return time


def check_age(parsed: ParsedRequest, now: datetime) -> None:
    """Refuse a signal from the future and a stale one. Not asked of a repeat: its answer stands."""
    sent_at = parsed.sent_at
    if sent_at is not None and sent_at > now + _AHEAD:
        raise InvalidInput(
            "sent_at is in the future.", remedy="Synchronise the sender's clock.", field="sent_at"
        )
    if sent_at is not None and sent_at < now - _OLDEST:
        raise InvalidInput("sent_at is too long ago.", remedy="Send a new signal.", field="sent_at")


def refuse_unknown(body: Mapping[str, Any], fields: Sequence[str]) -> None:
    """A misspelt field must not be taken for one that was left out."""
    unknown = sorted(str(key) for key in body if key not in fields)
    if unknown:
        raise InvalidInput(
            f"Unknown field {unknown[0][:60]!r}.",
            remedy=f"Known fields: {', '.join(fields)}.",
            field=unknown[0][:60],
        )


def parse_request(body: Mapping[str, Any]) -> ParsedRequest:
    """Raises InvalidInput for anything that is not exactly one well-formed request."""
    if not isinstance(body, Mapping):
        raise InvalidInput("The body must be a JSON object.", field="body")
    refuse_unknown(body, FIELDS)
    symbol = read_text(body, "symbol").upper()
    if not symbol:
        raise InvalidInput(
            "symbol is missing.", remedy="Give it as BASE/QUOTE, such as BTC/USDT.", field="symbol"
        )
    price = read_number(body, "price")
    default_type = OrderType.MARKET if price is None else OrderType.LIMIT
    order = OrderRequest(
        symbol=symbol,
        side=read_word(body, "side", Side),
        order_type=read_word(body, "order_type", OrderType, default_type),
        quantity=read_number(body, "quantity"),
        quote_quantity=read_number(body, "quote_quantity"),
        price=price,
        time_in_force=read_word(body, "time_in_force", TimeInForce, TimeInForce.GTC),
        reduce_only=read_flag(body, "reduce_only"),
        last_price=read_number(body, "last_price"),
    )
    return ParsedRequest(
        order,
        read_text(body, "account"),
        _strategy(body),
        read_text(body, "source_id", longest=MAX_KEY),
        read_time(body, "sent_at"),
    )
