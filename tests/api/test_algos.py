"""Algos over the API: started once, looked at whole, steered by those who may."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from trading.execution.algos.running import advance_algo
from trading.models import Algo, Order

from .rows import add_fill, set_status
from .world import TWAP, World

LIST, PREVIEW = "/api/v1/algos", "/api/v1/algos/preview"
ICEBERG = {
    "kind": "iceberg",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": "0.05",
    "price": "49000",
    "visible_quantity": "0.02",
}


@pytest.fixture
def algo(world: World, trader) -> Algo:
    answer = trader.post(LIST, TWAP, Idempotency_Key="one")
    assert answer.json()["decision"] == "started", answer.json()
    return Algo.objects.get()


def one(algo: Algo, verb: str = "") -> str:
    return f"{LIST}/{algo.pk}{'/' + verb if verb else ''}"


def fill_first_child(world: World, algo: Algo) -> Order:
    advance_algo(algo.pk)
    order = Order.objects.get(algo_child__algo=algo)
    set_status(order, "submitting", "open")
    add_fill(world, order)
    Order.objects.filter(pk=order.pk).update(
        status="filled", filled_quantity=order.quantity, filled_notional=Decimal("500.5")
    )
    return order


def test_a_repeat_gets_the_same_bytes_and_another_body_is_refused(world: World, trader):
    first, again = (trader.post(LIST, TWAP, Idempotency_Key="one") for _ in range(2))
    assert first.status_code == again.status_code == 201 and first.content == again.content
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotent-Replayed"] == "true"
    other = trader.post(LIST, {**TWAP, "quantity": "0.08"}, Idempotency_Key="one")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
    assert Algo.objects.count() == 1


def test_the_answer_has_plan_checks_and_times_in_utc(world: World, trader):
    body = trader.post(LIST, TWAP, Idempotency_Key="one").json()
    assert [piece["target"] for piece in body["plan"]] == ["0.01", "0.02", "0.03", "0.04"]
    assert body["start_at"].endswith("Z") and body["plan"][0]["at"].endswith("Z")
    assert {check["of"] for check in body["checks"]} == {"child", "whole"}
    assert list(body)[:3] == ["decision", "codes", "checks"]


def test_a_denied_algo_is_an_answer_and_a_row(world: World, trader):
    answer = trader.post(LIST, {**TWAP, "quantity": "4"}, Idempotency_Key="one")
    assert answer.status_code == 201 and answer.json()["decision"] == "denied"
    assert "exposure_symbol" in answer.json()["codes"]
    assert trader.get(LIST, state="denied").json()["results"][0]["codes"] == answer.json()["codes"]


def test_a_preview_writes_nothing(world: World, trader):
    answer = trader.post(PREVIEW, ICEBERG)
    assert answer.status_code == 200 and answer.json()["decision"] == "started"
    assert answer.json()["largest_child"] == "0.02" and answer.json()["ends_at"] is None
    assert not Algo.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"), [({**TWAP, "slices": "many"}, "slices"), ({**TWAP, "size": "1"}, "size"), ({}, "kind")]
)
def test_a_mistake_names_its_field(world: World, trader, body, field):
    for path in (LIST, PREVIEW):
        answer = trader.post(path, body, Idempotency_Key="one")
        assert answer.status_code == 400 and answer.json()["context"]["field"] == field
    assert not Algo.objects.exists()


def test_one_algo_tells_progress_children_and_both_curves(world: World, algo: Algo, viewer):
    order = fill_first_child(world, algo)
    told = viewer.get(one(algo)).json()
    progress = told["progress"]
    assert (progress["filled"], progress["left"], progress["children"]) == ("0.01", "0.03", 1)
    assert (progress["average_price"], progress["slippage_bps"]) == ("50050", "10")
    assert told["state"] == "running" and told["ends_at"].endswith("Z")
    child = told["children"][0]
    assert (child["number"], child["slice"], child["order_id"]) == (1, 0, str(order.pk))
    assert (child["status"], child["average_price"]) == ("filled", "50050")
    assert [point["quantity"] for point in told["schedule"]] == ["0.01", "0.02", "0.03", "0.04"]
    assert [point["quantity"] for point in told["achieved"]] == ["0.01"]
    assert viewer.get(f"{LIST}/{uuid4()}").status_code == viewer.get(f"{LIST}/nothing").status_code == 404


def test_an_order_names_its_parent_and_the_list_finds_its_children(world: World, algo: Algo, viewer):
    order = fill_first_child(world, algo)
    row = viewer.get(f"/api/v1/orders/{order.pk}").json()
    assert (row["origin"], row["algo_id"], row["algo_child"]) == ("algo", str(algo.pk), 1)
    assert [row["id"] for row in viewer.get("/api/v1/orders", algo=algo.pk).json()["results"]] == [
        str(order.pk)
    ]
    assert viewer.get("/api/v1/orders", algo=uuid4()).json()["results"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "running,paused"}, 1),
        ({"state": "completed"}, 0),
        ({"kind": "twap", "side": "BUY", "symbol": "btc/usdt", "account": "paper"}, 1),
        ({"kind": "iceberg"}, 0),
        ({"strategy": "nobody"}, 0),
    ],
)
def test_the_list_takes_its_filters(algo: Algo, viewer, query, found):
    assert len(viewer.get(LIST, **query).json()["results"]) == found


def test_an_algo_is_paused_resumed_and_canceled(algo: Algo, trader, as_role):
    paused = as_role("risk").post(one(algo, "pause"), {"reason": "look first"})
    assert (paused.status_code, paused.json()["state"], paused.json()["state_reason"]) == (
        200,
        "paused",
        "look first",
    )
    assert as_role("risk").post(one(algo, "resume")).status_code == 403
    assert trader.post(one(algo, "resume")).json()["state"] == "running"
    assert as_role("risk").post(one(algo, "cancel")).json()["state"] == "canceling"
    advance_algo(algo.pk)
    again = trader.post(one(algo, "cancel"))
    assert (again.status_code, again.json()["code"]) == (400, "algo_state")
    assert trader.post(one(algo, "pause"), {"why": "x"}).json()["context"]["field"] == "why"


def test_a_halt_stands_in_the_way_of_resuming_and_of_nothing_else(algo: Algo, trader):
    trader.post("/live/kill?on=true")
    assert trader.post(one(algo, "pause")).json()["state"] == "paused"
    refused = trader.post(one(algo, "resume"))
    assert (refused.status_code, refused.json()["code"]) == (400, "halted")
    assert trader.post(one(algo, "cancel")).json()["state"] == "canceling"


def test_cancel_all_ends_algos_and_names_them(algo: Algo, trader):
    assert trader.post("/api/v1/orders/cancel-all", {}).json()["algos"] == [str(algo.pk)]
    assert Algo.objects.get().state == "canceling"


def test_one_algo_costs_the_same_with_more_children(world: World, algo: Algo, viewer):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert viewer.get(one(algo)).status_code == 200
        return len(asked)

    viewer.get(one(algo))
    fill_first_child(world, algo)
    before = queries()
    Algo.objects.update(start_at=F("start_at") - timedelta(seconds=100))
    world.set_price(Decimal(50000))
    advance_algo(algo.pk)
    assert algo.children.count() == 2
    assert queries() == before
