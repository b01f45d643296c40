"""The process that listens: which accounts, whose key, and that it needs no Redis and ends when asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import PERSON, World, make_account
from tests.scripted_stream import ScriptedStream, join_syncs, offered, wait_until
from tests.worlds import frozen_venue, impatient, live_world
from trading import stream_listener, streams
from trading.execution.accounts import set_account_enabled, store_credentials
from trading.models import AccountStream, Heartbeat
from trading.stream_listener import Listener
from trading.streams import StreamWatch

__all__ = ["frozen_venue", "impatient", "live_world", "offered"]
REPO = Path(__file__).resolve().parents[1]


@pytest.fixture
def watch(live_world: World, offered, monkeypatch) -> Iterator[StreamWatch]:
    """A step at a time; every account's stream is a scripted one."""
    monkeypatch.setattr(stream_listener, "stream_for", lambda _account: ScriptedStream())
    made = StreamWatch(threading.Event())
    yield made
    made._say_farewell()
    for listener in made.listeners.values():
        listener.join(20)
        assert not listener.is_alive()
    join_syncs()


def is_live(name: str = "paper") -> bool:
    return AccountStream.objects.filter(account__name=name, state="live").exists()


def names(watch: StreamWatch) -> set[str]:
    return {listener.account.name for listener in watch.listeners.values() if listener.is_alive()}


def look_until(watch: StreamWatch, expected: set[str]) -> None:
    def is_so() -> bool:
        watch.look_once()
        return names(watch) == expected and not any(row.stop.is_set() for row in watch.listeners.values())

    wait_until(is_so, f"listening to {expected}")


def test_accounts_are_taken_up_and_left_while_it_runs(watch: StreamWatch, live_world: World):
    watch.look_once()
    wait_until(is_live, "the stream")
    second = make_account(live_world.venue, "second")
    look_until(watch, {"paper", "second"})
    wait_until(lambda: is_live("second"), "the second stream")
    set_account_enabled(second, False, reason="tests", actor=PERSON)
    look_until(watch, {"paper"})
    row = AccountStream.objects.get(account=second)
    assert (row.state, row.leased_until) == ("lost", None) and "nobody needs it" in row.reason
    set_account_enabled(second, True, reason="tests", actor=PERSON)
    look_until(watch, {"paper", "second"})


def test_an_account_that_is_off_is_listened_to_while_something_of_it_is_at_risk(
    watch: StreamWatch, live_world: World
):
    live_world.rest()
    set_account_enabled(live_world.account, False, reason="tests", actor=PERSON)
    look_until(watch, {"paper"})
    wait_until(is_live, "the stream")


def test_a_new_key_makes_a_new_connection(watch: StreamWatch, live_world: World):
    watch.look_once()
    wait_until(is_live, "the stream")
    (first,) = watch.listeners.values()
    store_credentials(live_world.account, live_world.venue.key, live_world.venue.secret, actor=PERSON)
    watch.look_once()
    first.join(20)
    look_until(watch, {"paper"})
    (second,) = watch.listeners.values()
    assert second is not first
    wait_until(is_live, "the stream with the new key")


def test_accounts_without_a_key_or_whose_venue_offers_none_are_left_alone(
    watch: StreamWatch, live_world: World, monkeypatch
):
    monkeypatch.setattr(streams, "offers_stream", lambda _account: False)
    watch.look_once()
    assert watch.listeners == {} and not AccountStream.objects.exists()
    monkeypatch.setattr(streams, "offers_stream", lambda _account: True)
    live_world.account.credential.delete()
    watch.look_once()
    assert watch.listeners == {}


def test_a_listener_that_died_is_replaced(watch: StreamWatch, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Listener, "run", lambda _self: None)
        watch.look_once()
        (dead,) = watch.listeners.values()
        dead.join(20)
    watch.look_once()
    wait_until(is_live, "the stream of the next one")


def test_as_a_process_it_beats_without_redis_and_ends_within_two_seconds(live_world: World):
    process = subprocess.Popen(
        [sys.executable, str(REPO / "manage.py"), "run_streams"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0", "LEVI_ROLE": "levi-streams"},
    )
    try:
        assert process.stdout and "listening" in process.stdout.readline()
        wait_until(lambda: Heartbeat.objects.filter(role="streams").exists(), "a sign of life", 60)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(timeout=30) == 0
        assert time.monotonic() - began < 30
    finally:
        process.kill()
        process.wait()
