"""Asking Bybit about orders: the list of what is open, and one order by its id.

One order is looked for in two lists, because neither knows all: the present one forgets ended orders when the venue
restarts and keeps five hundred, the history lags behind. "Not there" needs an empty answer of both; a list that could
not be read, or that shows another order than the one asked for, proves nothing.
"""

from __future__ import annotations

from trading.domain.errors import VenueError, VenueRefused
from trading.domain.outcomes import OrderNotFound, OrderReport, QueryFailed, QueryOutcome

from ..complaints import found_if_asked
from ..endpoint import Pairs, VenueEndpoint
from ..http import WireAnswer
from ..line import VenueLine
from ..strict_json import load_json
from .codes import NOT_FOUND_CODES
from .constants import CATEGORY, ORDER_HISTORY, ORDER_PAGE, REALTIME_ORDERS
from .order_form import order_key_pairs
from .pages import read_pages
from .parse import parse_orders

_QUERY_RETRIES = 1  # the resolver has its own schedule; a failed question is an answer to it
_EMPTY = "empty"


def read_open_orders(line: VenueLine, symbol: str | None, *, urgent: bool) -> list[OrderReport]:
    named = [("symbol", symbol)] if symbol else []
    pairs = [("category", CATEGORY), *named, ("openOnly", "0"), ("limit", str(ORDER_PAGE))]
    found = read_pages(line, REALTIME_ORDERS, pairs, parse_orders, urgent=urgent)
    return list({report.exchange_order_id: report for report in found}.values())


def query_order(
    line: VenueLine, symbol: str, client_order_id: str, exchange_order_id: str, *, urgent: bool
) -> QueryOutcome:
    key = order_key_pairs(client_order_id, exchange_order_id)
    try:
        for endpoint in (REALTIME_ORDERS, ORDER_HISTORY):
            reports = _look(line, endpoint, symbol, key, urgent)
            if reports:
                return judge_reports(reports, symbol, client_order_id, exchange_order_id)
    except VenueError as error:
        return QueryFailed(str(error))
    return OrderNotFound(_EMPTY)


def _look(
    line: VenueLine, endpoint: VenueEndpoint, symbol: str, key: Pairs, urgent: bool
) -> list[OrderReport]:
    """The rows of one list. "No such order" is an answer like an empty one."""

    def judge(answer: WireAnswer) -> VenueError | None:
        error = line.find_error(answer)
        if isinstance(error, VenueRefused) and error.venue_code in NOT_FOUND_CODES:
            return None
        if error is None:
            parse_orders(load_json(answer.body))  # raises MalformedAnswer here, where it is retried
        return error

    pairs = [("category", CATEGORY), ("symbol", symbol), *key]
    answer = line.read_answer(endpoint, pairs, urgent=urgent, retries=_QUERY_RETRIES, judge=judge)
    if line.find_error(answer) is not None:
        return []
    return parse_orders(load_json(answer.body))


def judge_reports(
    reports: list[OrderReport], symbol: str, client_order_id: str, exchange_order_id: str
) -> QueryOutcome:
    """Found only if it is the one order that was asked for."""
    if len(reports) != 1:
        return QueryFailed(f"The answer to a question about one order holds {len(reports)}.")
    report = reports[0]
    return found_if_asked(report, symbol, client_order_id, exchange_order_id)
