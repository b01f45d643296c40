"""The orders of the small trading day: one per status, each written along the legal moves with what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from trading.models import Decision, Fill, Order, OrderAttempt, OrderEvidence

PRICES = {"BTC/USDT": "64213.55", "ETH/USDT": "3302.4", "SOL/USDT": "148.21"}


@dataclass(frozen=True)
class Spec:
    """`moves` are the statuses after the first one."""

    name: str
    symbol: str
    side: str
    quantity: str
    minutes_ago: float
    moves: tuple[str, ...] = ()
    begins: str = "approved"
    price: str | None = None
    order_type: str = "LIMIT"
    filled: str = "0"
    outcome: str = "placed"
    codes: tuple[str, ...] = ()
    reason: str = ""
    origin: str = "signal"
    paid: str = ""  # of the fill; empty: its price


ORDERS = (
    Spec(
        "filled",
        "BTC/USDT",
        "BUY",
        "0.0231",
        41,
        ("submitting", "open", "filled"),
        price="63980.4",
        filled="0.0231",
    ),
    Spec(
        "part",
        "ETH/USDT",
        "BUY",
        "0.8",
        22,
        ("submitting", "open", "partially_filled"),
        price="3391.02",
        filled="0.46",
    ),
    Spec("open", "SOL/USDT", "SELL", "3.2", 14, ("submitting", "open"), price="152.5"),
    Spec(
        "denied",
        "BTC/USDT",
        "BUY",
        "0.4",
        12,
        begins="denied",
        price="64100",
        codes=("max_order_notional", "exposure_symbol"),
    ),
    Spec("canceled", "ETH/USDT", "SELL", "0.2", 33, ("submitting", "open", "canceled"), price="3420"),
    Spec(
        "rejected",
        "SOL/USDT",
        "BUY",
        "0.001",
        9,
        ("submitting", "rejected"),
        price="148",
        outcome="refused",
        reason="minimum transaction volume cannot be less than 1 USDT",
    ),
    Spec("expired", "BTC/USDT", "SELL", "0.001", 28, ("submitting", "expired"), price="64900"),
    Spec(
        "lapsed",
        "ETH/USDT",
        "BUY",
        "0.1",
        51,
        ("lapsed",),
        price="3300",
        reason="canceled before it was sent",
    ),
    Spec(
        "not_accepted",
        "BTC/USDT",
        "BUY",
        "0.002",
        47,
        ("submitting", "not_accepted"),
        order_type="MARKET",
        outcome="refused",
    ),
    Spec(
        "doubt",
        "BTC/USDT",
        "SELL",
        "0.004",
        2,
        ("submitting", "in_doubt"),
        price="64300",
        outcome="unknown",
        reason="read timed out after 10 s",
    ),
    Spec(
        "quarantined",
        "SOL/USDT",
        "BUY",
        "1",
        58,
        ("submitting", "in_doubt", "quarantined"),
        order_type="MARKET",
        outcome="unknown",
    ),
    Spec("approved", "ETH/USDT", "BUY", "0.05", 0.01, price="3290"),
    Spec("submitting", "BTC/USDT", "BUY", "0.001", 0.02, ("submitting",), order_type="MARKET", outcome=""),
)

CHECKS: list[dict[str, Any]] = [
    {
        "rule": "gate",
        "code": "halted",
        "passed": True,
        "observed": "active",
        "limit": "active",
        "age_seconds": "",
        "note": "",
    },
    {
        "rule": "price_fresh",
        "code": "price_stale",
        "passed": True,
        "observed": "2.1",
        "limit": "30",
        "age_seconds": "2.1",
        "note": "",
    },
    {
        "rule": "maximum_order_notional",
        "code": "max_order_notional",
        "passed": True,
        "observed": "1483.33",
        "limit": "1500",
        "age_seconds": "",
        "note": "",
    },
    {
        "rule": "symbol_exposure",
        "code": "exposure_symbol",
        "passed": True,
        "observed": "1483.33",
        "limit": "2000",
        "age_seconds": "2.1",
        "note": "",
    },
    {
        "rule": "free_balance",
        "code": "insufficient_balance",
        "passed": True,
        "observed": "8398.162995 USDT",
        "limit": "1484.81",
        "age_seconds": "4",
        "note": "fee included",
    },
]


def checks_of(codes: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{**check, "passed": check["code"] not in codes} for check in CHECKS]


def write_order(world: Any, spec: Spec) -> Order:
    at = world.now - timedelta(minutes=spec.minutes_ago)
    decision = "denied" if spec.codes else "approved"
    body = {
        "symbol": spec.symbol,
        "side": spec.side,
        "quantity": spec.quantity,
        "strategy": world.strategy.name,
    }
    signal = world.signal(body, at, decision, list(spec.codes))
    order_id, client_order_id = world.new_ids()
    order = Order.objects.create(
        id=order_id,
        account=world.account,
        instrument=world.instruments[spec.symbol],
        strategy=world.strategy,
        signal=signal,
        origin=spec.origin,
        actor=signal.actor,
        request_id=signal.request_id,
        side=spec.side,
        order_type=spec.order_type,
        quantity=Decimal(spec.quantity),
        price=Decimal(spec.price) if spec.price else None,
        exposure_quantity=Decimal(spec.quantity),
        reference_price=Decimal(PRICES[spec.symbol]),
        client_order_id=client_order_id,
        status=spec.begins,
        limits_version=world.limits,
        approved_at=None if spec.codes else at,
        approved_epoch=None if spec.codes else 4,
        expires_at=None if spec.codes else at + timedelta(seconds=60),
        created_at=at + timedelta(milliseconds=6),
    )
    Decision.objects.create(
        order=order,
        at=at + timedelta(milliseconds=6),
        allowed=not spec.codes,
        codes=list(spec.codes),
        checks=checks_of(spec.codes),
        facts={"price": PRICES[spec.symbol]},
        limits_version=world.limits,
        epoch=4,
    )
    for status in spec.moves:
        _move(order, status, spec, at)
    return order


def _move(order: Order, status: str, spec: Spec, at: Any) -> None:
    changes: dict[str, Any] = {"status": status}
    if status == "submitting":
        changes |= {"attempt": 1, "permit_at": at + timedelta(milliseconds=31)}
        _attempt(order, spec, at)
    if status == "in_doubt":
        changes["doubt_since"] = at + timedelta(seconds=10)
        OrderEvidence.objects.create(
            order=order, at=at + timedelta(seconds=11), source="query", kind="not_found", detail={}
        )
    if status == "open":
        changes |= {
            "exchange_order_id": f"C02__{order.pk.hex[-18:]}",
            "acknowledged_at": at + timedelta(milliseconds=214),
        }
        detail = {"exchange_order_id": "C02__5"}
        OrderEvidence.objects.create(
            order=order, at=at + timedelta(milliseconds=215), source="placement", kind="placed", detail=detail
        )
    if status in ("partially_filled", "filled"):
        changes |= _fill(order, spec, at)
    if status in ("filled", "canceled", "expired", "rejected", "lapsed", "not_accepted"):
        changes["finished_at"] = at + timedelta(seconds=2)
        changes["status_reason"] = spec.reason
    Order.objects.filter(pk=order.pk).update(**changes)
    order.refresh_from_db()


def _attempt(order: Order, spec: Spec, at: Any) -> None:
    answers = {
        "placed": (200, "", '{"symbol": "BTCUSDT", "orderId": "C02__5", "orderListId": -1}'),
        "refused": (
            400,
            "30002",
            '{"code": 30002, "msg": "The minimum transaction volume cannot be less than 1USDT"}',
        ),
        "unknown": (None, "", ""),
        "": (None, "", ""),
    }
    status, code, answer = answers[spec.outcome]
    OrderAttempt.objects.create(
        order=order,
        number=1,
        process="orders-1@host:4711",
        build="1a2b3c4",
        permit_at=at + timedelta(milliseconds=31),
        sent_at=at + timedelta(milliseconds=36) if spec.outcome else None,
        finished_at=at + timedelta(milliseconds=214) if spec.outcome else None,
        outcome=spec.outcome,
        http_status=status,
        venue_code=code,
        detail=spec.reason,
        request="POST /api/v3/order",
        answer=answer,
    )


def _fill(order: Order, spec: Spec, at: Any) -> dict[str, Any]:
    quantity, price = Decimal(spec.filled), Decimal(spec.paid or spec.price or PRICES[spec.symbol])
    Fill.objects.create(
        account=order.account,
        instrument=order.instrument,
        order=order,
        venue_fill_id=f"T{order.pk.hex[-16:]}",
        side=spec.side,
        price=price,
        quantity=quantity,
        notional=quantity * price,
        fee=quantity * price / 1000,
        fee_asset="USDT",
        realized_pnl=Decimal(0),
        filled_at=at + timedelta(seconds=1.9),
        booked_at=at + timedelta(seconds=2),
    )
    return {
        "filled_quantity": quantity,
        "venue_filled_quantity": quantity,
        "filled_notional": quantity * price,
    }
