"""A small trading day in rows: one order in every status, fills, positions, equity, breaks, a sweep, people.

Written straight into the tables, along the legal moves only (the database's guards are on). Used by the screen tests
and by the browser tests' pictures.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor, ActorKind
from trading.domain.client_order_id import client_order_id
from trading.models import (
    Balance,
    Break,
    Credential,
    EquitySnapshot,
    ExchangeAccount,
    HaltChange,
    HaltState,
    Heartbeat,
    Instrument,
    LimitsVersion,
    Position,
    Quote,
    Signal,
    Strategy,
    Sweep,
    SyncRun,
)
from trading.models.columns import new_id

from .orders_of_the_day import ORDERS, PRICES, write_order

ROLES = ("viewer", "trader", "risk", "admin")
PASSWORD = "correct horse battery staple"
ANNA = Actor(ActorKind.OPERATOR, "anna", "req-anna-1")
_numbers = count(1)


def make_people(password: str | None = None) -> dict[str, User]:
    """One person per role, one without and a superuser. Hashing is slow on purpose: only where a password is typed."""
    hashed = make_password(password)
    people = {}
    for role in ROLES:
        people[role] = User.objects.create(username=f"{role}-person", password=hashed, is_staff=True)
        people[role].groups.add(Group.objects.get(name=role))
    people["none"] = User.objects.create(username="roleless-person", password=hashed, is_staff=True)
    people["super"] = User.objects.create(username="root", password=hashed, is_staff=True, is_superuser=True)
    return people


def make_instrument(symbol: str, price: str) -> Instrument:
    base, quote = symbol.split("/")
    instrument = Instrument.objects.create(
        venue="mexc",
        environment="simulated",
        symbol=symbol,
        venue_symbol=base + quote,
        base_asset=base,
        quote_asset=quote,
        is_tradable=True,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        min_notional=Decimal(1),
        max_notional=Decimal(4_000_000),
        order_types=["LIMIT", "MARKET", "LIMIT_MAKER", "IOC", "FOK"],
        sides=["BUY", "SELL"],
        synced_at=timezone.now() - timedelta(minutes=12),
    )
    last = Decimal(price)
    Quote.objects.create(
        instrument=instrument,
        last=last,
        bid=last - 1,
        ask=last + 1,
        received_at=timezone.now() - timedelta(seconds=3),
    )
    give_state("instrument", symbol)
    return instrument


def give_state(scope: str, target: str) -> None:
    HaltState.objects.create(
        scope=scope, target=target, state="active", since=timezone.now() - timedelta(days=2), actor="system"
    )


def make_limits(version_reason: str = "from config/app.yaml", **changes: Any) -> LimitsVersion:
    values = {
        "max_order_notional": Decimal(1000),
        "price_collar_pct": Decimal(5),
        "exposure_limit_symbol": Decimal(2000),
        "exposure_limit_total": Decimal(3000),
        "kill_threshold_usd": Decimal(5000),
        "max_concurrent_positions": 5,
        "max_open_orders": 50,
        "max_orders_per_minute": 120,
        "max_daily_loss_pct": Decimal(3),
        "allowed_symbols": ["BTC/USDT", "ETH/USDT", "SOL/USDT"],
        **changes,
    }
    return LimitsVersion.objects.create(
        effective_at=timezone.now() - timedelta(hours=3),
        reason=version_reason,
        actor="command:root",
        **values,
    )


def make_account(name: str = "paper", **changes: Any) -> ExchangeAccount:
    values = {
        "venue": "mexc",
        "environment": "simulated",
        "mode": "paper",
        "base_url": "http://127.0.0.1:9100/mexc",
        "is_default": True,
        "synced_at": timezone.now() - timedelta(seconds=4),
        "clock_offset_seconds": 0,
        "clock_measured_at": timezone.now() - timedelta(seconds=4),
        **changes,
    }
    account = ExchangeAccount.objects.create(name=name, **values)
    give_state("account", name)
    Credential.objects.create(
        account=account,
        sealed_key=b"sealed-key",
        sealed_secret=b"sealed-secret",
        sealed_with="0011",
        key_hint="7QXz",
    )
    return account


class TradingDay:
    """What the tests refer to by name."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.account = make_account()
        self.instruments = {symbol: make_instrument(symbol, price) for symbol, price in PRICES.items()}
        make_limits()
        self.limits = make_limits("more room for ETH", max_order_notional=Decimal(1500))
        self.strategy = Strategy.objects.create(name="mean-reversion", description="Buys dips, sells rips.")
        give_state("strategy", self.strategy.name)
        self.orders = {spec.name: write_order(self, spec) for spec in ORDERS}
        self._make_books()
        self._make_halt_history()
        self._make_trail()

    def signal(self, body: dict[str, Any], at: datetime, decision: str, codes: list[str]) -> Signal:
        number = next(_numbers)
        return Signal.objects.create(
            source="client:mean-reversion-bot",
            key=f"bar-{number:05}-{new_id().hex[-6:]}",
            body_hash="0" * 64,
            body=body,
            strategy=self.strategy,
            actor="client:mean-reversion-bot",
            request_id=f"req-{number:06}",
            answer={"decision": decision, "codes": codes, "checks": []},
            received_at=at,
        )

    def new_ids(self) -> tuple[Any, str]:
        order_id = new_id()
        return order_id, client_order_id("test", order_id)

    def _make_books(self) -> None:
        seen = self.now - timedelta(seconds=4)
        for asset, free, locked in (
            ("USDT", "8398.162995", "512.4"),
            ("BTC", "0.0231", "0"),
            ("ETH", "0.41", "0.05"),
        ):
            Balance.objects.create(
                account=self.account,
                asset=asset,
                free=Decimal(free),
                locked=Decimal(locked),
                observed_at=seen,
            )
        for symbol, quantity, average, realized in (
            ("BTC/USDT", "0.0231", "63980.4", "12.874"),
            ("ETH/USDT", "0.46", "3391.02", "-31.2"),
        ):
            Position.objects.create(
                account=self.account,
                instrument=self.instruments[symbol],
                quantity=Decimal(quantity),
                average_price=Decimal(average),
                realized_pnl=Decimal(realized),
                fees={"USDT": "1.204", "MX": "0.0000031"},
                updated_at=self.now - timedelta(minutes=6),
            )
        self._make_equity()
        Break.objects.create(
            account=self.account,
            kind="balance",
            subject="USDT",
            ours=Decimal("8910.562995"),
            theirs=Decimal("8910.562895"),
            since=self.now - timedelta(minutes=21),
            last_seen_at=seen,
            seen_count=126,
            detail={"since_sync": "-0.0001"},
        )
        for age in (4, 14, 24, 34):
            started = self.now - timedelta(seconds=age)
            SyncRun.objects.create(
                account=self.account,
                trigger="beat",
                started_at=started,
                finished_at=started + timedelta(milliseconds=412),
                is_complete=True,
                fills_booked=1 if age == 14 else 0,
                breaks_open=1,
            )
        for role, age in (("web", 2), ("executor", 1), ("executor", 3), ("resolver", 2), ("beat", 47)):
            Heartbeat.objects.create(
                process=f"{role}-{age}@host:{4000 + age}",
                role=role,
                build="1a2b3c4",
                started_at=self.now - timedelta(hours=5),
                beat_at=self.now - timedelta(seconds=age),
            )

    def _make_equity(self) -> None:
        midnight = self.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        span = max((self.now - midnight).total_seconds(), 60)
        first = Decimal("12000")
        wiggle = (
            0,
            14,
            9,
            31,
            22,
            -8,
            -35,
            -20,
            -61,
            -44,
            -72,
            -58,
            -96,
            -80,
            -112,
            -97,
            -121,
            -104,
            -98,
            -87,
        )
        for index, move in enumerate(wiggle):
            at = midnight + timedelta(seconds=span * index / (len(wiggle) - 1))
            EquitySnapshot.objects.create(
                account=self.account,
                at=min(at, self.now - timedelta(seconds=4)) - timedelta(microseconds=len(wiggle) - index),
                equity=first + move,
                cash=Decimal("8910.562995"),
                positions_value=first + move - Decimal("8910.562995"),
                exposure=Decimal("3010.5"),
                daily_pnl=Decimal(move),
            )

    def _make_halt_history(self) -> None:
        engaged = self.now - timedelta(hours=2)
        change = HaltChange.objects.create(
            scope="everything",
            target="",
            before="active",
            after="halted",
            reason="Venue trouble",
            trigger="manual",
            actor="operator:anna",
            epoch=4,
            at=engaged,
        )
        self.sweep = Sweep.objects.create(
            change=change,
            verdict="clean",
            engaged_at=engaged,
            drained_at=engaged + timedelta(milliseconds=84),
            first_cancel_at=engaged + timedelta(milliseconds=310),
            finished_at=engaged + timedelta(seconds=6, milliseconds=120),
            rounds=3,
            cancels_sent=7,
            report={"paper": {"open": [], "unresolved": [], "foreign": 0}},
        )
        HaltChange.objects.create(
            scope="everything",
            target="",
            before="halted",
            after="active",
            reason="Venue answers again, books agree",
            trigger="release",
            actor="operator:ruth",
            epoch=4,
            at=engaged + timedelta(minutes=11),
        )

    def _make_trail(self) -> None:
        order = self.orders["filled"]
        with transaction.atomic():
            for kind, data in (
                ("order.approved", {"status": "approved", "symbol": "BTC/USDT", "side": "BUY"}),
                ("order.filled", {"status": "filled", "symbol": "BTC/USDT", "side": "BUY"}),
            ):
                audit.record(kind, actor=ANNA, object_type="order", object_id=order.pk, data=data)
            audit.record(
                "limits.changed",
                actor=ANNA,
                object_type="limits",
                object_id=self.limits.pk,
                data={
                    "before": {"max_order_notional": "1000"},
                    "after": {"max_order_notional": "1500"},
                    "reason": "more room",
                },
            )


def halt(
    scope: str = "everything", target: str = "", *, state: str = "halted", reason: str = "Unexpected loss"
) -> None:
    """The state of a scope as an engagement leaves it, without one."""
    HaltState.objects.filter(scope=scope, target=target).update(
        state=state,
        reason=reason,
        trigger="manual",
        actor="operator:anna",
        since=timezone.now() - timedelta(minutes=3),
    )
