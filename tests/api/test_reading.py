"""Reading: GET changes nothing, numbers are plain, and no list costs more for having more rows."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from .addresses import path_of, views
from .rows import add_fill, add_history, fill_the_books, place, set_status
from .world import TWAP, make_instrument

WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|TRUNCATE|ALTER|CREATE|DROP|MERGE|COPY)\b", re.IGNORECASE)
LISTS = {
    path_of(route)
    for route, view in views()
    if getattr(view, "keyset", None) and "GET" in view.needs and not route.endswith("/")
}


@pytest.fixture
def busy_world(world, trader):
    order = place(trader, "a", strategy="momentum")
    set_status(order, "submitting", "open")
    add_history(order)
    add_fill(world, order)
    fill_the_books(world)
    assert trader.post("/api/v1/algos", {**TWAP, "source_id": "t"}).json()["decision"] == "started"
    trader.post("/api/v1/halts/engage", {"scope": "instrument", "target": "BTC/USDT", "reason": "x"})
    world.order = order
    return world


def read(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def writes_of(captured: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in captured if WRITES.match(query["sql"])]


def test_no_get_writes_anything(busy_world):
    user = User.objects.create_user("anna", is_staff=True)
    user.groups.set(Group.objects.all())
    browser = Client()
    browser.force_login(user, "django.contrib.auth.backends.ModelBackend")
    seen = 0
    for route, view in views():
        if "GET" not in view.needs:
            continue
        with CaptureQueriesContext(connection) as captured:
            answer = browser.get(
                path_of(route, name=str(busy_world.order.pk) if "orders" in route else "paper")
            )
            read(answer)
        assert answer.status_code in (200, 404), route
        assert writes_of(captured) == [], route
        seen += 1
    assert seen > 40


def test_with_a_token_only_its_last_use_is_noted(busy_world, as_role):
    caller = as_role("risk", "admin")
    with CaptureQueriesContext(connection) as captured:
        for path in sorted(LISTS):
            read(caller.get(path))
    writes = writes_of(captured)
    assert len(writes) <= 1 and all("last_used_at" in sql for sql in writes)


def test_every_list_has_the_same_shape(busy_world, as_role):
    caller = as_role("risk", "admin")
    assert len(LISTS) == 22
    for path in LISTS - {"/api/v1/audit/export"}:
        body = caller.get(path).json()
        assert {"results", "next", "previous"} <= body.keys(), path
        assert body["results"], f"{path} is empty: the test would see nothing"


def count_queries(caller, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = caller.get(path)
        read(answer)
    assert answer.status_code == 200, path
    return len(captured)


def test_lists_cost_the_same_with_more_rows(busy_world, trader, as_role):
    caller = as_role("risk", "admin")
    caller.get("/live/status")  # the token's first use is noted here
    before = {path: count_queries(caller, path) for path in LISTS}
    trader.post("/live/kill?on=true")
    as_role("risk").post("/live/kill?on=false")
    as_role("risk").post(
        "/api/v1/halts/release", {"scope": "instrument", "target": "BTC/USDT", "reason": "x"}
    )
    for key in "bcdef":
        order = place(trader, key, strategy=f"other-{key}")
        set_status(order, "submitting", "open")
        add_fill(busy_world, order)
        trader.post("/api/v1/algos", {**TWAP, "source_id": key})
    for base in ("ETH", "SOL"):
        make_instrument(f"{base}/USDT")
    assert {path: count_queries(caller, path) for path in LISTS} == before
    # The limits of every scope come with a question of their own for accounts and strategies.
    assert max(before.values()) <= 6, before


def test_numbers_are_plain_text_without_exponents(busy_world, viewer):
    fill = viewer.get("/api/v1/fills").json()["results"][0]
    assert (fill["fee"], fill["price"], fill["quantity"]) == ("0.0000001", "50000.1", "0.01")
    position = viewer.get("/api/v1/positions").json()["results"][0]
    assert (position["quantity"], position["notional"]) == ("-0.5", "25000")
    assert position["unrealized_pnl"] == "500"
    found = viewer.get("/api/v1/breaks").json()["results"][0]
    assert found["theirs"] == "0.0000001"


def test_no_list_answers_with_floats(busy_world, as_role):
    caller = as_role("risk", "admin")
    floats: list[str] = []
    for path in LISTS - {"/api/v1/audit/export"}:
        json.loads(caller.get(path).content, parse_float=floats.append)
    assert floats == []


def test_times_end_in_z(busy_world, viewer):
    for path, field in (
        ("orders", "created_at"),
        ("fills", "filled_at"),
        ("equity", "at"),
        ("instruments", "synced_at"),
    ):
        assert viewer.get(f"/api/v1/{path}").json()["results"][0][field].endswith("Z")


def test_unknown_parameters_are_refused_everywhere(busy_world, as_role):
    caller = as_role("risk", "admin")
    for route, view in views():
        if "GET" in view.needs and "v1" in route and "<" not in route:
            answer = caller.get(path_of(route), misspelt="1")
            assert answer.status_code == 400 and answer.json()["context"]["field"] == "misspelt", route


def test_a_nul_in_any_parameter_is_refused(busy_world, viewer):
    for name in ("actor", "client_order_id", "strategy", "account", "cursor"):
        assert viewer.get("/api/v1/orders", **{name: "a\x00"}).status_code == 400


def test_decisions_are_found_by_code(world, trader):
    from .world import buy

    trader.post("/api/v1/signals", buy("1000", source_id="big"))
    trader.post("/api/v1/signals", buy(source_id="small"))
    denied = trader.get("/api/v1/decisions", code="max_order_notional").json()["results"]
    assert len(denied) == 1 and denied[0]["decision"] == "denied"
    assert trader.get("/api/v1/decisions", allowed="true").json()["results"][0]["codes"] == []


def test_open_positions_can_be_asked_for(busy_world, viewer):
    assert len(viewer.get("/api/v1/positions", is_open="true").json()["results"]) == 1
    assert viewer.get("/api/v1/positions", is_open="false").json()["results"] == []
