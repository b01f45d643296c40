"""The dead man under a scripted clock: it halts for lasting silence, and for nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from tests.making import World, make_account
from trading.execution.dead_man import (
    AGREE,
    LOOK_SECONDS,
    DeadMan,
    halt_by_dead_man,
    stop_without_database,
)
from trading.models import ExchangeAccount, HaltChange, HaltState, Heartbeat, Sweep
from trading.queries.dead_man import read_dead_man
from trading.queries.halts import read_status

SECONDS = 60


@dataclass
class Script:
    """A supervisor's time. The workers and the sync live on unless they are told to be silent."""

    ticks: float = 1000.0
    clock: datetime = field(default_factory=timezone.now)
    silent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.man = DeadMan(SECONDS, ticks=lambda: self.ticks, clock=lambda: self.clock)

    def sleep(self, seconds: float) -> None:
        self.ticks += seconds
        self.clock += timedelta(seconds=seconds)

    def look(self) -> str:
        self.sleep(LOOK_SECONDS)
        if "workers" not in self.silent:
            Heartbeat.objects.update_or_create(
                process="orders@host:1",
                defaults={"role": "orders", "build": "b", "beat_at": self.clock, "started_at": self.clock},
            )
        if "venue" not in self.silent:
            ExchangeAccount.objects.update(synced_at=self.clock)
        return self.man.look()

    def watch(self, seconds: float) -> list[str]:
        """The reasons it gave meanwhile."""
        looks = [self.look() for _ in range(int(seconds / LOOK_SECONDS))]
        return [reason for reason in looks if reason]


@pytest.fixture
def script(world: World) -> Script:
    return Script()


@pytest.fixture
def armed(world: World, script: Script) -> Script:
    """Has watched long enough, and an order rests at the venue."""
    world.rest()
    assert script.watch(SECONDS + 2 * LOOK_SECONDS) == []
    assert script.man.is_armed
    return script


def test_nothing_is_said_while_everybody_lives(armed):
    assert armed.watch(10 * SECONDS) == []


@pytest.mark.parametrize("who, word", [("workers", "order worker"), ("venue", "sync")])
def test_a_lasting_silence_is_a_reason_to_halt(armed, who, word):
    armed.silent.add(who)
    assert armed.watch(SECONDS - LOOK_SECONDS) == []
    reasons = armed.watch(6 * LOOK_SECONDS)
    assert reasons and all(word in reason for reason in reasons)


def test_one_odd_look_is_no_confirmation(armed):
    armed.silent.add("workers")
    armed.watch(SECONDS)
    assert [bool(armed.look()) for _ in range(AGREE - 2)] == [False]
    armed.silent.clear()
    assert armed.watch(SECONDS) == []


@pytest.mark.parametrize("who", ["workers", "venue"])
def test_silence_without_any_order_is_no_reason(script, who):
    script.silent.add(who)
    Heartbeat.objects.all().delete()
    assert script.watch(5 * SECONDS) == []


def test_a_stack_that_starts_with_old_heartbeats_has_its_time(world, script):
    world.rest()
    Heartbeat.objects.create(
        process="orders@host:1",
        role="orders",
        build="b",
        started_at=script.clock,
        beat_at=script.clock - timedelta(hours=9),
    )
    script.silent.add("workers")
    assert script.watch(SECONDS - 2 * LOOK_SECONDS) == [] and not script.man.is_armed


def test_a_machine_that_slept_is_no_silence(armed):
    armed.sleep(3600)
    assert not armed.watch(SECONDS / 2)


def test_a_clock_that_was_set_forward_is_no_silence(armed):
    armed.clock += timedelta(hours=2)
    armed.silent |= {"workers", "venue"}
    assert armed.look() == "" and not armed.man.is_armed


def test_a_lost_database_is_a_reason_only_after_its_time_and_only_if_it_was_there(armed):
    assert Script().man.look_without_database() == ""
    assert armed.man.look_without_database() == ""
    armed.sleep(SECONDS - 1)
    assert armed.man.look_without_database() == ""
    armed.sleep(1)
    assert "no database" in armed.man.look_without_database()


def test_a_restart_of_the_database_resets_it(armed):
    armed.man.look_without_database()
    armed.sleep(5)
    assert armed.look() == ""
    armed.sleep(SECONDS - 10)
    assert armed.man.look_without_database() == ""


def test_switched_off_it_says_nothing(world):
    world.rest()
    man = DeadMan(0)
    Heartbeat.objects.all().delete()
    assert man.look() == "" and not man.is_armed and man.look_without_database() == ""


def test_it_halts_everything_once_and_sweeps(world):
    halt_by_dead_man("dead man: silence")
    halt_by_dead_man("dead man: silence")
    row = HaltState.objects.get(scope="everything")
    assert (row.state, row.trigger, row.actor) == ("halted", "dead_man", "system:dead_man")
    assert (HaltChange.objects.count(), Sweep.objects.count()) == (1, 1)


def test_without_a_database_the_flag_is_latched_and_shown(world):
    stop_without_database("dead man: no database for 60 s")
    status = read_status()
    assert status["state"] == "halted" and status["reason"] == "dead man: no database for 60 s"
    assert settings.STOP_FLAG.exists()
    assert world.submit().status == "denied"


def test_a_flag_that_the_disk_refuses_ends_nobody(settings, tmp_path, caplog):
    (tmp_path / "run").touch()
    settings.STOP_FLAG = tmp_path / "run" / "stop.flag"
    stop_without_database("dead man: no database for 60 s")
    assert "cannot be raised" in caplog.text


def test_the_panel_is_told_whether_it_is_armed(armed):
    assert read_dead_man().is_armed
    Heartbeat.objects.filter(role="dead_man").update(beat_at=timezone.now() - timedelta(minutes=1))
    state = read_dead_man()
    assert not state.is_armed and state.checked_at


def test_accounts_without_working_orders_are_not_missed(armed, world):
    make_account(world.venue, "idle")
    armed.silent.add("idle")
    assert armed.watch(SECONDS * 2) == []


def test_its_halt_leaves_open_orders_alone_where_so_configured(world: World, settings):
    risk = replace(settings.LEVI_CONFIG.risk, dead_man_cancels=False)
    settings.LEVI_CONFIG = replace(settings.LEVI_CONFIG, risk=risk)
    halt_by_dead_man("dead man: silence")
    assert HaltState.objects.get(scope="everything").state == "halted" and not Sweep.objects.exists()
