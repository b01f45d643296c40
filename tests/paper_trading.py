"""A paper account on a simulated venue, ready to trade: what tests of whole stories start from."""

from __future__ import annotations

from typing import Any

import redis
from django.conf import settings

from simulator.testing import SimulatedVenue
from trading import connections
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import Environment, OrderOrigin, OrderStatus, TradingMode, VenueName
from trading.execution.accounts import create_account, store_credentials
from trading.execution.intake import submit
from trading.execution.limit_changes import change_limits
from trading.execution.poller import advance_order
from trading.execution.sync import sync_account
from trading.models import ExchangeAccount, Order

TESTER = Actor(ActorKind.COMMAND, "tests")
LIMITS = {"max_order_notional": "100000", "exposure_limit_symbol": "200000", "allowed_symbols": None}


def open_paper_account(
    venue: SimulatedVenue, *, name: str = "paper", limits: dict[str, Any] | None = None
) -> ExchangeAccount:
    """On an empty venue with BTC/USDT pinned at 50000: account, key, limits and a first sync."""
    empty_venue(venue)
    account = create_account(
        name,
        venue=VenueName.MEXC,
        environment=Environment.SIMULATED,
        mode=TradingMode.PAPER,
        base_url=venue.base_url,
        is_default=True,
        actor=TESTER,
    )
    store_credentials(account, venue.key, venue.secret, actor=TESTER)
    change_limits(LIMITS | (limits or {}), reason="tests", actor=TESTER)
    run = sync_account(account.id, trigger="start")
    assert run.is_complete, run.error
    return account


def empty_venue(venue: SimulatedVenue) -> None:
    """Nothing of an earlier test: no orders and faults at the venue, no used-up limits, no stop flag."""
    venue.reset()
    venue.settings(limits_scale=str(connections.SIMULATED_LIMIT_SCALE))
    venue.set_price("BTCUSDT", "50000")
    connections.forget_all()
    settings.STOP_FLAG.unlink(missing_ok=True)  # the tables are reset after each test, files are not
    with redis.Redis.from_url(settings.REDIS_URL) as store:
        store.flushdb()  # rate limits that another test used up


def place(key: str, **body: Any) -> Order:
    """One order through intake and, if approved, to the venue and its end as far as the venue lets it come."""
    asked = {"symbol": "BTC/USDT", "side": "BUY", "quantity": "0.01", **body}
    order = submit(asked, actor=TESTER, key=key, origin=OrderOrigin.API).order
    if order.status == OrderStatus.APPROVED:
        advance_order(order.id)
        advance_order(order.id)
    order.refresh_from_db()
    return order


def rest(key: str, **body: Any) -> Order:
    """An order that stays open: a buy far below the price."""
    return place(key, **{"price": "40000", **body})
