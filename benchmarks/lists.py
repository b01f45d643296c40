"""The API's lists on the large data set: server time of a page, with filters that match much, old rows, or nothing.

Called in the web process's own code, without its network. A page that looked through a part only says so in its note.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from benchmarks.rows import Row, quantile

REPEATS = 15
GOAL = "< 300"
# name -> list and filters; `old` is put in for the first day of the data set.
LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "orders": ("orders", {}),
    "orders, 500 a page": ("orders", {"limit": "500"}),
    "orders of a symbol": ("orders", {"symbol": "BTC/USDT"}),
    "orders that live": ("orders", {"status": "open,in_doubt"}),
    "orders, none of this status": ("orders", {"status": "expired"}),
    "orders, symbol and side that never met": ("orders", {"symbol": "DOGE/USDT", "side": "SELL"}),
    "orders, symbol and status, none": ("orders", {"symbol": "BTC/USDT", "status": "quarantined"}),
    "orders of an actor": ("orders", {"actor": "client:bench"}),
    "orders of nobody": ("orders", {"actor": "client:nobody"}),
    "orders of nobody, one side": ("orders", {"actor": "client:nobody", "side": "BUY"}),
    "orders of no request": ("orders", {"request_id": "none"}),
    "orders, an unknown id": ("orders", {"client_order_id": "none"}),
    "orders, an unknown venue's id": ("orders", {"exchange_order_id": "none"}),
    "orders, old": ("orders", {"created_before": "old"}),
    "orders, old, of a symbol and status": (
        "orders",
        {"created_before": "old", "symbol": "BTC/USDT", "status": "rejected"},
    ),
    "orders, old, none": ("orders", {"created_before": "old", "status": "quarantined"}),
    "fills": ("fills", {}),
    "fills of a symbol": ("fills", {"symbol": "BTC/USDT"}),
    "fills, symbol and side that never met": ("fills", {"symbol": "DOGE/USDT", "side": "SELL"}),
    "fills of an unknown order": ("fills", {"client_order_id": "none"}),
    "fills of a strategy, none": ("fills", {"strategy": "nobody"}),
    "fills, old": ("fills", {"filled_before": "old"}),
    "fills, old, none": ("fills", {"filled_before": "old", "symbol": "DOGE/USDT", "side": "SELL"}),
    "audit": ("audit", {}),
    "audit, a kind": ("audit", {"kind": "fill.booked"}),
    "audit, a family": ("audit", {"kind": "order."}),
    "audit, a family, none": ("audit", {"kind": "nothing."}),
    "audit of a person": ("audit", {"actor": "operator:anna"}),
    "audit of nobody": ("audit", {"actor": "operator:nobody"}),
    "audit, person and kind, none": ("audit", {"actor": "operator:anna", "kind": "limits.changed"}),
    "audit, an unknown object": ("audit", {"object_id": "none"}),
    "audit of a type, none": ("audit", {"object_type": "nothing"}),
    "audit of a type and nobody": ("audit", {"object_type": "order", "actor": "operator:nobody"}),
    "audit, no request": ("audit", {"request_id": "none"}),
    "audit, old": ("audit", {"at_before": "old"}),
    "audit, old, a kind": ("audit", {"at_before": "old", "kind": "order.filled"}),
    "audit, old, none": ("audit", {"at_before": "old", "actor": "operator:nobody"}),
    "signals": ("signals", {}),
    "signals of a source": ("signals", {"source": "client:bench"}),
    "signals of nobody": ("signals", {"source": "client:nobody"}),
    "signals, an unknown key": ("signals", {"key": "none"}),
    "equity": ("equity", {}),
    "equity of an account": ("equity", {"account": "paper"}),
    "algos": ("algos", {}),
    "algos, none of this state and symbol": ("algos", {"symbol": "DOGE/USDT", "state": "expired"}),
    "decisions": ("decisions", {}),
}


def measure() -> list[Row]:
    """Called inside the installation that holds the data set."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(
        User.objects.get(username="operator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    rows = []
    for name, (page, filters) in LISTS.items():
        address = f"/api/v1/{page}?{urlencode(_filled_in(filters))}"
        answer = client.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code} {answer.content[:300]!r}"
        spans = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            answer = client.get(address)
            spans.append(time.perf_counter() - began)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        note = f"{len(asked)} queries, {_say(answer.json())}, {REPEATS} samples"
        rows += [Row(f"{name} p{q}", quantile(spans, q) * 1000, "ms", GOAL, note) for q in (50, 95)]
    return rows


def _filled_in(filters: dict[str, str]) -> dict[str, str]:
    from benchmarks.large_set import DAYS

    old = (datetime.now(UTC) - timedelta(days=DAYS - 1)).isoformat(timespec="seconds")
    return {name: old if value == "old" else value for name, value in filters.items()}


def _say(answer: dict[str, Any]) -> str:
    return f"{len(answer['results'])} rows" + (", looked through a part" if answer["looked_until"] else "")
