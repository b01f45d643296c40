"""The lists of orders and fills: what is open, the cache of what has closed, the history, windows and cursors."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import unquote

from simulator.testing import running_venue
from tests.simulator.bybit.signed_client import BybitClient, code, result

DAY_MS = 86_400_000


def links(rows: list[dict[str, object]]) -> list[object]:
    return [row["orderLinkId"] for row in rows]


def test_open_orders_and_closed_ones_are_asked_for_apart(client: BybitClient):
    for link in ("a", "b", "c"):
        client.place(qty="0.01", price="46000", orderLinkId=link)
    client.cancel("b")
    assert links(client.realtime()) == ["c", "a"]
    assert links(client.realtime(openOnly=1)) == ["b"]
    assert links(client.history()) == ["b"]
    assert links(client.realtime(symbol="ETHUSDT")) == []
    assert client.history(orderLinkId="a") == [], "open orders have no history yet"
    assert client.realtime(orderLinkId="never") == client.history(orderId="1") == []


def test_a_restart_empties_the_cache_and_not_the_history(tmp_path: Path):
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as program:
        venue = program.at("bybit")
        client = BybitClient(venue.base_url, venue.key, venue.secret)
        client.place(qty="0.01", price="46000", orderLinkId="open")
        client.place(order_type="Market", qty="500", orderLinkId="filled")
        client.place(qty="0.01", price="50100", timeInForce="PostOnly", orderLinkId="would-take")
        assert links(client.realtime(orderLinkId="filled")) == ["filled"]
        client.close()
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as program:
        venue = program.at("bybit")
        client = BybitClient(venue.base_url, venue.key, venue.secret)
        assert links(client.realtime()) == ["open"]
        assert client.realtime(orderLinkId="filled") == client.realtime(openOnly=1) == []
        assert links(client.history()) == ["would-take", "filled"]
        assert client.history(orderLinkId="would-take")[0]["rejectReason"] == "EC_PostOnlyWillTakeLiquidity"
        assert code(client.place(qty="0.01", price="46000", orderLinkId="filled")) == 170141
        client.close()


def test_pages_go_on_by_cursor_until_one_is_empty(client: BybitClient):
    for number in range(5):
        client.place(qty="0.01", price="46000", orderLinkId=f"n{number}")
    seen, cursor, pages = [], "", 0
    while True:
        page = result(client.get("/v5/order/realtime", category="spot", limit=2, cursor=unquote(cursor)))
        pages += 1
        if not page["list"]:
            break
        seen += links(page["list"])
        cursor = page["nextPageCursor"]
        assert cursor, "a page with rows has a cursor, the last one too"
    assert seen == ["n4", "n3", "n2", "n1", "n0"]
    assert (pages, page["nextPageCursor"]) == (4, "")
    escaped = result(client.get("/v5/order/realtime", category="spot", limit=2, cursor=cursor))
    assert escaped["list"] == [], "a cursor is understood as it came, too"
    assert code(client.get("/v5/order/realtime", category="spot", cursor="nonsense")) == 10001


def test_fills_are_paged_windowed_and_named(client: BybitClient, bybit):
    client.place(qty="0.05", price="46000", orderLinkId="parts")
    for _ in range(5):
        bybit.fill("parts", "0.01")
    rows = client.executions(orderLinkId="parts")
    assert [row["leavesQty"] for row in rows] == ["0", "0.01", "0.02", "0.03", "0.04"]
    assert {(row["isMaker"], row["execType"], row["feeCurrency"]) for row in rows} == {(True, "Trade", "BTC")}
    assert [row["fill_id"] for row in bybit.fills()] == [row["execId"] for row in reversed(rows)]
    first = result(client.get("/v5/execution/list", category="spot", limit=3))
    rest = client.executions(limit=3, cursor=first["nextPageCursor"])
    assert first["list"] + rest == rows
    assert client.executions(symbol="ETHUSDT") == []
    now = int(time.time() * 1000)
    assert client.executions(endTime=now - DAY_MS) == []
    assert client.executions(startTime=now - DAY_MS) == rows


def test_windows_longer_than_a_week_and_limits_out_of_range_are_refused(client: BybitClient):
    now = int(time.time() * 1000)
    for path in ("/v5/order/history", "/v5/execution/list"):
        too_long = client.get(path, category="spot", startTime=now - 8 * DAY_MS, endTime=now)
        assert code(too_long) == 10001
        assert code(client.get(path, category="spot", startTime=now, endTime=now - 1)) == 10001
    assert code(client.get("/v5/order/history", category="spot", limit=51)) == 10001
    assert code(client.get("/v5/execution/list", category="spot", limit=101)) == 10001
    assert code(client.get("/v5/order/realtime", category="linear")) == 10001


def test_ordered_faults_bend_what_is_listed_and_not_the_books(client: BybitClient, bybit):
    client.place(order_type="Market", qty="500", orderLinkId="filled")
    client.place(qty="0.02", price="46000", orderLinkId="parts")
    bybit.fill("parts", "0.01")
    honest = client.executions()
    match = {"venue": "bybit", "path": "/v5/execution/list"}
    bybit.faults([{"match": match, "kind": "duplicate_fill"}])
    assert [row["execId"] for row in client.executions()[:2]] == [honest[0]["execId"]] * 2
    bybit.faults([{"match": match, "kind": "out_of_order"}])
    assert client.executions() == honest[::-1]
    bybit.faults([{"match": match, "kind": "delayed_fill", "seconds": 60}])
    assert client.executions() == []
    bybit.faults([{"match": {"path": "/v5/order/realtime"}, "kind": "not_found", "seconds": 60}])
    assert client.realtime() == client.realtime(orderLinkId="filled") == []
    assert links(client.history()) == ["filled"]
    bybit.clear_faults()
    assert client.executions() == honest
    assert bybit.book_differences() == []
