"""Faults come one after the other; one that fails is told and ends nothing, and a stop ends all that would follow."""

from __future__ import annotations

import random
import time
from types import SimpleNamespace

import pytest

from rig.oracle import Placements
from soak import conductor as conducting
from soak.conductor import Conductor
from soak.fault_kind import FaultKind
from soak.plan import PlannedFault
from soak.scene import Scene


def break_down(_scene: Scene, _chance: random.Random) -> str:
    raise ValueError("the stack said something else")


def ask_to_stop(scene: Scene, _chance: random.Random) -> str:
    scene.stop_asked = True
    return "asked"


KINDS = {
    "good": FaultKind("does nothing", 1, lambda _scene, _chance: "done"),
    "bad": FaultKind("fails", 1, break_down),
    "last": FaultKind("asks to stop", 1, ask_to_stop),
}


@pytest.fixture
def scene(monkeypatch) -> Scene:
    monkeypatch.setattr(conducting, "BREATH_SECONDS", 0.0)
    placements = Placements.__new__(Placements)
    return Scene(stack=SimpleNamespace(read_log=str), placements=placements)  # type: ignore[arg-type]


def conduct(scene: Scene, *names: str, seconds: float = 30) -> Conductor:
    conductor = Conductor(scene, KINDS, [PlannedFault(0.0, name, 1) for name in names])
    conductor.run(until=time.monotonic() + seconds)
    return conductor


def test_a_fault_that_fails_is_told_and_the_next_one_is_played(scene: Scene):
    conductor = conduct(scene, "bad", "good", seconds=0.2)
    assert [(one.name, one.detail[:6]) for one in scene.played] == [("bad", "failed"), ("good", "done")]
    assert len(conductor.troubles) == 1 and "something else" in conductor.troubles[0]
    assert scene.playing == ""


def test_who_asks_to_stop_ends_the_run_before_its_time(scene: Scene):
    began = time.monotonic()
    conduct(scene, "good", "last", "good", seconds=600)
    assert [one.name for one in scene.played] == ["good", "last"]
    assert scene.over.is_set() and time.monotonic() - began < 300


def test_what_comes_after_the_end_is_not_played(scene: Scene):
    conduct(scene, "good", seconds=-1)
    assert scene.played == []
