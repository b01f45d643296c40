"""What an answer of MEXC means for an order: pure functions from (HTTP status, body) to an outcome, which never raise.

Definite is only what the tables list; everything else is unknown. The order of the checks is the policy: a server error
is unknown whatever its body says; an error body that also carries an order id contradicts itself and is unknown; a
placement answer must echo what was asked. 429 means not executed only with the API's own JSON in it, because a plain
429 may come from anything in between; 418 is the venue's own word for a ban and needs no body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.domain.enums import Side
from trading.domain.errors import (
    MalformedAnswer,
    VenueError,
)
from trading.domain.outcomes import (
    CancelAccepted,
    CancelOutcome,
    CancelRefused,
    OrderNotFound,
    Placed,
    PlaceOutcome,
    QueryFailed,
    QueryOutcome,
    Refused,
    Unknown,
)

from ..complaints import (
    Complaint,
    code_of,
    found_if_asked,
    header_seconds,
    load_or_none,
    refused_cancel,
    shown_message,
    status_error,
    stay_away,
    unknown_answer,
)
from ..meanings import CodeMeaning, Does
from ..strict_json import malformed, read_decimal, read_id, read_text
from .codes import CODED_STATUSES, CODES, MESSAGES_OF_400, NOT_FOUND_CODES, SUCCESS_CODES, THROTTLE_CODES
from .constants import (
    RETRY_AFTER_418_SECONDS,
    RETRY_AFTER_429_SECONDS,
    RETRY_AFTER_MOST_SECONDS,
)
from .parse import parse_order

# A second order with the same id means that the first one got through: never a plain refusal, whatever its code.
_DUPLICATE = re.compile(r"duplicat|already exist|repeat", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlaceEcho:
    """What a placement answer has to repeat."""

    symbol: str
    side: Side
    type_word: str
    quantity: Decimal | None


def retry_after_seconds(http_status: int, header: str) -> float:
    """How long to stay away after 429 or 418: the header in seconds if it makes sense, else the documented least."""
    default = RETRY_AFTER_418_SECONDS if http_status == 418 else RETRY_AFTER_429_SECONDS
    return header_seconds(header, default, RETRY_AFTER_MOST_SECONDS)


def _find_complaint(value: Any) -> Complaint | None:
    if not isinstance(value, dict) or "orderId" in value:
        return None
    code, message = value.get("code"), value.get("msg")
    if not isinstance(code, int) or isinstance(code, bool) or code in SUCCESS_CODES:
        return None
    text = shown_message(message)
    return Complaint(code, text, _find_meaning(code, text))


def find_code(body: bytes) -> str:
    """The venue's error code for the record, or an empty text."""
    return code_of(_find_complaint(load_or_none(body)))


def _find_meaning(code: int, message: str) -> CodeMeaning | None:
    if code != 400:
        return CODES.get(code)
    return next((meaning for text, meaning in MESSAGES_OF_400 if text in message), None)


def _definite(http_status: int, value: Any) -> tuple[Complaint, CodeMeaning] | None:
    """The complaint and its meaning where both status and code are listed and neither speaks of doubt."""
    complaint = _find_complaint(value)
    if complaint is None or http_status not in CODED_STATUSES:
        return None
    meaning = complaint.meaning
    if http_status == 429 and meaning is None:
        meaning = CODES[429]
    return None if meaning is None or meaning.does is Does.DOUBT else (complaint, meaning)


def _is_ban(http_status: int, value: Any) -> bool:
    return http_status == 418 and not (isinstance(value, dict) and "orderId" in value)


def _unknown(http_status: int, value: Any) -> Unknown:
    return unknown_answer(http_status, value, _find_complaint(value))


def classify_place(
    http_status: int, body: bytes, echo: PlaceEcho, retry_after: str = "", *, is_test: bool = False
) -> PlaceOutcome:
    """`is_test` for order/test, whose success is an empty object."""
    value = load_or_none(body)
    if _is_ban(http_status, value):
        pause = retry_after_seconds(418, retry_after)
        return Refused("418", "address banned", reached_matching=False, retry_after_seconds=pause)
    definite = _definite(http_status, value)
    if definite is not None:
        return _refusal(http_status, *definite, retry_after)
    if http_status != 200:
        return _unknown(http_status, value)
    if is_test:
        return Placed("") if value == {} or _is_success(value) else _unknown(http_status, value)
    return _placed(value, echo)


def _refusal(http_status: int, complaint: Complaint, meaning: CodeMeaning, retry_after: str) -> PlaceOutcome:
    if meaning.does is Does.NO_SUCH_ORDER or _DUPLICATE.search(complaint.message):
        return Unknown(f"code {complaint.code} ({complaint.message}) is no answer to a new order")
    is_throttle = http_status == 429 or str(complaint.code) in THROTTLE_CODES
    return Refused(
        venue_code=str(complaint.code),
        message=complaint.message or meaning.meaning,
        reached_matching=meaning.does is Does.REJECT and not is_throttle,
        retry_after_seconds=retry_after_seconds(429, retry_after) if is_throttle else None,
    )


def _placed(value: Any, echo: PlaceEcho) -> PlaceOutcome:
    if not isinstance(value, dict) or "orderId" not in value:
        return _unknown(200, value)
    try:
        _check_echo(value, echo)
        return Placed(read_id(value, "orderId"))
    except MalformedAnswer as error:
        return Unknown(f"The acknowledgement cannot be trusted: {error.message}")


def _check_echo(row: Mapping[str, Any], echo: PlaceEcho) -> None:
    """Raise MalformedAnswer unless the answer is about the order that was sent; absent fields do not count."""
    code = row.get(
        "code", 0
    )  # what stands there may be anything, also something that cannot be looked up in a set
    if not isinstance(code, int) or code not in SUCCESS_CODES:
        raise malformed("code", "absent or a success code beside an order id", row["code"])
    if read_text(row, "symbol") != echo.symbol:
        raise malformed("symbol", echo.symbol, row["symbol"])
    for field, expected in (("side", echo.side.value), ("type", echo.type_word)):
        if row.get(field) is not None and row[field] != expected:
            raise malformed(field, expected, row[field])
    quantity = echo.quantity
    if row.get("origQty") is not None and quantity is not None and read_decimal(row, "origQty") != quantity:
        raise malformed("origQty", str(quantity), row["origQty"])


def _is_success(value: Any) -> bool:
    """`{"code": 0 | 200, …}`: both mean success at MEXC."""
    code = value.get("code") if isinstance(value, dict) else None
    return isinstance(code, int) and not isinstance(code, bool) and code in SUCCESS_CODES


def classify_cancel(http_status: int, body: bytes) -> CancelOutcome:
    """For one order, a symbol and the account. Accepted says nothing about the order's end, not even by `status`."""
    value = load_or_none(body)
    if _is_ban(http_status, value):
        return CancelRefused("418", "address banned")
    definite = _definite(http_status, value)
    if definite is not None:
        return refused_cancel(*definite)
    if http_status == 200 and (_is_success(value) or _names_orders(value)):
        return CancelAccepted()
    return _unknown(http_status, value)


def _names_orders(value: Any) -> bool:
    """One canceled order or a list of them. An item with a code of its own is no proof for the whole."""
    rows = value if isinstance(value, list) else [value]
    return all(isinstance(row, dict) and "orderId" in row and "code" not in row for row in rows)


def classify_query(
    http_status: int, body: bytes, symbol: str, client_order_id: str = "", exchange_order_id: str = ""
) -> QueryOutcome:
    """Found only if it is the order that was asked for; not found only by the codes that say so."""
    value = load_or_none(body)
    complaint = _find_complaint(value)
    if complaint is not None:
        if http_status in (200, 400) and str(complaint.code) in NOT_FOUND_CODES:
            return OrderNotFound(str(complaint.code))
        return QueryFailed(f"HTTP {http_status}, code {complaint.code} ({complaint.message})")
    if http_status != 200 or not isinstance(value, dict):
        return QueryFailed(_unknown(http_status, value).reason)
    try:
        report = parse_order(value)
    except MalformedAnswer as error:
        return QueryFailed(error.message)
    return found_if_asked(report, symbol, client_order_id, exchange_order_id)


def find_read_error(http_status: int, body: bytes, retry_after: str) -> VenueError | None:
    """The error of a read, or None if its body may be parsed. Envelopes with a success code pass."""
    if http_status in (418, 429):
        return stay_away(http_status, retry_after_seconds(http_status, retry_after))
    complaint = _find_complaint(load_or_none(body))
    is_throttle = code_of(complaint) in THROTTLE_CODES
    return status_error(
        http_status, complaint, retry_after_seconds(429, retry_after) if is_throttle else None
    )
