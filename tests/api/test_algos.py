"""Algos over the API: started once, looked at whole, steered by those who may."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import jsonschema
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.execution.algos.walking import pass_seconds
from trading.api import algo_rows, throttles
from trading.execution.algos.running import advance_algo
from trading.models import Algo, AuditEntry, Order

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


def make_next_child(world: World, algo: Algo) -> None:
    pass_seconds(algo, 100)
    world.set_price(Decimal(50000))
    made = algo.children.count()
    advance_algo(algo.pk)
    assert algo.children.count() == made + 1


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
    assert [piece["target"] for piece in told["plan"]] == ["0.01", "0.02", "0.03", "0.04"]
    assert list(told["checks"][0])[:3] == ["rule", "code", "passed"] and told["is_cut"] is False
    assert [point["quantity"] for point in told["achieved"]] == ["0.01"]
    assert viewer.get(f"{LIST}/{uuid4()}").status_code == viewer.get(f"{LIST}/nothing").status_code == 404


def test_of_many_children_the_last_are_shown_and_it_says_so(world: World, algo: Algo, viewer, monkeypatch):
    fill_first_child(world, algo)
    make_next_child(world, algo)
    monkeypatch.setattr(algo_rows, "MOST", 1)
    told = viewer.get(one(algo)).json()
    assert [child["number"] for child in told["children"]] == [2] and told["is_cut"] is True
    assert told["progress"]["children"] == 2


def test_answers_are_what_the_document_says(world: World, algo: Algo, trader):
    written = Client().get("/api/schema/", {"format": "json"}).json()

    def mistakes(method: str, path: str, answer) -> list[str]:
        said = written["paths"][path][method]["responses"][str(answer.status_code)]
        shape = {**said["content"]["application/json"]["schema"], "components": written["components"]}
        found = jsonschema.Draft202012Validator(shape).iter_errors(answer.json())
        return [f"{path}: {list(error.absolute_path)} {error.message}" for error in found]

    single = f"{LIST}/{{name}}"
    assert mistakes("get", single, trader.get(one(algo))) == []
    fill_first_child(world, algo)
    make_next_child(world, algo)
    assert mistakes("get", single, trader.get(one(algo))) == []
    assert mistakes("post", PREVIEW, trader.post(PREVIEW, ICEBERG)) == []
    assert mistakes("post", LIST, trader.post(LIST, {**ICEBERG, "source_id": "two"})) == []
    assert mistakes("post", LIST, trader.post(LIST, {**TWAP, "quantity": "4", "source_id": "much"})) == []
    assert mistakes("get", LIST, trader.get(LIST)) == []
    assert mistakes("get", "/api/v1/orders", trader.get("/api/v1/orders")) == []
    assert mistakes("post", f"{single}/pause", trader.post(one(algo, "pause"))) == []
    assert mistakes("post", f"{single}/cancel", trader.post(one(algo, "cancel"))) == []


def test_every_kind_has_an_example_that_can_be_started(world: World, trader):
    written = Client().get("/api/schema/", {"format": "json"}).json()
    body = written["paths"][LIST]["post"]["requestBody"]["content"]["application/json"]
    shape = written["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
    examples = [example["value"] for example in body["examples"].values()]
    assert [example["kind"] for example in examples] == shape["properties"]["kind"]["enum"]
    for example in examples:
        profile = {"profile": ["1"] * example["slices"]} if example["kind"] == "vwap" else {}
        answer = trader.post(PREVIEW, {**example, **profile})
        assert answer.status_code == 200, answer.json()


def test_watchers_of_algos_hear_what_becomes_of_them(world: World, viewer, algo: Algo, trader):
    seen = AuditEntry.objects.latest("id").pk
    trader.post(one(algo, "pause"))
    paused = AuditEntry.objects.get(kind="algo.paused")
    told = viewer.get("/api/v1/stream", after=seen, topics="algos").content.decode()
    assert f"event: algos\nid: {paused.pk}\n" in told and str(algo.pk) in told


def test_stopping_is_as_free_as_canceling_an_order(algo: Algo, trader, monkeypatch):
    monkeypatch.setitem(throttles.RATES, "change", throttles.Rate(0.01, 1))
    throttles.forget_callers()
    verbs = [trader.post(one(algo, verb)).status_code for verb in ("pause", "resume", "pause", "cancel")]
    assert verbs == [200] * 4


def test_an_order_names_its_parent_and_the_list_finds_its_children(world: World, algo: Algo, viewer):
    order = fill_first_child(world, algo)
    row = viewer.get(f"/api/v1/orders/{order.pk}").json()
    assert (row["origin"], row["algo_id"], row["algo_child"]) == ("algo", str(algo.pk), 1)
    assert [row["id"] for row in viewer.get("/api/v1/orders", algo=algo.pk).json()["results"]] == [
        str(order.pk)
    ]
    fills = viewer.get("/api/v1/fills", algo=algo.pk).json()["results"]
    assert [fill["order_id"] for fill in fills] == [str(order.pk)]
    for path in ("/api/v1/orders", "/api/v1/fills"):
        assert viewer.get(path, algo=uuid4()).json()["results"] == []
        assert viewer.get(path, algo="twap").json()["context"]["field"] == "algo"


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
    make_next_child(world, algo)
    assert queries() == before
