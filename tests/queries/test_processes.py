"""A process that ended is never shown as alive; where it cannot be known, the age of the last sign decides."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.making import PERSON
from trading.execution.builds import expect_build
from trading.execution.jobs import beat_heart
from trading.models import Heartbeat
from trading.process_name import process_identity, process_name
from trading.queries.builds import list_foreign
from trading.queries.processes import list_processes

pytestmark = pytest.mark.skipif(
    not process_identity(), reason="this system tells nothing about its processes"
)


def leave_a_sign(*, build: str = "1a2b3c4", seconds_ago: float = 1) -> Heartbeat:
    """Of a process that was there a moment ago and has ended since."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    host = process_name().partition("@")[2].rpartition(":")[0]
    at = timezone.now() - timedelta(seconds=seconds_ago)
    row = Heartbeat.objects.create(
        process=f"orders@{host}:{child.pid}",
        role="orders",
        build=build,
        identity=process_identity(child.pid),
        started_at=at,
        beat_at=at,
    )
    assert row.identity
    child.kill()
    child.communicate()
    return row


def words() -> dict[str, str]:
    return {row.beat.process: row.word for row in list_processes(timezone.now())}


def test_a_restart_leaves_nothing_that_looks_alive(db):
    gone = leave_a_sign()
    beat_heart()
    assert words() == {process_name(): "alive", gone.process: "ended"}
    assert list(words())[-1] == gone.process, "after all others"


def test_what_ended_long_ago_is_shown_no_more(db):
    leave_a_sign(seconds_ago=1200)
    assert words() == {}


@pytest.mark.parametrize(("age", "word"), [(5, "alive"), (40, "late"), (300, "silent")])
def test_of_other_hosts_the_age_decides(db, age, word):
    at = timezone.now() - timedelta(seconds=age)
    Heartbeat.objects.create(
        process="orders@elsewhere:77", role="orders", build="b", identity="", started_at=at, beat_at=at
    )
    assert words() == {"orders@elsewhere:77": word}


def test_a_process_of_the_build_before_counts_no_more_once_it_has_ended(db):
    expect_build("new-build", actor=PERSON)
    leave_a_sign(build="old-build")
    assert list_foreign() == []
    at = timezone.now()
    Heartbeat.objects.create(
        process="orders@elsewhere:77", role="orders", build="old-build", started_at=at, beat_at=at
    )
    assert [row.process for row in list_foreign()] == ["orders@elsewhere:77"]
