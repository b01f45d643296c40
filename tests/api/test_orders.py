"""Orders: placing, finding by any of their names, their whole story, and cancels that are requests."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from trading.models import AuditEntry, Order

from .rows import add_fill, add_history, place, set_status
from .world import buy

ORDERS = "/api/v1/orders"


def test_an_explicit_order_is_marked_as_such(world, trader):
    order = place(trader, "a", order_type="LIMIT", price="49999.999", strategy="momentum")
    assert (order.origin, order.order_type) == ("api", "LIMIT")
    row = trader.get(f"{ORDERS}/{order.pk}").json()
    assert (row["price"], row["quantity"], row["strategy"]) == ("49999.99", "0.01", "momentum")


def test_the_same_key_on_signals_and_orders_never_makes_two_orders(world, trader):
    trader.post("/api/v1/signals", buy(), Idempotency_Key="one")
    assert trader.post(ORDERS, buy(), Idempotency_Key="one").status_code == 422
    assert Order.objects.count() == 1


def test_an_order_answers_to_all_its_names(world, trader):
    order = place(trader, "a")
    set_status(order, "submitting", "open")
    for name in (order.pk, order.client_order_id, order.exchange_order_id):
        assert trader.get(f"{ORDERS}/{name}").json()["id"] == str(order.pk)


@pytest.mark.parametrize("name", ["01890000-0000-7000-8000-000000000000", "nope", "%00", "..%2f", "x" * 300])
def test_an_unknown_order_is_404(world, trader, name):
    for answer in (trader.get(f"{ORDERS}/{name}"), trader.post(f"{ORDERS}/{name}/cancel")):
        assert answer.status_code in (404, 400) and answer.json()["code"] in ("not_found", "invalid_input")


def test_the_story_holds_decision_fills_and_events_in_order(world, trader):
    order = place(trader, "a")
    set_status(order, "submitting", "open")
    add_history(order)
    add_fill(world, order)
    story = trader.get(f"{ORDERS}/{order.pk}").json()
    assert story["decision"]["decision"] == "approved" and story["decision"]["checks"]
    assert [(fill["price"], fill["fee"]) for fill in story["fills"]] == [("50000.1", "0.0000001")]
    kinds = [event["kind"] for event in story["events"]]
    assert kinds[0] == "order.approved"
    assert {"permitted", "sent", "answered", "found"} <= set(kinds)
    times = [event["at"] for event in story["events"]]
    assert times == sorted(times) and all(at.endswith("Z") for at in times)
    assert story["is_cut"] is False


def count_queries(caller, path: str) -> int:
    caller.get(path)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert caller.get(path).status_code == 200
    return len(captured)


def test_a_story_costs_the_same_however_long_it_is(world, trader):
    order = place(trader, "a")
    set_status(order, "submitting", "open")
    add_history(order, 1)
    add_fill(world, order, 1)
    short = count_queries(trader, f"{ORDERS}/{order.pk}")
    for number in range(2, 12):
        add_history(order, number)
        add_fill(world, order, number)
    assert count_queries(trader, f"{ORDERS}/{order.pk}") == short <= 9


def test_filters_narrow_the_list(world, trader):
    first = place(trader, "a", strategy="momentum")
    second = place(trader, "b", order_type="LIMIT", price="49000")
    set_status(second, "submitting", "open")

    def found(**query: str) -> set[str]:
        answer = trader.get(ORDERS, **query)
        assert answer.status_code == 200, answer.json()
        return {row["id"] for row in answer.json()["results"]}

    one, two = str(first.pk), str(second.pk)
    assert found() == {one, two}
    assert found(status="open") == {two}
    assert found(status="open,approved") == {one, two}
    assert found(account="paper", symbol="btc/usdt", side="BUY") == {one, two}
    assert found(side="SELL") == set()
    assert found(strategy="momentum") == {one}
    assert found(client_order_id=first.client_order_id) == {one}
    assert found(order_type="LIMIT") == {two}
    assert found(created_after=second.created_at.isoformat()) == {two}
    assert found(created_before=second.created_at.isoformat()) == {one}
    assert found(created_after=timezone.now().isoformat().replace("+00:00", "Z")) == set()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"account": "nope"}, "account"),
        ({"symbol": "NO/PE"}, "symbol"),
        ({"status": "opened"}, "status"),
        ({"side": "buy it"}, "side"),
        ({"created_after": "yesterday"}, "created_after"),
        ({"created_after": "0001-01-01T00:00:00+14:00"}, "created_after"),
        ({"created_after": "2026-01-01T00:00:00-99:00"}, "created_after"),
        ({"created_before": "9999-12-31T23:59:59-14:00"}, "created_before"),
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "WzAsImEiLCJiIl0"}, "cursor"),
        ({"stauts": "open"}, "stauts"),
        ({"client_order_id": "a\x00b"}, "client_order_id"),
        ({"side": ["BUY", "SELL"]}, "side"),
    ],
)
def test_a_wrong_filter_is_an_error_not_everything(world, trader, query, field):
    answer = trader.get(ORDERS, **query)
    assert answer.status_code == 400 and answer.json()["context"]["field"] == field, answer.json()


def test_canceling_an_order_that_was_not_sent_ends_it(world, trader):
    order = place(trader, "a")
    answer = trader.post(f"{ORDERS}/{order.client_order_id}/cancel")
    assert answer.status_code == 202 and answer.json()["status"] == "lapsed"


def test_canceling_an_open_order_requests_it(world, trader):
    order = place(trader, "a")
    set_status(order, "submitting", "open")
    answer = trader.post(f"{ORDERS}/{order.pk}/cancel")
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["cancel_state"]) == ("open", "requested")
    assert AuditEntry.objects.filter(kind="cancel.requested", object_id=str(order.pk)).count() == 1


def test_canceling_what_is_over_is_409(world, trader):
    order = place(trader, "a")
    trader.post(f"{ORDERS}/{order.pk}/cancel")
    again = trader.post(f"{ORDERS}/{order.pk}/cancel")
    assert again.status_code == 409 and again.json()["code"] == "order_is_final"


def test_a_cancel_takes_no_body(world, trader):
    order = place(trader, "a")
    assert trader.post(f"{ORDERS}/{order.pk}/cancel", {"scope": "everything"}).status_code == 400
    order.refresh_from_db()
    assert order.status == "approved"


def test_cancel_all_names_the_orders(world, trader):
    orders = [place(trader, key) for key in "ab"]
    answer = trader.post(f"{ORDERS}/cancel-all", {"scope": "ours", "account": "paper", "symbol": "BTC/USDT"})
    assert answer.status_code == 202 and answer.json()["requested"] == 2
    assert set(answer.json()["orders"]) == {str(order.pk) for order in orders}
    assert set(Order.objects.values_list("status", flat=True)) == {"lapsed"}


@pytest.mark.parametrize(
    "body", [{"scope": "all"}, {"account": "nope"}, {"symbol": "NO/PE"}, {"acount": "paper"}]
)
def test_a_wrong_cancel_all_cancels_nothing(world, trader, body):
    order = place(trader, "a")
    assert trader.post(f"{ORDERS}/cancel-all", body).status_code == 400
    order.refresh_from_db()
    assert order.status == "approved"


def test_cancel_works_while_everything_is_halted(world, trader, settings):
    order = place(trader, "a")
    trader.post("/live/kill?on=true")
    assert trader.post(f"{ORDERS}/{order.pk}/cancel").status_code == 202
    settings.STOP_FLAG.unlink(missing_ok=True)
