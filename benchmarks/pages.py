"""Pages of the panel on the large data set: server time and queries of each, as a browser's request costs them.

The data set is made once, in an installation of its own under var/bench-large, and reused.
"""

from __future__ import annotations

import re
import time
from html import unescape
from importlib import import_module
from typing import Any

from benchmarks.rows import Row, quantile

REPEATS = 15
GOAL = "< 300"
ORDERS = "/admin/trading/order/"
OLDER = re.compile(r'href="([^"]*)" rel="next"')
LISTS = {
    "control room": "/admin/",
    "control room, month": "/admin/?range=month",
    "orders": ORDERS,
    "orders in doubt": "/admin/trading/order/?status=in_doubt",
    "orders of a symbol": "/admin/trading/order/?symbol=BTC/USDT",
    "orders, three filters": "/admin/trading/order/?symbol=BTC/USDT&status=filled&side=BUY",
    "orders, three filters, none": "/admin/trading/order/?symbol=BTC/USDT&status=rejected&side=SELL&origin=panel",
    "orders of a symbol, none": "/admin/trading/order/?symbol=BTC/USDT&status=quarantined",
    "orders, symbol and side, none": "/admin/trading/order/?symbol=DOGE/USDT&side=SELL",
    "orders of an origin, none": "/admin/trading/order/?origin=flatten",
    "orders of a side, none": "/admin/trading/order/?side=BUY&status=expired&within=month",
    "orders of a strategy, none": "/admin/trading/order/?strategy=nobody",
    "orders, an unknown id": "/admin/trading/order/?q=no-such-order",
    "fills": "/admin/trading/fill/",
    "fills of an account": "/admin/trading/fill/?account=paper",
    "fills of an unknown account": "/admin/trading/fill/?account=nobody",
    "fills, two filters, none": "/admin/trading/fill/?symbol=DOGE/USDT&side=SELL&within=month",
    "fills, an unknown id": "/admin/trading/fill/?q=no-such-fill",
    "algos": "/admin/trading/algo/",
    "algos that live": "/admin/trading/algo/?state=living",
    "algos of a symbol, none": "/admin/trading/algo/?symbol=DOGE/USDT&state=expired",
    "signals": "/admin/trading/signal/",
    "signals, an unknown key": "/admin/trading/signal/?q=no-such-key",
    "audit trail": "/admin/trading/auditentry/",
    "audit trail, halts": "/admin/trading/auditentry/?kind=halt.",
    "audit trail of a person": "/admin/trading/auditentry/?q=operator:anna",
    "audit trail, person and kind, none": "/admin/trading/auditentry/?kind=limits.&q=operator:anna",
    "audit trail, unknown object": "/admin/trading/auditentry/?q=no-such-object",
    "equity": "/admin/trading/equitysnapshot/",
    "equity of an account": "/admin/trading/equitysnapshot/?account=paper",
    "signals of an unknown strategy": "/admin/trading/signal/?strategy=nobody",
    "positions": "/admin/trading/position/",
    "balances": "/admin/trading/balance/",
    "sync runs": "/admin/trading/syncrun/",
    "breaks": "/admin/trading/break/",
    "alerts": "/admin/trading/alert/",
    "instruments": "/admin/trading/instrument/",
    "accounts": "/admin/trading/exchangeaccount/",
    "risk limits": "/admin/trading/limitsversion/",
    "portfolio": "/admin/trading/equitysnapshot/portfolio/",
    "a missing row": "/admin/trading/order/nothing/change/",
    "kill switch": "/admin/trading/haltstate/",
    "system": "/admin/system/",
    "strip": "/admin/strip/",
}


def measure() -> list[Row]:
    """Called inside the installation that holds the data set."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from levi_site.warm_up import warm_up_pages
    from trading.models import Fill, Order

    import_module("levi_site.wsgi")  # as a web process begins
    warm_up_pages()
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(
        User.objects.get(username="operator"), backend="django.contrib.auth.backends.ModelBackend"
    )
    began = time.perf_counter()
    client.get("/admin/")
    first = time.perf_counter() - began
    order, fill = Order.objects.filter(status="filled").first(), Fill.objects.first()
    assert order is not None and fill is not None
    addresses = LISTS | {
        "a position": f"/admin/trading/position/{_a_position().pk}/change/",
        "an algo of 500 children": f"/admin/trading/algo/{_the_largest_algo()}/change/",
        "an order": f"/admin/trading/order/{order.pk}/change/",
        "find a client order id": f"/admin/trading/order/?q={order.client_order_id}",
        "find a venue's fill id": f"/admin/find/?q={fill.venue_fill_id}",
        "find nothing": "/admin/find/?q=no-such-id",
        "orders, 100 pages back": _far_back(client),
    }
    rows = [
        Row("control room, first of a process", first * 1000, "ms", GOAL, "the first request of this process")
    ]
    for name, address in addresses.items():
        client.get(address)  # the caches of a page just opened
        spans = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            answer = client.get(address)
            spans.append(time.perf_counter() - began)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        note = f"{len(asked)} queries, {len(answer.content):,} bytes, {REPEATS} samples"
        rows += [Row(f"{name} p{q}", quantile(spans, q) * 1000, "ms", GOAL, note) for q in (50, 95)]
    return rows


def _a_position() -> Any:
    """In what was traded most; the data set has orders and fills only."""
    from django.utils import timezone

    from trading.models import Fill, Position

    fill = Fill.objects.order_by("-filled_at", "-id").first()
    assert fill is not None
    given = {"quantity": 1, "average_price": fill.price, "updated_at": timezone.now()}
    return Position.objects.get_or_create(
        account_id=fill.account_id, instrument_id=fill.instrument_id, defaults=given
    )[0]


def _the_largest_algo() -> Any:
    from trading.models import Algo

    return (
        Algo.objects.filter(actor="client:bench")
        .order_by("-created_at", "-id")
        .values_list("pk", flat=True)[0]
    )


def _far_back(client: Any) -> str:
    """The address of a page deep in the list."""
    address = ORDERS
    for _ in range(100):
        found = OLDER.search(client.get(address).content.decode())
        assert found is not None, f"the list ends before 100 pages: {address}"
        address = ORDERS + unescape(found[1])
    return address
