"""The supervisor sweeps and syncs without Celery, beat and Redis, and outlives the database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from tests.alert_receiver import alert_receiver
from tests.paper_trading import TESTER, open_paper_account, rest
from trading import alert_line
from trading.domain.enums import HaltScope, Severity
from trading.execution import sweep
from trading.execution.alert_channels import create_channel
from trading.execution.halts import engage
from trading.models import AlertDelivery, ExchangeAccount, Heartbeat, Order, Sweep, SyncRun
from trading.notify import notify
from trading.supervision import Supervision

REPO = Path(__file__).resolve().parents[1]


def wait_until(is_true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.fixture
def account(transactional_db, simulated_venue) -> ExchangeAccount:
    return open_paper_account(simulated_venue)


@pytest.fixture
def supervisor(account) -> Iterator[subprocess.Popen[str]]:
    """As a process of its own, with no Redis."""
    process = subprocess.Popen(
        [sys.executable, str(REPO / "manage.py"), "supervise"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0", "LEVI_ROLE": "levi-supervisor"},
    )
    assert process.stdout
    assert "supervising" in process.stdout.readline()
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def supervision(account, monkeypatch) -> Iterator[Supervision]:
    """In this process, a step at a time."""
    monkeypatch.setattr(sweep, "LAST_ACCEPTANCE", timedelta(0))
    made = Supervision(threading.Event())
    yield made
    made.stop.set()
    join(made)


def join(supervision: Supervision) -> None:
    for thread in supervision._threads.values():
        thread.join(20)
        assert not thread.is_alive()


def count_syncs() -> int:
    return SyncRun.objects.filter(trigger="supervisor").count()


def halt() -> Sweep:
    return Sweep.objects.get(pk=engage(HaltScope.EVERYTHING, reason="drill", actor=TESTER).sweep_id)


def test_a_sweep_is_taken_up_and_brought_to_its_verdict_without_redis(supervisor):
    order = rest("resting")
    waiting = halt()
    wait_until(lambda: Order.objects.get(pk=order.pk).status == "canceled")
    wait_until(lambda: Sweep.objects.get(pk=waiting.pk).rounds > 0)
    assert Sweep.objects.get(pk=waiting.pk).leased_by.startswith("supervisor@")


def test_it_beats_and_goes_on_when_the_database_ends_its_connections(supervisor):
    wait_until(lambda: Heartbeat.objects.filter(role="supervisor").exists())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'levi-supervisor' AND datname = current_database()"
        )
        assert cursor.fetchone()[0] >= 1
    ended_at = timezone.now()
    wait_until(lambda: Heartbeat.objects.filter(role="supervisor", beat_at__gt=ended_at).exists())
    assert supervisor.poll() is None


def test_it_ends_when_asked_to_also_in_the_middle_of_a_sweep(supervisor):
    waiting = halt()
    wait_until(lambda: Sweep.objects.get(pk=waiting.pk).leased_by)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(timeout=10) == 0
    waiting.refresh_from_db()
    assert waiting.verdict == "running"


def test_every_account_is_synced_once_at_the_start_and_not_again_while_it_is_fresh(supervision):
    supervision.look_once()
    join(supervision)
    supervision._heart_due = 0
    supervision.look_once()
    join(supervision)
    assert count_syncs() == 1


def test_an_account_that_nobody_syncs_is_synced(supervision, account):
    supervision.look_once()
    join(supervision)
    ExchangeAccount.objects.update(synced_at=timezone.now() - timedelta(minutes=1))
    supervision._heart_due, supervision._tried_at[account.id] = 0, -100
    supervision.look_once()
    join(supervision)
    assert count_syncs() == 2
    assert ExchangeAccount.objects.get().synced_at > timezone.now() - timedelta(seconds=20)


def test_a_venue_that_fails_is_not_asked_at_every_look(supervision, simulated_venue):
    simulated_venue.faults([{"match": {"path": "/api/v3/account"}, "kind": "http_status", "status": 500}])
    ExchangeAccount.objects.update(synced_at=None)
    for _ in range(3):
        supervision._heart_due = 0
        supervision.look_once()
        join(supervision)
    simulated_venue.clear_faults()
    assert count_syncs() == 1


def test_disabled_accounts_and_those_of_another_mode_are_left_alone(supervision):
    ExchangeAccount.objects.update(is_enabled=False)
    supervision.look_once()
    join(supervision)
    assert count_syncs() == 0


def test_a_sweep_that_somebody_else_works_on_is_left_to_them(supervision):
    waiting = halt()
    Sweep.objects.filter(pk=waiting.pk).update(
        leased_by="command@host:1", leased_until=timezone.now() + timedelta(minutes=1)
    )
    supervision.look_once()
    join(supervision)
    assert Sweep.objects.get(pk=waiting.pk).verdict == "running"


def test_a_sweep_whose_process_died_is_taken_over(supervision):
    waiting = halt()
    Sweep.objects.filter(pk=waiting.pk).update(leased_by="command@host:1", leased_until=timezone.now())
    supervision.look_once()
    join(supervision)
    assert Sweep.objects.get(pk=waiting.pk).verdict == "clean"


def test_it_delivers_alerts_without_redis_and_a_channel_that_hangs_delays_no_other(supervision, monkeypatch):
    monkeypatch.setattr(alert_line, "READ_SECONDS", 1.0)
    with alert_receiver() as receiver, socket.create_server(("127.0.0.1", 0)) as silent:
        create_channel("desk", receiver.url, actor=TESTER)
        create_channel("hangs", f"json://127.0.0.1:{silent.getsockname()[1]}/x", actor=TESTER)
        notify("halt.engaged", Severity.CRITICAL, "Everything is halted")

        def arrived() -> bool:
            supervision.look_once()
            return any("Everything is halted" in subject for subject in receiver.subjects)

        wait_until(arrived)
        assert AlertDelivery.objects.filter(channel__name="hangs", state="delivered").count() == 0
