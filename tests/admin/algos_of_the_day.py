"""Algos in every state, written straight into the tables: one that runs late after a pause, one that rests in the book,
one that a halt paused, and what became of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction

from tests.admin.orders_of_the_day import PRICES, Spec, checks_of, write_order
from trading import audit
from trading.domain.actors import Actor, ActorKind
from trading.domain.algo_plans import make_plan
from trading.domain.money import plain
from trading.models import Algo, AlgoChild, Order

TED = Actor(ActorKind.OPERATOR, "ted", "req-ted-1")


@dataclass(frozen=True)
class Piece:
    """One child: minutes ago, which slice, how much of its quantity was filled, at which price, and where it ended."""

    minutes_ago: float
    slice: int
    filled: str = ""
    paid: str = ""
    end: str = "filled"
    reason: str = ""


@dataclass(frozen=True)
class AlgoSpec:
    name: str
    kind: str
    symbol: str
    side: str
    quantity: str
    child: str
    minutes_ago: float
    state: str = "running"
    minutes: int = 16
    weights: tuple[int, ...] = (1,) * 8
    price: str | None = None
    visible: str | None = None
    state_minutes_ago: float | None = None
    reason: str = ""
    waiting_for: str = ""
    pauses: tuple[tuple[float, float], ...] = ()
    pieces: tuple[Piece, ...] = ()
    codes: tuple[str, ...] = ()
    trail: tuple[tuple[str, float, str], ...] = field(default=())  # kind, minutes ago, reason


ALGOS = (
    AlgoSpec(
        "done", "twap", "ETH/USDT", "SELL", "0.4", "0.1", 300, "completed", weights=(1,) * 4, state_minutes_ago=284,
        pieces=tuple(Piece(300 - 4 * n, n, "0.1", f"{3311 - n}") for n in range(4)),
    ),
    AlgoSpec(
        "expired", "twap", "BTC/USDT", "BUY", "0.02", "0.005", 200, "expired", weights=(1,) * 4, price="63900",
        state_minutes_ago=184, reason="0.01 of 0.02 filled",
        pieces=(Piece(200, 0, "0.005", "63890"), Piece(196, 1, "0.005", "63899")),
    ),
    AlgoSpec(
        "canceled", "twap", "SOL/USDT", "BUY", "8", "1", 150, "canceled", state_minutes_ago=140,
        reason="2 of 8 filled", pieces=(Piece(150, 0, "1", "147.9"), Piece(148, 1, "1", "148")),
    ),
    AlgoSpec(
        "denied", "twap", "BTC/USDT", "BUY", "0.4", "0.1", 95, "denied", weights=(1,) * 4, minutes=40,
        reason="max_order_notional, exposure_symbol", codes=("max_order_notional", "exposure_symbol"),
    ),
    AlgoSpec(
        "halted", "vwap", "SOL/USDT", "BUY", "6", "1", 40, "paused", minutes=60, weights=(2, 3, 1, 1, 2, 3),
        state_minutes_ago=22, reason="a halt: everything: was halted (Venue trouble)",
        pieces=(Piece(40, 0, "1", "147.2"), Piece(30, 1, "1.5", "147.8")),
        trail=(("algo.paused", 22, "a halt: everything: was halted (Venue trouble)"),),
    ),
    AlgoSpec(
        "canceling", "iceberg", "SOL/USDT", "SELL", "3", "0.5", 30, "canceling", weights=(1,), price="152.2",
        visible="0.5", state_minutes_ago=0.1, reason="canceled by operator:ted", pieces=(Piece(1, 0, end="open"),),
    ),
    AlgoSpec(
        "resting", "iceberg", "ETH/USDT", "SELL", "0.5", "0.1", 26, weights=(1,), price="3391", visible="0.1",
        waiting_for="child 3 is open",
        pieces=(Piece(26, 0, "0.1"), Piece(14, 0, "0.1"), Piece(5, 0, end="open")),
    ),
    AlgoSpec(
        "running", "twap", "BTC/USDT", "BUY", "0.04", "0.005", 12, pauses=((9, 6.5),),
        waiting_for="the next slice is not due yet", state_minutes_ago=6.5, reason="resumed by operator:ted",
        pieces=(
            Piece(11.9, 0, "0.005", "64202"),
            Piece(9.9, 1, "0.005", "64251.5"),
            Piece(5.4, 2, end="denied", reason="price_stale"),
            Piece(5.2, 2, "0.0031", "64330", end="expired"),
            Piece(3.4, 3, "0.002", "64298", end="expired"),
        ),
        trail=(("algo.paused", 9, "look at the spread first"), ("algo.resumed", 6.5, "resumed by operator:ted")),
    ),
)  # fmt: skip


def plan_algos(day: Any) -> dict[str, Algo]:
    return {spec.name: write_algo(day, spec) for spec in ALGOS}


def write_algo(day: Any, spec: AlgoSpec) -> Algo:
    def ago(minutes: float) -> Any:
        return day.now - timedelta(minutes=minutes)

    instrument, quantity = day.instruments[spec.symbol], Decimal(spec.quantity)
    plan = make_plan(
        quantity,
        [Decimal(weight) for weight in spec.weights],
        seconds=spec.minutes * 60,
        lot_size=instrument.lot_size,
    )
    changed = spec.minutes_ago if spec.state_minutes_ago is None else spec.state_minutes_ago
    has_ended = spec.state in ("completed", "expired", "canceled", "denied")
    algo = Algo.objects.create(
        kind=spec.kind,
        account=day.account,
        instrument=instrument,
        strategy=day.strategy if spec.kind == "twap" else None,
        actor=str(TED),
        request_id=TED.request_id,
        side=spec.side,
        quantity=quantity,
        price=Decimal(spec.price) if spec.price else None,
        visible_quantity=Decimal(spec.visible) if spec.visible else None,
        plan=[{"after": plain(piece.after), "target": plain(piece.target)} for piece in plan],
        profile_source="weights of the request" if spec.kind == "vwap" else "",
        arrival_price=Decimal(PRICES[spec.symbol]),
        start_at=ago(spec.minutes_ago),
        duration_seconds=None if spec.kind == "iceberg" else spec.minutes * 60,
        state=spec.state,
        state_reason=spec.reason,
        state_since=ago(changed),
        waiting_for=spec.waiting_for,
        pauses=[[ago(begin).isoformat(), ago(end).isoformat()] for begin, end in spec.pauses],
        epoch=4,
        checks=[{**check, "of": of} for of in ("child", "whole") for check in checks_of(spec.codes)],
        codes=list(spec.codes),
        source=str(TED),
        key=f"ticket-{uuid4().hex}",
        body_hash="0" * 64,
        body={},
        created_at=ago(spec.minutes_ago),
        finished_at=ago(changed) if has_ended else None,
        next_action_at=None if has_ended or spec.state == "paused" else day.now,
    )
    for number, piece in enumerate(spec.pieces, start=1):
        write_child(day, algo, spec, piece, number)
    with transaction.atomic():
        begun = "algo.denied" if spec.codes else "algo.started"
        for kind, _minutes, reason in ((begun, spec.minutes_ago, ""), *spec.trail):
            data = {"kind": spec.kind, "symbol": spec.symbol, "side": spec.side, "reason": reason}
            audit.record(kind, actor=TED, object_type="algo", object_id=algo.pk, data=data)
    return algo


_MOVES = {
    "filled": ("submitting", "open", "filled"),
    "open": ("submitting", "open"),
    "expired": ("submitting", "open", "partially_filled", "expired"),
}


def write_child(day: Any, algo: Algo, spec: AlgoSpec, piece: Piece, number: int) -> None:
    is_denied = piece.end == "denied"
    order = write_order(
        day,
        Spec(
            name=f"{spec.name}-{number}",
            symbol=spec.symbol,
            side=spec.side,
            quantity=piece.filled if piece.end == "filled" else spec.child,
            minutes_ago=piece.minutes_ago,
            moves=() if is_denied else _MOVES[piece.end],
            begins="denied" if is_denied else "approved",
            price=spec.price,
            order_type="LIMIT" if spec.price else "MARKET",
            filled=piece.filled or "0",
            codes=(piece.reason,) if is_denied else (),
            reason=piece.reason,
            origin="algo",
            paid=piece.paid,
        ),
    )
    if is_denied:
        Order.objects.filter(pk=order.pk).update(status_reason=piece.reason)
    AlgoChild.objects.create(
        order=order,
        algo=algo,
        number=number,
        slice=piece.slice,
        at=day.now - timedelta(minutes=piece.minutes_ago),
    )
