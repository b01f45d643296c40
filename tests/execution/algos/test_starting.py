"""How an algo begins: read, planned, judged, kept once per key."""

from __future__ import annotations

import pytest

from tests.execution.algos.walking import ICEBERG, TWAP, VWAP, children, start
from tests.execution.test_races import Hold
from tests.making import CLIENT, World, begin, wait_until_blocked
from trading.domain.errors import IdempotencyConflict, InvalidInput
from trading.execution.algos import preview_algo, start_algo, starting
from trading.models import Algo, AuditEntry, Order


def test_a_repeat_gets_the_first_answer_and_another_body_is_refused(world: World):
    first = start_algo(TWAP, actor=CLIENT, key="one")
    again = start_algo(TWAP, actor=CLIENT, key="one")
    assert again.repeated and again.answer == first.answer and again.algo == first.algo
    with pytest.raises(IdempotencyConflict):
        start_algo({**TWAP, "quantity": "0.08"}, actor=CLIENT, key="one")
    assert Algo.objects.count() == 1


def test_the_plan_stands_before_the_first_child_is_made(world: World):
    algo = start(TWAP)
    assert [piece["target"] for piece in algo.plan] == ["0.01", "0.02", "0.03", "0.04"]
    assert [piece["after"] for piece in algo.plan] == ["0", "100", "200", "300"]
    assert children(algo) == []


def test_a_preview_shows_plan_and_checks_and_writes_nothing(world: World):
    shown = preview_algo(TWAP, actor=CLIENT)
    assert shown["decision"] == "started" and len(shown["plan"]) == 4
    assert {check["of"] for check in shown["checks"]} == {"child", "whole"}
    assert shown["notional"] == "2000" and shown["largest_child"] == "0.01"
    assert not Algo.objects.exists() and not Order.objects.exists()
    assert not AuditEntry.objects.filter(kind__startswith="algo.").exists()


def test_a_whole_that_breaks_the_exposure_limit_is_denied_though_its_children_would_pass(world: World):
    world.change_limits(exposure_limit_symbol="1500")
    answer = start_algo(TWAP, actor=CLIENT, key="one")
    assert answer.answer["decision"] == "denied" and answer.answer["codes"] == ["exposure_symbol"]
    assert answer.algo.state == "denied" and answer.algo.next_action_at is None


def test_a_limit_of_one_order_is_a_childs(world: World):
    world.change_limits(max_order_notional="600")
    assert start(TWAP).state == "running"
    denied = start_algo({**TWAP, "slices": 2}, actor=CLIENT, key="two")
    assert denied.answer["codes"] == ["max_order_notional"]


def test_the_same_algo_again_within_the_window_is_denied_and_its_children_never_are(world: World):
    world.change_limits(duplicate_window_seconds="60")
    start(TWAP)
    assert start_algo(TWAP, actor=CLIENT, key="two").answer["codes"] == ["duplicate_order"]


def test_of_two_that_start_at_the_same_moment_within_the_window_one_is_denied(live_world: World, monkeypatch):
    live_world.change_limits(duplicate_window_seconds="60")
    hold = Hold(monkeypatch, starting, "ask_rules")
    first = begin(lambda: start_algo(TWAP, actor=CLIENT, key="one"))
    assert hold.reached.wait(15)
    second = begin(lambda: start_algo(TWAP, actor=CLIENT, key="two"))
    wait_until_blocked(second)
    hold.go.set()
    codes = [thread.end().answer["codes"] for thread in (first, second)]
    assert codes == [[], ["duplicate_order"]]
    assert sorted(Algo.objects.values_list("state", flat=True)) == ["denied", "running"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**TWAP, "kind": "sniper"}, "kind"),
        ({**TWAP, "kind": None}, "kind"),
        ({**TWAP, "duration": 4}, "duration"),
        ({**TWAP, "visible_quantity": "0.01"}, "visible_quantity"),
        ({**TWAP, "duration_seconds": 9}, "duration_seconds"),
        ({**TWAP, "duration_seconds": None}, "duration_seconds"),
        ({**TWAP, "duration_seconds": "NaN"}, "duration_seconds"),
        ({**TWAP, "slices": 81}, "slices"),
        ({**TWAP, "slices": 2.5}, "slices"),
        ({**TWAP, "quantity": None}, "quantity"),
        ({**TWAP, "quantity": "0.0000001"}, "quantity"),
        ({**TWAP, "quantity": "0.00006"}, "slices"),
        ({**TWAP, "start_at": "2020-01-01T00:00:00Z"}, "start_at"),
        ({**TWAP, "start_at": "2120-01-01T00:00:00Z"}, "start_at"),
        ({**TWAP, "start_at": "tomorrow"}, "start_at"),
        ({**VWAP, "profile": ["1", "-1"]}, "profile"),
        ({**VWAP, "profile": ["0", "0"], "slices": 2}, "profile"),
        ({**VWAP, "profile": ["1"]}, "profile"),
        ({**VWAP, "profile": "1,2"}, "profile"),
        ({**ICEBERG, "price": None}, "price"),
        ({**ICEBERG, "visible_quantity": "0.05"}, "visible_quantity"),
        ({**ICEBERG, "visible_quantity": None}, "visible_quantity"),
        ({**ICEBERG, "visible_quantity": "0.000001"}, "visible_quantity"),
        ({**ICEBERG, "slices": 3}, "slices"),
    ],
)
def test_a_mistake_names_its_field_and_leaves_nothing(world: World, body, field):
    with pytest.raises(InvalidInput) as caught:
        start_algo(body, actor=CLIENT, key="one")
    assert caught.value.context["field"] == field
    assert not Algo.objects.exists()
