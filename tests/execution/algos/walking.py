"""Walks an algo through its life: the clock is moved by moving its past away, every step is taken by hand."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db.models import F

from tests.making import CLIENT
from tests.resetting import run_past_triggers
from trading.domain.algo_moves import Make, Move
from trading.domain.order_states import TERMINAL
from trading.execution.algos import start_algo
from trading.execution.algos.running import advance_algo
from trading.execution.poller import advance_order
from trading.models import Algo, Order

TWAP: dict[str, Any] = {
    "kind": "twap",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": "0.04",
    "duration_seconds": 400,
    "slices": 4,
}
VWAP = {**TWAP, "kind": "vwap", "profile": ["1", "3", "0", "4"]}
ICEBERG: dict[str, Any] = {
    "kind": "iceberg",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": "0.05",
    "price": "49000",
    "visible_quantity": "0.02",
}


def start(body: dict[str, Any] = TWAP, *, key: str = "", **more: Any) -> Algo:
    answer = start_algo({**body, **more}, actor=CLIENT, key=key or str(uuid4()))
    assert answer.answer["decision"] == "started", answer.answer["codes"]
    return answer.algo


def fresh(algo: Algo) -> Algo:
    return Algo.objects.select_related("account", "instrument", "strategy").get(pk=algo.pk)


def pass_seconds(algo: Algo, seconds: int) -> None:
    """As if all of this algo's past had happened so much earlier; what it ordered is left where it is."""
    row, span = fresh(algo), timedelta(seconds=seconds)
    pauses = [[(datetime.fromisoformat(at) - span).isoformat() for at in pause] for pause in row.pauses]
    run_past_triggers(
        "trading_algo",
        "UPDATE trading_algo SET start_at = start_at - %s, created_at = created_at - %s,"
        " state_since = state_since - %s, pauses = %s WHERE id = %s",
        [span, span, span, json.dumps(pauses), algo.pk],
    )
    Order.objects.filter(algo_child__algo=algo).update(finished_at=F("finished_at") - span)


def step(algo: Algo) -> Move | None:
    return advance_algo(algo.pk)


def children(algo: Algo) -> list[Order]:
    return list(Order.objects.filter(algo_child__algo=algo).order_by("algo_child__number"))


def quantities(algo: Algo) -> list[Decimal]:
    return [order.quantity for order in children(algo) if order.quantity is not None]


def settle(algo: Algo) -> None:
    """What an order worker does for its children."""
    for order in children(algo):
        if order.status not in TERMINAL:
            advance_order(order.pk)
            advance_order(order.pk)


def run_slice(algo: Algo) -> Move | None:
    """One step, and the child that it made to its end."""
    made = algo.children.count()
    move = step(algo)
    if isinstance(move, Make):
        if algo.children.count() == made:
            step(
                algo
            )  # on a machine that stood still for seconds the look was too old: the next one makes it
        settle(algo)
    return move
