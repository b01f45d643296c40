"""An order that failed is an error unless a fault or halt of the run explains it; a client's request always is one."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from rig.oracle import Placements
from soak.flow import Asked
from soak.halting import Halted
from soak.kinds import KINDS_OF_FAULTS
from soak.outcomes import AFTERMATH_SECONDS, weigh_outcomes
from soak.scene import PlayedFault, Scene

BEGAN = 1_800_000_000.0


@pytest.fixture
def scene() -> Scene:
    placements = Placements.__new__(Placements)  # of no venue: what it has caught up with is all there is
    placements.rows = []
    return Scene(stack=SimpleNamespace(read_log=str), placements=placements, began=BEGAN)  # type: ignore[arg-type]


def order(status: str, at: float = 100.0, name: str = "lv1") -> dict[str, Any]:
    when = datetime.fromtimestamp(BEGAN + at, UTC)
    return {
        "name": name,
        "id": "an-id",
        "status": status,
        "reason": "why",
        "created_at": when,
        "permit_at": when,
        "finished_at": when,
    }


def weigh(scene: Scene, *rows: dict[str, Any], asked: tuple[Asked, ...] = (), halts: tuple[Halted, ...] = ()):
    return weigh_outcomes(rows, asked, scene, KINDS_OF_FAULTS, halts)


def played(name: str, began: float, ended: float) -> PlayedFault:
    return PlayedFault(name, began, BEGAN + began, BEGAN + ended, "")


@pytest.mark.parametrize("status", ["rejected", "not_accepted", "lapsed", "quarantined"])
def test_an_order_that_failed_for_no_reason_known_is_an_error_with_its_names(scene: Scene, status: str):
    found = weigh(scene, order(status), order("filled", name="lv2"), order("denied", name="lv3"))
    assert (found.approved, found.percent) == (2, 50.0)
    assert "lv1" in found.errors[0] and "an-id" in found.errors[0] and status in found.errors[0]


def test_the_fault_that_met_its_request_explains_it(scene: Scene):
    scene.placements.rows.append({"params": {"newClientOrderId": "lv1"}, "fault": "drop_before"})
    found = weigh(scene, order("not_accepted"))
    assert (found.errors, found.explained) == ([], {"not_accepted by drop_before": 1})


def test_a_fault_explains_what_was_on_its_way_and_nothing_before_or_long_after(scene: Scene):
    scene.played.append(played("maintenance", 90, 98))
    assert weigh(scene, order("rejected", 95)).errors == []
    assert weigh(scene, order("rejected", 98 + AFTERMATH_SECONDS - 1)).errors == []
    assert len(weigh(scene, order("rejected", 89)).errors) == 1
    assert len(weigh(scene, order("rejected", 99 + AFTERMATH_SECONDS)).errors) == 1


def test_a_price_that_runs_explains_no_failed_order(scene: Scene):
    scene.played.append(played("price_run", 90, 110))
    assert len(weigh(scene, order("rejected")).errors) == 1


def test_a_halt_explains_what_lapsed_under_it(scene: Scene):
    halt = Halted(9, BEGAN + 99, BEGAN + 99.01, BEGAN + 99.1, BEGAN + 103, None, ())
    assert weigh(scene, order("lapsed"), halts=(halt,)).explained == {"lapsed by halt": 1}


def test_a_client_without_a_decision_is_an_error_whatever_was_played(scene: Scene):
    scene.played.append(played("web_worker", 0, 1000))
    lost = Asked("key-1", "market", BEGAN + 100, 90.0, 20, 0, problem="ReadTimeout")
    refused = Asked("key-2", "market", BEGAN + 100, 0.1, 1, 403, problem="not_allowed")
    denied = Asked("key-3", "market", BEGAN + 100, 0.1, 1, 201, decision="denied")
    found = weigh(scene, asked=(lost, refused, denied))
    assert [error.split()[1] for error in found.errors] == ["key-1", "key-2"]
