"""Failpoints: a closed vocabulary, nothing without FAILPOINTS, and every point lies on some life's way."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import override_settings

from levi_site.preflight import Result, check_failpoints
from tests.architecture.source import read_modules
from tests.chaos.process.lives import LIVES
from tests.making import World, status_of
from tests.worlds import frozen_venue, impatient, live_world
from trading import failpoints
from trading.execution import sweep as sweeping
from trading.execution.dispatch import dispatch_order
from trading.execution.dispatch_limits import LAST_ACCEPTANCE
from trading.failpoints import (
    POINTS,
    FailpointMisuse,
    FailpointRaised,
    FailpointRule,
    also_armed,
    arm,
    arm_from_text,
    disarm,
    failpoint,
    parse_failpoints,
)
from trading.models import Order

__all__ = ["frozen_venue", "impatient", "live_world"]
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def nothing_armed():
    yield
    disarm()


def names_in(log: Path) -> list[str]:
    return [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []


def calls() -> list[str]:
    """Every name that the product passes to `failpoint`; the HTTP line asks for its own by `pass_failpoint`."""
    return [
        node.args[0].value
        for module in read_modules("trading")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("failpoint", "pass_failpoint")
        and isinstance(node.args[0], ast.Constant)
    ]


def test_the_table_and_the_code_name_the_same_points_once_each():
    assert sorted(calls()) == sorted(POINTS)
    assert len(POINTS) >= 25


def test_every_point_lies_on_exactly_one_way():
    assert sorted(name for life in LIVES.values() for name in life.points) == sorted(POINTS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", LIVES)
def test_a_life_passes_its_points(live_world: World, name: str, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sweeping, "_PAUSES", (0,))
    monkeypatch.setattr(sweeping, "LAST_ACCEPTANCE", -LAST_ACCEPTANCE)  # the proof need not wait
    log = tmp_path / "log"
    arm({point: FailpointRule("sleep") for point in POINTS}, log)
    LIVES[name].live(live_world)
    assert set(LIVES[name].points) <= set(names_in(log))


def test_without_rules_a_point_does_nothing():
    assert failpoint("dispatch.after_permit") is False


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("dispatch.after_permit", "no rule"),
        ("dispatch.afterpermit=kill", "'dispatch.afterpermit'"),
        ("dispatch.after_permit=explode", "'explode'"),
        ("dispatch.after_permit=kill:often", "'often'"),
        ("dispatch.after_permit=kill:1.5", "from 0 to 1"),
        ("dispatch.after_permit=drop", "doorbell.before_publish"),
    ],
)
def test_what_cannot_be_understood_is_named(text: str, named: str):
    with pytest.raises(FailpointMisuse, match=named):
        arm(parse_failpoints(text))
    assert not failpoint("dispatch.after_permit")


def test_the_text_form_says_action_probability_and_seconds():
    rules = parse_failpoints("dispatch.after_permit=kill:0.1; http.before_write=stop:10s:0.5;")
    assert rules == {
        "dispatch.after_permit": FailpointRule("kill", 0.1),
        "http.before_write": FailpointRule("stop", 0.5, 10),
    }


def test_probability_and_passages_decide_whether_it_strikes(tmp_path: Path):
    log = tmp_path / "log"
    arm({"poller.after_claim": FailpointRule("sleep", probability=0)}, log)
    for _ in range(50):
        failpoint("poller.after_claim")
    assert names_in(log) == []
    arm({"poller.after_claim": FailpointRule("sleep", after=3)}, log)
    for _ in range(5):
        failpoint("poller.after_claim")
    assert names_in(log) == ["poller.after_claim"] * 2


def test_raise_and_drop_reach_the_caller():
    arm({"audit.before_write": FailpointRule("raise"), "doorbell.before_publish": FailpointRule("drop")})
    with pytest.raises(FailpointRaised, match=r"audit\.before_write"):
        failpoint("audit.before_write")
    assert failpoint("doorbell.before_publish") is True
    with also_armed("audit.before_write", FailpointRule("sleep")):
        failpoint("audit.before_write")
    with pytest.raises(FailpointRaised):
        failpoint("audit.before_write")


@pytest.mark.django_db(transaction=True)
def test_a_dropped_bell_loses_nothing_but_time(live_world: World, redis_client):
    arm({"doorbell.before_publish": FailpointRule("drop")})
    order = live_world.approve()
    assert redis_client.llen("orders") == 0 and status_of(order) == "approved"
    disarm()
    dispatch_order(order.id)
    assert Order.objects.get(pk=order.pk).attempt == 1 and len(live_world.placements()) == 1


def run_python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


AT_A_POINT = "from trading.failpoints import *; arm(parse_failpoints({!r})); failpoint({!r}); print('alive')"


def test_kill_is_sigkill_and_stop_goes_on_after_its_seconds():
    killed = run_python(AT_A_POINT.format("sync.after_fills=kill", "sync.after_fills"))
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")
    stopped = run_python(AT_A_POINT.format("sync.after_fills=stop:0.1s", "sync.after_fills"))
    assert (stopped.returncode, stopped.stdout.strip()) == (0, "alive")


SETTINGS = "import levi_site.settings; from trading.failpoints import _rules; print(len(_rules))"


def test_every_process_in_paper_mode_reads_the_environment(tmp_path: Path):
    text = "dispatch.after_permit=kill:0.1;http.before_write=stop:10s"
    done = run_python(SETTINGS, FAILPOINTS=text, HOME_DIR=str(tmp_path))
    assert done.stdout.strip() == "2", done.stderr
    assert run_python(SETTINGS, HOME_DIR=str(tmp_path)).stdout.strip() == "0"


@pytest.mark.parametrize("mode", ["testnet", "production"])
def test_outside_of_paper_mode_nothing_starts_with_failpoints(mode: str, tmp_path: Path):
    with pytest.raises(FailpointMisuse, match=f"{mode} mode"):
        arm_from_text("dispatch.after_permit=kill", mode, tmp_path / "log")
    assert failpoints._rules == {}
    done = run_python(
        SETTINGS, FAILPOINTS="dispatch.after_permit=kill", LEVI_MODE=mode, HOME_DIR=str(tmp_path)
    )
    assert done.returncode != 0 and "unset it" in done.stderr


def test_preflight_refuses_it_too():
    with override_settings(LEVI_MODE="production", FAILPOINTS="dispatch.after_permit=kill"):
        assert [found.result for found in check_failpoints()] == [Result.REFUSED]
    with override_settings(LEVI_MODE="paper", FAILPOINTS="dispatch.after_permit=kill"):
        assert [found.result for found in check_failpoints()] == [Result.WARNING]
    assert [found.result for found in check_failpoints()] == [Result.GOOD]
