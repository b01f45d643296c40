"""A small world for the tests of the order path: one paper account on a real simulated venue with frozen prices.

The clock is moved by moving a row's past away (`let_time_pass`), never by sleeping; races are scripted with threads
that have a database connection each (`run_together`, `wait_until_blocked`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField

from simulator.testing import SimulatedVenue
from tests.exchanges.making import make_exchange, make_place_request
from trading import market
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import Environment, OrderOrigin, TradingMode, VenueName
from trading.execution.accounts import create_account, store_credentials
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.intake import submit
from trading.execution.limit_changes import change_limits
from trading.execution.sync import sync_account
from trading.models import Balance, ExchangeAccount, Order, OrderEvidence, Position

CLIENT = Actor(ActorKind.CLIENT, "tests", "request-1")
PERSON = Actor(ActorKind.OPERATOR, "olga", "request-2")
PRICES = {"BTCUSDT": "50000", "ETHUSDT": "3000"}
ORDER_PATH = "/api/v3/order"


@dataclass(frozen=True, slots=True)
class VenuePaths:
    """What a venue's requests are called."""

    place: str
    orders: tuple[str, ...]  # where an order is asked about
    fills: str
    cancels: tuple[tuple[str, str], ...]


_CANCELS = tuple(("DELETE", f"/api/v3/{path}") for path in ("order", "openOrders", "order/all"))
_ORDERS = (ORDER_PATH, "/api/v3/openOrders")
PATHS = {
    "mexc": VenuePaths(ORDER_PATH, _ORDERS, "/api/v3/myTrades", _CANCELS),
    "binance": VenuePaths(ORDER_PATH, _ORDERS, "/api/v3/myTrades", _CANCELS),
    "bybit": VenuePaths(
        "/v5/order/create",
        ("/v5/order/realtime", "/v5/order/history"),
        "/v5/execution/list",
        (("POST", "/v5/order/cancel"), ("POST", "/v5/order/cancel-all")),
    ),
}
GENEROUS: dict[str, Any] = {
    "max_order_notional": "1000000",
    "exposure_limit_symbol": "1000000",
    "exposure_limit_total": "1000000",
    "max_open_orders": 1000,
    "max_concurrent_positions": 100,
}


def impatient_config(**live: Any) -> Any:
    """The configuration with short time-outs and back-offs, so that a fault costs little."""
    config = settings.LEVI_CONFIG
    venues = {venue: replace(section, timeout_sec=2) for venue, section in config.exchange.items()}
    fast = {"retry_backoff_ms": 1, "max_retries": 1, **live}
    return replace(config, live=replace(config.live, **fast), exchange=MappingProxyType(venues))


@dataclass
class World:
    """`venue` is the truth; `account` trades on it."""

    venue: SimulatedVenue
    account: ExchangeAccount

    def submit(
        self, quantity: str | None = "0.01", *, key: str = "", actor: Actor = CLIENT, **more: Any
    ) -> Order:
        body = {"symbol": "BTC/USDT", "side": "BUY", "quantity": quantity, **more}
        return submit(body, actor=actor, key=key or str(uuid4()), origin=OrderOrigin.SIGNAL).order

    def approve(self, quantity: str | None = "0.01", **more: Any) -> Order:
        order = self.submit(quantity, **more)
        assert order.status == "approved", order.status_reason
        return order

    def rest(self, price: str = "49000", quantity: str = "0.01", **more: Any) -> Order:
        """A limit order that rests at the venue."""
        order = self.approve(quantity, price=price, **more)
        dispatch_order(order.id)
        order.refresh_from_db()
        assert order.status == "open", order.status_reason
        return order

    def buy(self, quantity: str = "0.01", **more: Any) -> Order:
        """A market order, sent, filled and booked."""
        order = self.approve(quantity, **more)
        dispatch_order(order.id)
        assert follow_order(order.id)
        order.refresh_from_db()
        return order

    def sync(self, *, complete: bool = True) -> Any:
        run = sync_account(self.account.pk, trigger="test")
        assert run.is_complete is complete, run.error
        return run

    def change_limits(self, **changes: Any) -> Any:
        return change_limits(changes, reason="tests", actor=PERSON)

    @property
    def paths(self) -> VenuePaths:
        return PATHS[self.venue.venue]

    def fault(self, kind: str, *, method: str = "POST", path: str = "", **more: Any) -> None:
        """On new orders, unless another request is named."""
        match = {"method": method, "path": path or self.paths.place}
        self.venue.faults([{"match": match, "kind": kind, **more}])

    def placements(self) -> list[Any]:
        """Every new-order request that reached the venue."""
        return self.venue.requests(method="POST", path=self.paths.place)

    def cancels(self) -> list[Any]:
        return [row for row in self.venue.requests() if (row["method"], row["path"]) in self.paths.cancels]

    def balances_agree(self) -> bool:
        ours = {
            row.asset: row.free + row.locked
            for row in Balance.objects.filter(account=self.account)
            if row.free + row.locked
        }
        theirs = {asset: Decimal(row["total"]) for asset, row in self.venue.balances().items()}
        return ours == {asset: total for asset, total in theirs.items() if total}

    def position(self, symbol: str = "BTC/USDT") -> Decimal:
        row = Position.objects.filter(account=self.account, instrument__symbol=symbol).first()
        return row.quantity if row else Decimal(0)

    def position_at_venue(self, symbol: str = "BTCUSDT") -> Decimal:
        """Less the fees that were taken from what was bought, as some venues do."""
        signs = {"BUY": 1, "SELL": -1}
        ours = [fill for fill in self.venue.fills() if fill["user"] == "trader" and fill["symbol"] == symbol]
        moved = sum((signs[fill["side"]] * Decimal(fill["quantity"]) for fill in ours), Decimal(0))
        taken = [fill["fee"] for fill in ours if fill["fee_asset"] == symbol.removesuffix("USDT")]
        return moved - sum(map(Decimal, taken), Decimal(0))

    @property
    def third_asset(self) -> str:
        """The venue's own coin, in which fees are paid where `fee_asset` is third."""
        return {"mexc": "MX", "binance": "BNB", "bybit": "MNT"}[self.venue.venue]

    def name_of(self, row: dict[str, Any], key: str) -> str:
        """What we call an order or a fill of the venue's ledger: at Binance its number is one of its symbol only."""
        return f"{row['symbol']}:{row[key]}" if self.venue.venue == VenueName.BINANCE else str(row[key])


def make_world(venue: SimulatedVenue, *, limits: dict[str, Any] | None = GENEROUS) -> World:
    venue.reset()
    for symbol, price in PRICES.items():
        venue.set_price(symbol, price)
    world = World(venue, make_account(venue, "paper", is_default=True))
    if limits is not None:
        world.change_limits(**limits)
    world.sync()
    return world


def make_account(venue: SimulatedVenue, name: str, **more: Any) -> ExchangeAccount:
    account = create_account(
        name,
        venue=VenueName(venue.venue),
        environment=Environment.SIMULATED,
        mode=TradingMode.PAPER,
        base_url=venue.base_url,
        rate_limit_rps=Decimal(10_000),
        actor=PERSON,
        **more,
    )
    store_credentials(account, venue.key, venue.secret, actor=PERSON)
    return account


def add_foreign_order(
    world: World, client_order_id: str = "by-hand", price: str = "48000", symbol: str = "BTCUSDT"
) -> str:
    """Somebody trades on the same account by hand; its client id is not ours unless given."""
    market.forget_failures()
    there = world.venue
    exchange = make_exchange(there.base_url, venue=VenueName(there.venue), key=there.key, secret=there.secret)
    request = make_place_request(
        client_order_id=client_order_id,
        price=Decimal(price),
        venue_symbol=symbol,
        venue_time_ms=exchange.venue_time_ms(),
    )
    outcome = exchange.place_order(request)
    exchange.close()
    return outcome.exchange_order_id


def fresh(order: Order) -> Order:
    return Order.objects.select_related("account", "instrument", "strategy").get(pk=order.pk)


def status_of(order: Order) -> str:
    return fresh(order).status


def evidence_of(order: Order) -> list[tuple[str, str]]:
    return list(OrderEvidence.objects.filter(order=order).order_by("id").values_list("source", "kind"))


def let_time_pass(order: Order, seconds: float) -> Order:
    """As if everything that happened to this order had happened so much earlier."""
    row, span = fresh(order), timedelta(seconds=seconds)
    moved: dict[str, Any] = {}
    for field in Order._meta.concrete_fields:
        instant = getattr(row, field.name) if isinstance(field, DateTimeField) else None
        if instant is not None:
            moved[field.name] = instant - span
    moved["not_found_at"] = [(datetime.fromisoformat(text) - span).isoformat() for text in row.not_found_at]
    Order.objects.filter(pk=row.pk).update(**moved)
    return fresh(order)


# -- races ------------------------------------------------------------------------------------------------------------
class Parallel(threading.Thread):
    """One step of a race in its own thread, with its own database connection."""

    def __init__(self, step: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.step = step
        self.outcome: Any = None

    def run(self) -> None:
        try:
            self.outcome = self.step()
        except Exception as error:  # whatever it was, the test compares outcomes
            self.outcome = error
        finally:
            connection.close()

    def end(self) -> Any:
        self.join(timeout=60)
        assert not self.is_alive(), "the step did not end"
        return self.outcome


def begin(step: Callable[[], Any]) -> Parallel:
    thread = Parallel(step)
    thread.start()
    return thread


def run_together(*steps: Callable[[], Any]) -> list[Any]:
    """The outcomes; an exception is an outcome too."""
    return [thread.end() for thread in [begin(step) for step in steps]]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.005)


def wait_until_blocked(thread: threading.Thread | None = None) -> None:
    """Until some connection to this database waits for a lock (or the thread that should wait has ended)."""

    def is_blocked() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock'"
            )
            return bool(cursor.fetchone()[0]) or (thread is not None and not thread.is_alive())

    wait_until(is_blocked, "a connection waits for a lock")
