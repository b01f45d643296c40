"""A small world for API tests: one paper account with a price, balances and limits, and a caller for every role."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import Environment, TradingMode, VenueName
from trading.execution.accounts import create_account
from trading.execution.limit_changes import change_limits
from trading.execution.tokens import create_token
from trading.models import Balance, EquitySnapshot, ExchangeAccount, HaltState, Instrument, Quote

ROLES = ("viewer", "trader", "risk", "admin")
MAKER = Actor(ActorKind.COMMAND, "tests")
PRICE = Decimal(50000)
TWAP = {
    "kind": "twap",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": "0.04",
    "duration_seconds": 400,
    "slices": 4,
}


class Caller:
    """Django's test client with a token; JSON in, JSON out. Failures come back as answers, as over the wire."""

    def __init__(self, token: str = "", **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {**({"authorization": f"Bearer {token}"} if token else {}), **headers}

    def get(self, path: str, /, **query: Any) -> Any:
        return self.client.get(path, query, headers=self.headers)

    def send(self, method: str, path: str, body: Any = None, /, **headers: str) -> Any:
        data = body if isinstance(body, (bytes, str)) else json.dumps(body) if body is not None else b""
        kind = {"content_type": "application/json"} if body is not None else {"content_type": ""}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, path, data, headers={**self.headers, **named}, **kind)

    def post(self, path: str, body: Any = None, /, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, /, **headers: str) -> Any:
        return self.send("PUT", path, body, **headers)


@dataclass
class World:
    account: ExchangeAccount
    instrument: Instrument

    def set_price(self, last: Decimal) -> None:
        Quote.objects.update_or_create(
            instrument=self.instrument,
            defaults={"last": last, "bid": last, "ask": last, "received_at": timezone.now()},
        )


def make_instrument(symbol: str) -> Instrument:
    base, quote = symbol.split("/")
    row = Instrument.objects.create(
        venue=VenueName.MEXC,
        environment=Environment.SIMULATED,
        symbol=symbol,
        venue_symbol=base + quote,
        base_asset=base,
        quote_asset=quote,
        is_tradable=True,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.0001"),
        min_quantity=Decimal("0.0001"),
        min_notional=Decimal(5),
        order_types=["LIMIT", "MARKET", "LIMIT_MAKER", "IOC", "FOK", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"],
        sides=["BUY", "SELL"],
        synced_at=timezone.now(),
    )
    HaltState.objects.create(
        scope="instrument", target=symbol, state="active", since=timezone.now(), actor="tests"
    )
    return row


def make_world() -> World:
    account = create_account(
        "paper",
        venue=VenueName.MEXC,
        environment=Environment.SIMULATED,
        mode=TradingMode.PAPER,
        base_url="http://127.0.0.1:9/mexc",
        is_default=True,
        actor=MAKER,
    )
    account.synced_at = account.clock_measured_at = timezone.now()
    account.clock_offset_seconds = Decimal(0)
    account.save(update_fields=["synced_at", "clock_measured_at", "clock_offset_seconds"])
    world = World(account, make_instrument("BTC/USDT"))
    world.set_price(PRICE)
    now = timezone.now()
    for asset, free in (("USDT", Decimal(100_000)), ("BTC", Decimal(2))):
        Balance.objects.create(account=account, asset=asset, free=free, locked=Decimal(0), observed_at=now)
    EquitySnapshot.objects.create(
        account=account,
        at=now,
        equity=Decimal(200_000),
        cash=Decimal(100_000),
        positions_value=Decimal(100_000),
        exposure=Decimal(0),
    )
    change_limits(
        {"max_order_notional": "10000", "exposure_limit_symbol": "50000", "max_open_orders": 1000},
        reason="tests",
        actor=MAKER,
    )
    return world


def make_token(*roles: str, name: str = "", **options: Any) -> str:
    name = name or f"{'-'.join(roles)}-token"
    return create_token(name, roles, days=options.pop("days", 30), actor=MAKER, **options)[1]


def buy(quantity: str = "0.01", **more: Any) -> dict[str, Any]:
    return {"symbol": "BTC/USDT", "side": "BUY", "quantity": quantity, **more}
