"""Placing and finding orders through an adapter, as most tests need it."""

from __future__ import annotations

import itertools
from typing import Any

from tests.exchanges.making import make_place_request
from trading.domain.outcomes import OrderFound
from trading.exchanges.base import Exchange

SYMBOL = "BTCUSDT"
_numbers = itertools.count(1)


def place(exchange: Exchange, **changes: Any):
    fields = {"client_order_id": f"lvtest{next(_numbers):026d}", "venue_time_ms": exchange.venue_time_ms()}
    request = make_place_request(**fields | changes)
    assert exchange.acquire_place_slot(1)
    return exchange.place_order(request), request


def find(exchange: Exchange, request):
    outcome = exchange.query_order(SYMBOL, client_order_id=request.client_order_id)
    assert isinstance(outcome, OrderFound), outcome
    return outcome.report
