"""One decision: risk rules, gate, intent and audit in one commit, called directly."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.rows import Row, quantile, spread

ORDERS, WARM_UP = 150, 10


def take_back(order: Any) -> None:
    """So that the next decision does not count it."""
    from trading.models import Order

    Order.objects.filter(pk=order.pk).update(status="lapsed")


def measure() -> list[Row]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from benchmarks.books import open_books, stage_seconds, submit_one

    open_books()
    for _order in range(WARM_UP):
        take_back(submit_one())
    with CaptureQueriesContext(connection) as queries:
        order = submit_one()
    take_back(order)
    decide, processor = [], []
    for _order in range(ORDERS):
        began = time.process_time()
        with stage_seconds() as taken:
            order = submit_one()
        processor.append(time.process_time() - began)
        decide.append(taken["decide"])
        take_back(order)
    return [
        *spread("decision", decide, note="under the account's lock: what limits orders a second per account"),
        Row(
            "processor time p50",
            quantile(processor, 50) * 1000,
            "ms",
            note="of the whole submit, without the database's",
        ),
        Row("statements per signal", len(queries), "", note="BEGIN and COMMIT included"),
    ]
