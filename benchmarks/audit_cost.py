"""What the audit trail costs: the same orders with and without it, in turns."""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

from benchmarks.rows import Row

TURNS, ORDERS = 6, 15


def run_orders() -> None:
    """Decision, permit, request and outcome."""
    from benchmarks.books import submit_one
    from trading.doorbell import silence
    from trading.execution.dispatch import dispatch_order
    from trading.execution.following import follow_order

    for number in range(ORDERS):
        order = submit_one(side=("BUY", "SELL")[number % 2])
        with silence():
            dispatch_order(order.id)
            follow_order(order.id)


def without_audit(step: Callable[[], None]) -> None:
    with mock.patch("trading.audit.record"):
        step()


def measure() -> list[Row]:
    from benchmarks.books import open_books, time_call

    open_books()
    run_orders()
    audited, bare = 0.0, 0.0
    for _turn in range(TURNS):
        audited += time_call(run_orders)[0]
        bare += time_call(lambda: without_audit(run_orders))[0]
    count = TURNS * ORDERS
    return [
        Row("orders a second with the trail", count / audited, "/s", note="signal to fill, one process"),
        Row("orders a second without", count / bare, "/s"),
        Row("throughput lost to the trail", (1 - bare / audited) * 100, "%", "<= 20 %"),
    ]
