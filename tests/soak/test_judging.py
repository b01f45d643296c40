"""Lines of the table that fail when they should, with what a person needs to see."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from soak.halting import REASON, Halted
from soak.judging import HALT_AFTERMATH, judge_kill, judge_stops, list_halts
from soak.kinds import KINDS_OF_FAULTS
from soak.lines import Line, format_evidence, format_table, has_passed
from soak.scene import PlayedFault, Scene

BEGAN = 1_800_000_000.0


def scene_with(*halts: dict[str, Any], log: str = "") -> Scene:
    logs = iter(["", *[log] * 3])  # empty when the scene is set
    stack = SimpleNamespace(rows=lambda _query, *_parameters: list(halts), read_log=lambda: next(logs))
    return Scene(stack=stack, placements=None, began=BEGAN)  # type: ignore[arg-type]


def change(trigger: str, reason: str = "because", at: float = 100.0) -> dict[str, Any]:
    when = datetime.fromtimestamp(BEGAN + at, UTC)
    return {
        "id": "halt-1", "scope": "everything", "target": "", "after": "halted", "trigger": trigger,
        "reason": reason, "actor": "somebody", "at": when,
    }  # fmt: skip


def stops(scene: Scene) -> Line:
    return judge_stops(list_halts(scene, KINDS_OF_FAULTS))


def test_a_global_stop_that_no_fault_explains_fails_with_its_trigger_and_id():
    line = stops(scene_with(change("daily_loss")))
    assert line.passed is False
    assert "halt-1" in line.evidence[0] and "daily_loss" in line.evidence[0]


def test_the_own_halt_and_what_a_fault_may_cause_are_explained():
    scene = scene_with(change("manual", f"{REASON} 1"), change("order_errors"))
    scene.played.append(PlayedFault("maintenance", 90, BEGAN + 90, BEGAN + 98, ""))
    line = stops(scene)
    assert line.passed and "1 order_errors" in line.what


@pytest.mark.parametrize(
    ("fault", "began"), [("price_run", 90.0), ("maintenance", 101.0), ("maintenance", 90.0 - HALT_AFTERMATH)]
)
def test_another_kind_of_fault_a_later_and_a_much_earlier_one_explain_nothing(fault: str, began: float):
    scene = scene_with(change("order_errors"))
    scene.played.append(PlayedFault(fault, began, BEGAN + began, BEGAN + began + 8, ""))
    assert stops(scene).passed is False


def test_the_kill_switch_fails_when_an_order_arrives_a_second_after_the_request():
    quick = Halted(1, BEGAN, BEGAN + 0.02, BEGAN + 0.5, BEGAN + 4, BEGAN + 0.3, ())
    slow = Halted(2, BEGAN, BEGAN + 0.02, BEGAN + 1.4, BEGAN + 4, BEGAN + 1.3, ())
    assert judge_kill([quick]).passed is True
    line = judge_kill([quick, slow])
    assert line.passed is False and "epoch 2" in line.evidence[0] and "1.300 s" in line.evidence[0]
    assert judge_kill([]).verdict == "NOT MEASURED"


def test_an_end_that_was_not_planned_is_a_crash_and_a_planned_one_is_none():
    log = "levi        orders ended with code -9; starting it again in 0.5 s\n" * 2
    scene = scene_with(log=log)
    scene.killed_leaders["orders"] = 1
    assert scene.surplus_ends() == [log.splitlines()[0]]
    scene.killed_leaders["orders"] = 2
    assert scene.surplus_ends() == []


def test_what_was_not_measured_fails_nothing_and_a_failure_shows_its_evidence():
    good, open_, bad = (
        Line("a", "first", "0", "0", True),
        Line("b", "second", "not measured", "<= 10 %", None),
        Line("c", "third", "12", "0", False, evidence=tuple(f"order {number}" for number in range(12))),
    )
    assert has_passed([good, open_]) and not has_passed([good, bad]) and not has_passed([])
    assert [row.split()[-1] for row in format_table([good, bad]).splitlines()[2:]] == ["PASS", "FAIL"]
    shown = format_evidence([good, open_, bad])
    assert "order 7" in shown and "4 more" in shown and "first" not in shown
