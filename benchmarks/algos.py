"""Algos: a step that makes a child against an order of one's own, one that waits, and 200 of them in the poll loop."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from benchmarks.rows import Row, quantile, spread

RUNNING, STEPS, SECONDS_PER_SLICE = 200, 60, 60
LOOK_SECONDS = 5.0  # the longest that an algo is not looked at


def start_many(count: int) -> list[Any]:
    """Different ones: the same again within seconds would be denied."""
    from uuid import uuid4

    from benchmarks.books import BENCHMARK
    from trading.doorbell import silence
    from trading.execution.algos import start_algo

    body = {
        "kind": "twap",
        "symbol": "BTC/USDT",
        "side": "BUY",
        "duration_seconds": 60 * SECONDS_PER_SLICE,
        "slices": 60,
    }
    started = []
    for number in range(count):
        quantity = Decimal("0.018") + number * Decimal("0.00006")
        with silence():
            answer = start_algo({**body, "quantity": str(quantity)}, actor=BENCHMARK, key=str(uuid4()))
        assert answer.answer["decision"] == "started", answer.answer["codes"]
        started.append(answer.algo.pk)
    return started


def make_due(algos: list[Any]) -> None:
    """As if they had been started a slice earlier, which the database's guard would refuse."""
    from datetime import timedelta

    from tests.resetting import run_past_triggers

    run_past_triggers(
        "trading_algo",
        "UPDATE trading_algo SET start_at = start_at - %s, next_action_at = created_at WHERE id = ANY(%s)",
        [timedelta(seconds=SECONDS_PER_SLICE), algos],
    )


def take_steps(algos: list[Any]) -> tuple[list[float], list[str]]:
    from trading.doorbell import silence
    from trading.execution.algos.running import advance_algo

    taken, moves = [], []
    for pk in algos:
        began = time.perf_counter()
        with silence():
            moves.append(type(advance_algo(pk)).__name__)
        taken.append(time.perf_counter() - began)
    return taken, moves


def count_statements(step: Any) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        step()
    return len(queries)


def measure() -> list[Row]:
    from benchmarks.books import open_books, submit_one, time_call
    from benchmarks.decision import take_back
    from trading.models import Algo, Order

    open_books()
    algos = start_many(RUNNING)
    own = []
    for _order in range(STEPS):
        seconds, order = time_call(submit_one)
        own.append(seconds)
        take_back(order)
    own_statements = count_statements(submit_one)
    make, moves = take_steps(algos[:STEPS])
    assert set(moves) == {"Make"}, moves
    make_statements = count_statements(lambda: take_steps(algos[STEPS : STEPS + 1]))
    take_steps(algos[STEPS + 1 :])
    wait, moves = take_steps(algos[:STEPS])
    assert set(moves) == {"Wait"}, moves
    wait_statements = count_statements(lambda: take_steps(algos[:1]))
    pass_seconds, processor, claimed, statements = poll_once_through(algos)
    Order.objects.filter(status="approved").update(status="lapsed")
    Algo.objects.filter(pk__in=algos).update(state="canceling", next_action_at=None)
    ratio = quantile(make, 50) / quantile(own, 50)
    return [
        *spread("an order of one's own, decided", own),
        *spread("a step that makes a child", make, note="look, decision of the child, timer"),
        Row("… in decisions of one's own", ratio, "times", note="of the medians, in this run"),
        Row("statements per order of one's own", own_statements, ""),
        Row("statements per step that makes a child", make_statements, ""),
        *spread("a step that waits", wait),
        Row("… in decisions of one's own", quantile(wait, 50) / quantile(own, 50), "times"),
        Row("statements per step that waits", wait_statements, ""),
        Row(
            f"one pass over {claimed} running algos",
            pass_seconds * 1000,
            "ms",
            note="claims and steps, all waiting",
        ),
        Row("statements per algo in a pass", statements / claimed, ""),
        Row(
            f"of one processor for {claimed} algos",
            processor / LOOK_SECONDS * 100,
            "%",
            note=f"each looked at every {LOOK_SECONDS:g} s; without the database's part",
        ),
    ]


def poll_once_through(algos: list[Any]) -> tuple[float, float, int, int]:
    """Seconds and processor seconds until each was looked at once; how many; and statements of a second such pass."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    began, processor = time.perf_counter(), time.process_time()
    claimed = look_once_at(algos)
    spent = time.perf_counter() - began, time.process_time() - processor
    few = algos[:STEPS]  # the log of statements is bounded
    with CaptureQueriesContext(connection) as queries:
        look_once_at(few)
    return *spent, claimed, len(queries) * len(algos) // len(few)


def look_once_at(algos: list[Any]) -> int:
    """As the poll loop does, until all of these were claimed. Who is looked at again meanwhile is not due yet."""
    from django.db.models import F

    from trading.doorbell import silence
    from trading.execution.algos.running import run_due_algos
    from trading.models import Algo

    living = Algo.objects.filter(state="running")
    living.update(next_action_at=None)
    living.filter(pk__in=algos).update(next_action_at=F("created_at"))
    claimed = 0
    with silence():
        while claimed < len(algos) and (found := run_due_algos(len(algos) - claimed)):
            claimed += found
    return claimed
