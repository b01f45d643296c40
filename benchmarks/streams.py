"""From a fill at the venue to the committed position: with the private stream, and with its listener stopped."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from typing import Any

from benchmarks.rows import Row, spread
from rig.instance import StackInstance, wait_until
from rig.oracle import read_rows

WITH, WITHOUT = 25, 8
# After half a minute nobody follows an order any more but the sync, every ten seconds.
REST_SECONDS = 35
_PATIENCE = 60.0
_POSITION = "SELECT coalesce(sum(quantity), 0) AS held FROM trading_position"
_LIVE = "SELECT 1 AS n FROM trading_accountstream WHERE state = 'live'"


class Books:
    """The database of the stack, asked by plain SQL."""

    def __init__(self, stack: StackInstance) -> None:
        services = json.loads((stack.home / "run" / "services.json").read_text())
        self.url = services["DATABASE_URL"]

    def ask(self, query: str) -> list[dict[str, Any]]:
        return read_rows(self.url, query)

    def held(self) -> Any:
        return self.ask(_POSITION)[0]["held"]


def rest_orders(stack: StackInstance, count: int) -> list[str]:
    with stack.client() as client:
        answers = [client.post_signal(quantity="0.0005", price="48500").json() for _order in range(count)]
        wait_until(
            lambda: len(client.get_all("/api/v1/orders", status="open")) >= count,
            "the orders rest",
            _PATIENCE,
        )
    return [answer["client_order_id"] for answer in answers]


def time_fill(stack: StackInstance, books: Books, order: str) -> float:
    """Seconds from the venue's answer to the new position, seen by who asks all the time."""
    before = books.held()
    stack.venue.fill(order)
    began = time.perf_counter()
    while books.held() == before:
        if time.perf_counter() - began > _PATIENCE:
            raise AssertionError("the fill was never booked")
        time.sleep(0.002)
    return time.perf_counter() - began


def measure(stack: StackInstance) -> list[Row]:
    books, chance = Books(stack), random.Random(7)
    stack.venue.set_price("BTCUSDT", "50000")
    wait_until(lambda: books.ask(_LIVE), "the stream is live", _PATIENCE)
    orders = rest_orders(stack, WITH + WITHOUT)
    time.sleep(REST_SECONDS)
    listened = []
    for order in orders[:WITH]:
        listened.append(time_fill(stack, books, order))
        time.sleep(0.2)
    (listener, *_others) = stack.members("run_streams")
    os.kill(listener.pid, signal.SIGSTOP)
    polled = []
    try:
        for order in orders[WITH:]:
            time.sleep(chance.uniform(0, 5))
            polled.append(time_fill(stack, books, order))
    finally:
        os.kill(listener.pid, signal.SIGCONT)
        stack.venue.release_price("BTCUSDT")
    return [
        *spread("fill to position, with the stream", listened, goals={95: "<= 1000 ms"}),
        *spread(
            "fill to position, the listener stopped", polled, note="the sync finds it, every ten seconds"
        ),
    ]
