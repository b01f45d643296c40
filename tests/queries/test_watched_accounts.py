"""A disabled account is looked at for as long as something of it is at risk, and by everybody who looks."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.making import PERSON, World, make_account
from trading import supervision, tasks
from trading.execution.accounts import set_account_enabled
from trading.execution.dead_man import measure_silence
from trading.execution.dispatch import dispatch_order
from trading.models import ExchangeAccount, Heartbeat
from trading.queries.watched_accounts import watched_accounts


@pytest.fixture
def disabled(world: World) -> World:
    set_account_enabled(world.account, False, actor=PERSON, reason="holiday")
    return world


def names() -> list[str]:
    return sorted(watched_accounts().values_list("name", flat=True))


def test_an_account_that_is_off_and_has_nothing_at_risk_is_left_alone(disabled: World):
    make_account(disabled.venue, "spare")
    assert names() == ["spare"]


def test_an_account_of_another_mode_is_never_looked_at(world: World):
    world.rest()
    ExchangeAccount.objects.update(mode="testnet")
    assert names() == []


def test_what_it_holds_keeps_a_disabled_account_watched(world: World):
    world.buy()
    set_account_enabled(world.account, False, actor=PERSON, reason="holiday")
    assert names() == ["paper"]


def test_a_resting_order_of_a_disabled_account_is_still_synced_and_no_silence(world: World, monkeypatch):
    order = world.rest()
    set_account_enabled(world.account, False, actor=PERSON, reason="holiday")
    rung: list[object] = []
    monkeypatch.setattr(tasks, "ring", lambda bell, pk: rung.append((bell, pk)))
    tasks.sync_all_accounts()
    assert rung == [("sync_account", world.account.pk)]
    started: list[str] = []
    watcher = supervision.Supervision(threading.Event())
    monkeypatch.setattr(watcher, "_start", lambda name, _work: started.append(name))
    watcher._start_syncs()
    assert started == [f"sync-{world.account.pk}"]
    ExchangeAccount.objects.update(synced_at=timezone.now() - timedelta(hours=1))
    Heartbeat.objects.create(
        process="orders@here:1", role="orders", build="b", beat_at=timezone.now(), started_at=timezone.now()
    )
    world.sync()
    silence = measure_silence(timezone.now())
    assert silence.venue is not None and silence.venue < 10
    order.refresh_from_db()
    assert order.status == "open"


def test_a_disabled_account_sends_nothing_new_while_it_is_watched(world: World):
    world.rest()
    waiting = world.approve()
    set_account_enabled(world.account, False, actor=PERSON, reason="holiday")
    sent = len(world.placements())
    dispatch_order(waiting.id)
    assert names() == ["paper"] and len(world.placements()) == sent
    assert "account_disabled" in world.submit().status_reason
