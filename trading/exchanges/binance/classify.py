"""What an answer of Binance means for an order: pure functions from (HTTP status, body) to an outcome. None raises.

Definite is only what the tables list; everything else is unknown. The order of the checks is the policy: a server error
is unknown whatever its body says; an error body that also carries an order id contradicts itself and is unknown; a
placement answer must echo what was asked. 429 means not executed only with the API's own code in it, because a plain
429 may come from anything in between; 418 is the venue's own word for a ban and needs no body.
"""

from __future__ import annotations

import re
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
    OrderReport,
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
from ..strict_json import JsonObject, malformed, read_decimal, read_text
from .codes import CODED_STATUSES, CODES, ENGINE_CODE, MESSAGES, NOT_FOUND_CODES, ORDERS_CODE, THROTTLE_CODES
from .constants import (
    RETRY_AFTER_418_SECONDS,
    RETRY_AFTER_429_SECONDS,
    RETRY_AFTER_MOST_SECONDS,
    RETRY_AFTER_ORDERS_SECONDS,
)
from .parse import name_order, parse_order

# A second order with the same id means that the first one got through: never a plain refusal, whatever its code.
_DUPLICATE = re.compile(r"duplicate order|already exist", re.IGNORECASE)
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class BinanceEcho:
    """What a placement answer has to repeat. `quantity` is None where a MARKET order names a quote quantity."""

    symbol: str
    client_order_id: str
    side: Side
    type_word: str
    quantity: Decimal | None


def retry_after_seconds(http_status: int, header: str, code: str = "") -> float:
    """How long to stay away after 429 or 418: the header in seconds if it makes sense, else the documented least."""
    if http_status == 418:
        default = RETRY_AFTER_418_SECONDS
    else:
        default = RETRY_AFTER_ORDERS_SECONDS if code == ORDERS_CODE else RETRY_AFTER_429_SECONDS
    return header_seconds(header, default, RETRY_AFTER_MOST_SECONDS)


def _find_complaint(value: Any) -> Complaint | None:
    if not isinstance(value, dict) or "orderId" in value:
        return None
    code, message = value.get("code"), value.get("msg")
    if not isinstance(code, int) or isinstance(code, bool) or code >= 0:
        return None
    text = shown_message(message)
    return Complaint(code, text, _find_meaning(code, text))


def find_code(body: bytes) -> str:
    """The venue's error code for the record, or an empty text."""
    return code_of(_find_complaint(load_or_none(body)))[:_DIGITS]


def _find_meaning(code: int, message: str) -> CodeMeaning | None:
    if code != ENGINE_CODE:
        return CODES.get(code)
    said = message.casefold()
    return next((meaning for text, meaning in MESSAGES if text in said), None)


def _definite(http_status: int, value: Any) -> tuple[Complaint, CodeMeaning] | None:
    """The complaint and its meaning where both status and code are listed and neither speaks of doubt."""
    complaint = _find_complaint(value)
    if complaint is None or http_status not in CODED_STATUSES:
        return None
    if http_status == 429 and str(complaint.code) not in THROTTLE_CODES:
        return None
    meaning = complaint.meaning
    return None if meaning is None or meaning.does is Does.DOUBT else (complaint, meaning)


def _is_ban(http_status: int, value: Any) -> bool:
    return http_status == 418 and not (isinstance(value, dict) and "orderId" in value)


def _unknown(http_status: int, value: Any) -> Unknown:
    return unknown_answer(http_status, value, _find_complaint(value))


def classify_place(
    http_status: int, body: bytes, echo: BinanceEcho, retry_after: str = "", *, is_test: bool = False
) -> PlaceOutcome:
    """`is_test` for order/test, whose success is an empty object."""
    value = load_or_none(body)
    if _is_ban(http_status, value):
        pause = retry_after_seconds(418, retry_after)
        return Refused("418", "address banned", reached_matching=False, retry_after_seconds=pause)
    definite = _definite(http_status, value)
    if definite is not None:
        return _refusal(*definite, retry_after)
    if http_status != 200:
        return _unknown(http_status, value)
    if is_test:
        return Placed("") if value == {} else _unknown(http_status, value)
    return _placed(value, echo)


def _refusal(complaint: Complaint, meaning: CodeMeaning, retry_after: str) -> PlaceOutcome:
    if meaning.does is Does.NO_SUCH_ORDER or _DUPLICATE.search(complaint.message):
        return Unknown(f"code {complaint.code} ({complaint.message}) is no answer to a new order")
    code = str(complaint.code)
    return Refused(
        venue_code=code,
        message=complaint.message or meaning.meaning,
        reached_matching=meaning.does is Does.REJECT,
        retry_after_seconds=retry_after_seconds(429, retry_after, code) if code in THROTTLE_CODES else None,
    )


def _placed(value: Any, echo: BinanceEcho) -> PlaceOutcome:
    if not isinstance(value, dict) or "orderId" not in value:
        return _unknown(200, value)
    try:
        _check_echo(value, echo)
        return Placed(name_order(value), _find_report(value))
    except MalformedAnswer as error:
        return Unknown(f"The acknowledgement cannot be trusted: {error.message}")


def _check_echo(row: JsonObject, echo: BinanceEcho) -> None:
    """Raise MalformedAnswer unless the answer is about the order that was sent; absent fields beyond the ids do not
    count."""
    if "code" in row:
        raise malformed("code", "absent beside an order id", row["code"])
    for field, own in (("symbol", echo.symbol), ("clientOrderId", echo.client_order_id)):
        if read_text(row, field) != own:
            raise malformed(field, own, row[field])
    for field, own in (("side", echo.side.value), ("type", echo.type_word)):
        if row.get(field) is not None and row[field] != own:
            raise malformed(field, own, row[field])
    quantity = echo.quantity
    if row.get("origQty") is not None and quantity is not None and read_decimal(row, "origQty") != quantity:
        raise malformed("origQty", str(quantity), row["origQty"])


def _find_report(row: JsonObject) -> OrderReport | None:
    """What the answer says of the order's state; None where it says less or in new words, which a query clears up."""
    try:
        return parse_order(row)
    except MalformedAnswer:
        return None


def classify_cancel(http_status: int, body: bytes) -> CancelOutcome:
    """For one order and a symbol. Accepted says nothing about the order's end, not even by `status`."""
    value = load_or_none(body)
    if _is_ban(http_status, value):
        return CancelRefused("418", "address banned")
    definite = _definite(http_status, value)
    if definite is not None:
        return refused_cancel(*definite)
    if http_status == 200 and _names_orders(value):
        return CancelAccepted()
    return _unknown(http_status, value)


def _names_orders(value: Any) -> bool:
    """One canceled order or a list of orders and order lists. One with a code of its own is no proof for the whole."""
    rows = value if isinstance(value, list) else [value]
    return all(
        isinstance(row, dict) and ("orderId" in row or "orderListId" in row) and "code" not in row
        for row in rows
    )


def classify_query(
    http_status: int, body: bytes, symbol: str, client_order_id: str = "", exchange_order_id: str = ""
) -> QueryOutcome:
    """Found only if it is the order that was asked for; not found only by the code that says so."""
    value = load_or_none(body)
    complaint = _find_complaint(value)
    if complaint is not None:
        if http_status == 400 and str(complaint.code) in NOT_FOUND_CODES:
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
    """The error of a read, or None if its body may be parsed."""
    if http_status in (418, 429):
        return stay_away(http_status, retry_after_seconds(http_status, retry_after))
    complaint = _find_complaint(load_or_none(body))
    is_throttle = code_of(complaint) in THROTTLE_CODES
    return status_error(
        http_status, complaint, retry_after_seconds(429, retry_after) if is_throttle else None
    )
