"""The permit's transaction, and the outcome's, around a real request to the simulated venue."""

from __future__ import annotations

import time

from benchmarks.rows import Row, quantile, spread

ORDERS, WARM_UP = 150, 10


def time_round_trip() -> float:
    """The smallest statement: what every other one costs at least on this machine, now."""
    from django.db import connection

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return time.perf_counter() - began


def measure() -> list[Row]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from benchmarks.books import open_books, stage_seconds, submit_one
    from trading.domain.outcomes import Placed
    from trading.doorbell import silence
    from trading.execution.dispatch import dispatch_order
    from trading.execution.following import follow_order
    from trading.execution.sync import sync_account

    open_books()
    taken_of, processor, trips = [], [], []
    for number in range(WARM_UP + ORDERS):
        order = submit_one(quantity="0.0002")
        with silence():
            began = time.process_time()
            with stage_seconds() as taken:
                outcome = dispatch_order(order.id)
            processor.append(time.process_time() - began)
            assert isinstance(outcome, Placed), outcome
            if number >= WARM_UP:
                taken_of.append(taken)
                trips.append(time_round_trip())
            if number % 10 == 9:
                follow_order(order.id)  # one list of fills serves all ten
                sync_account(
                    order.account_id, trigger="benchmark"
                )  # else the balances grow old on a busy machine
    order = submit_one()
    with silence(), CaptureQueriesContext(connection) as queries:
        dispatch_order(order.id)
    goals = {50: "<= 3 ms", 99: "<= 15 ms"}
    return [
        *spread(
            "permit", [taken["permit"] for taken in taken_of], goals=goals, note="one process, nobody else"
        ),
        *spread("venue request", [taken["request"] for taken in taken_of]),
        *spread("outcome", [taken["outcome"] for taken in taken_of]),
        *spread("SELECT 1", trips, note="the round trip that every statement pays"),
        Row(
            "processor time p50",
            quantile(processor, 50) * 1000,
            "ms",
            note="of a dispatch, without the database's",
        ),
        Row(
            "statements per dispatch", len(queries), "", note="permit and outcome, BEGIN and COMMIT included"
        ),
    ]
