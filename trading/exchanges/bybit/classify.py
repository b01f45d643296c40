"""What an answer of Bybit means for an order: pure functions from (HTTP status, body) to an outcome, which never raise.

Definite is only what the tables list; everything else is unknown. Errors come with HTTP 200 and a code as a rule, so
the order of the checks is the policy: a server error is unknown whatever its body says; an error that also names an
order contradicts itself and is unknown; an acknowledgement must name the order it was asked for. It says that the
order was taken in and nothing more: what became of it, a later refusal included, only a query tells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trading.domain.errors import (
    MalformedAnswer,
    VenueError,
)
from trading.domain.outcomes import (
    CancelAccepted,
    CancelOutcome,
    CancelRefused,
    Placed,
    PlaceOutcome,
    Refused,
    Unknown,
)

from ..complaints import (
    Complaint,
    code_of,
    load_or_none,
    refused_cancel,
    shown_message,
    status_error,
    stay_away,
    unknown_answer,
)
from ..meanings import CodeMeaning, Does
from ..strict_json import as_object, find_text, malformed, read_text
from .codes import CODED_STATUSES, CODES, LOAD_CODES, SUCCESS_CODE, THROTTLE_CODES
from .constants import (
    RESET_MOST_SECONDS,
    RETRY_AFTER_403_SECONDS,
    RETRY_AFTER_429_SECONDS,
    RETRY_AFTER_CODE_SECONDS,
    TOO_FREQUENT,
)

# A second order with the same id means that the first one got through: never a plain refusal, whatever its code.
_DUPLICATE = re.compile(r"duplicat|already exist|repeat", re.IGNORECASE)
_SHOWN_BODY = 4096


def _code_of(value: Any) -> int | None:
    code = value.get("retCode") if isinstance(value, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _find_complaint(value: Any) -> Complaint | None:
    code = _code_of(value)
    if code is None or code == SUCCESS_CODE or _names_an_order(value):
        return None
    return Complaint(code, shown_message(value.get("retMsg")), CODES.get(code))


def _names_an_order(value: Mapping[str, Any]) -> bool:
    result = value.get("result")
    return isinstance(result, dict) and bool(result.get("orderId"))


def find_code(body: bytes) -> str:
    """The venue's error code for the record, or an empty text."""
    return code_of(_find_complaint(load_or_none(body)))


# -- limits ------------------------------------------------------------------------------------------------------------
def is_too_frequent(http_status: int, body: bytes) -> bool:
    """The venue's own words to an address that sent too much; the body need not be JSON."""
    return http_status == 403 and TOO_FREQUENT.encode() in body[:_SHOWN_BODY].lower()


def pause_after(http_status: int, body: bytes) -> float:
    """How long everybody who shares the address has to stay away; 0: not at all."""
    if is_too_frequent(http_status, body):
        return RETRY_AFTER_403_SECONDS
    is_loaded = http_status == 429 or (http_status in CODED_STATUSES and find_code(body) in LOAD_CODES)
    return RETRY_AFTER_429_SECONDS if is_loaded else 0.0


def seconds_until_reset(headers: Mapping[str, str], now_ms: int | None) -> float:
    """How long the account's own limit lasts, by the header that says when it is over."""
    stamp = headers.get("x-bapi-limit-reset-timestamp", "")
    if now_ms is None or not stamp.isdecimal() or len(stamp) > 15:
        return RETRY_AFTER_CODE_SECONDS
    return min(max(RETRY_AFTER_CODE_SECONDS, (int(stamp) - now_ms) / 1000), RESET_MOST_SECONDS)


# -- outcomes ----------------------------------------------------------------------------------------------------------
def _definite(http_status: int, value: Any) -> tuple[Complaint, CodeMeaning] | None:
    """The complaint and its meaning where both status and code are listed and neither speaks of doubt."""
    complaint = _find_complaint(value)
    if complaint is None or http_status not in CODED_STATUSES:
        return None
    meaning = complaint.meaning
    return None if meaning is None or meaning.does is Does.DOUBT else (complaint, meaning)


def _unknown(http_status: int, value: Any) -> Unknown:
    return unknown_answer(http_status, value, _find_complaint(value))


def classify_place(
    http_status: int, body: bytes, client_order_id: str, code_pause: float = RETRY_AFTER_CODE_SECONDS
) -> PlaceOutcome:
    """`code_pause`: how long the account's own limit lasts, should that be the answer."""
    value = load_or_none(body)
    if is_too_frequent(http_status, body) and not (isinstance(value, dict) and _names_an_order(value)):
        text = "address closed: too many requests"
        return Refused("403", text, reached_matching=False, retry_after_seconds=RETRY_AFTER_403_SECONDS)
    definite = _definite(http_status, value)
    if definite is not None:
        return _refusal(*definite, code_pause)
    if http_status != 200 or _code_of(value) != SUCCESS_CODE:
        return _unknown(http_status, value)
    try:
        return Placed(_read_acknowledged(value, client_order_id))
    except MalformedAnswer as error:
        return Unknown(f"The acknowledgement cannot be trusted: {error.message}")


def _refusal(complaint: Complaint, meaning: CodeMeaning, code_pause: float) -> PlaceOutcome:
    if meaning.does is Does.NO_SUCH_ORDER or _DUPLICATE.search(complaint.message):
        return Unknown(f"code {complaint.code} ({complaint.message}) is no answer to a new order")
    code = str(complaint.code)
    pauses = {
        **dict.fromkeys(THROTTLE_CODES, code_pause),
        **dict.fromkeys(LOAD_CODES, RETRY_AFTER_429_SECONDS),
    }
    return Refused(
        venue_code=code,
        message=complaint.message or meaning.meaning,
        reached_matching=meaning.does is Does.REJECT,
        retry_after_seconds=pauses.get(code),
    )


def _read_acknowledged(value: Any, client_order_id: str) -> str:
    """The venue's id of the order that was sent. Raises MalformedAnswer unless the answer repeats our own."""
    row = as_object(value.get("result"), "result")
    if find_text(row, "orderLinkId") != client_order_id:
        raise malformed("orderLinkId", client_order_id, row.get("orderLinkId"))
    return read_text(row, "orderId")


def classify_cancel(http_status: int, body: bytes) -> CancelOutcome:
    """For one order, a symbol and the account. Accepted says nothing about the order's end."""
    value = load_or_none(body)
    if is_too_frequent(http_status, body):
        return CancelRefused("403", "address closed: too many requests")
    definite = _definite(http_status, value)
    if definite is not None:
        return refused_cancel(*definite)
    if http_status == 200 and _code_of(value) == SUCCESS_CODE and _is_cancel(value.get("result")):
        return CancelAccepted()
    return _unknown(http_status, value)


def _is_cancel(result: Any) -> bool:
    """One order by its id, or the list of a cancel of all with its word of success."""
    if not isinstance(result, dict):
        return False
    if "list" in result:
        return isinstance(result["list"], list) and result.get("success") == "1"
    return any(isinstance(result.get(name), str) and result[name] for name in ("orderId", "orderLinkId"))


def find_read_error(
    http_status: int, body: bytes, code_pause: float = RETRY_AFTER_CODE_SECONDS
) -> VenueError | None:
    """The error of a read, or None if its result may be parsed."""
    pause = pause_after(http_status, body)
    if pause:
        return stay_away(http_status, pause)
    value = load_or_none(body)
    complaint = _find_complaint(value)
    is_throttle = code_of(complaint) in THROTTLE_CODES
    error = status_error(http_status, complaint, code_pause if is_throttle else None)
    if error is None and _code_of(value) != SUCCESS_CODE:
        return MalformedAnswer("The answer has no code.", field="retCode")
    return error
