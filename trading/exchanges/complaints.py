"""What the error answers of all venues have in common: their shape with us, and what they mean for a read or a query.

Which bodies are complaints, which codes are definite and what they mean for an order is each venue's own policy, in
its `classify`. Pure; nothing here raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trading.domain.errors import MalformedAnswer, VenueError, VenueRefused, VenueThrottled, VenueUnavailable
from trading.domain.outcomes import CancelRefused, OrderFound, OrderReport, QueryFailed, QueryOutcome, Unknown

from .meanings import CodeMeaning, Does
from .strict_json import load_json

_MAX_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error body of a venue's API: its code, its words, and what the venue's table says of it, if it is listed."""

    code: int
    message: str
    meaning: CodeMeaning | None


def load_or_none(body: bytes) -> Any:
    """The JSON, or None if there is none to trust."""
    try:
        return load_json(body)
    except MalformedAnswer:
        return None


def shown_message(value: Any) -> str:
    """The venue's words, cut to a length for rows; empty if it used none."""
    return value.strip()[:_MAX_MESSAGE] if isinstance(value, str) else ""


def code_of(complaint: Complaint | None) -> str:
    """For the record, or an empty text."""
    return "" if complaint is None else str(complaint.code)


def header_seconds(header: str, default: float, most: float) -> float:
    """A header that says how long to stay away, if it makes sense; else the documented least. At most `most`."""
    seconds = int(header) if header.strip().isdecimal() and len(header) <= 9 else 0
    return min(seconds or default, most)


def unknown_answer(http_status: int, value: Any, complaint: Complaint | None) -> Unknown:
    said = "no readable JSON" if value is None else "an unexpected body"
    if complaint is not None:
        said = f"code {complaint.code} ({complaint.message})"
    return Unknown(f"HTTP {http_status} with {said}: the table of definite answers does not list it")


def refused_cancel(complaint: Complaint, meaning: CodeMeaning) -> CancelRefused:
    return CancelRefused(str(complaint.code), complaint.message or meaning.meaning)


def stay_away(http_status: int, seconds: float) -> VenueThrottled:
    return VenueThrottled(f"The venue asks to stay away (HTTP {http_status}).", retry_after_seconds=seconds)


def status_error(http_status: int, complaint: Complaint | None, throttled: float | None) -> VenueError | None:
    """The error of a read by its status and complaint, or None where neither says one. `throttled`: how long the code
    asks to wait, None where it does not."""
    if http_status >= 500:
        return VenueUnavailable(f"The venue answered HTTP {http_status}.")
    if complaint is None:
        if http_status == 200:
            return None
        text = f"The venue answered HTTP {http_status} without a code."
        return VenueRefused(text, http_status=http_status)
    text = f"The venue refused with code {complaint.code}: {complaint.message}"
    if throttled is not None:
        return VenueThrottled(text, retry_after_seconds=throttled)
    if complaint.meaning is not None and complaint.meaning.does is Does.DOUBT:
        return VenueUnavailable(text)
    return VenueRefused(text, venue_code=str(complaint.code), http_status=http_status)


def found_if_asked(
    report: OrderReport, symbol: str, client_order_id: str, exchange_order_id: str
) -> QueryOutcome:
    """Found only if it is the order that was asked for."""
    asked = (symbol, client_order_id or report.client_order_id, exchange_order_id or report.exchange_order_id)
    if asked != (report.symbol, report.client_order_id, report.exchange_order_id):
        return QueryFailed("The answer is about another order than the one that was asked for.")
    return OrderFound(report)
