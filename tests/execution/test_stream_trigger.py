"""The automatic halt `stream_gap`: a stream that nobody confirms restricts its account, a blink and a start do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest
from django.utils import timezone

from tests.execution.looking import NOTHING, age, look_again, look_of, quick, state, state_of
from tests.making import World
from tests.scripted_stream import offered, stream_row
from trading.execution.silence_watch import watch_silence
from trading.models import Heartbeat, TriggerState
from trading.queries import streams

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("offered", "watched")]
ACCOUNT = ("account", "paper")

__all__ = ["offered", "quick"]


@pytest.fixture
def watched(quick, world: World) -> None:
    """Somebody has looked for hours, so that silence counts."""
    watch_silence()
    Heartbeat.objects.filter(role="watch").update(started_at=timezone.now() - timedelta(hours=2))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"heard": 65, "state": "lost", "reason": "connection refused"}, "connection refused"),
        ({"heard": 65, "state": "connecting"}, "connecting"),
        ({"heard": 65, "state": "live"}, "live"),  # a listener that writes and hears nothing
        ({"heard": 65, "state": "live", "lease": -50}, "run_streams"),
    ],
    ids=["lost", "connecting", "silent", "nobody listens"],
)
def test_a_minute_without_a_confirmation_sets_the_account_to_reducing(world: World, found, words):
    stream_row(world.account, **found)
    look_again()
    assert state(*ACCOUNT) == ("reducing", "stream_gap")
    assert state() == NOTHING
    reason = state_of(*ACCOUNT).reason
    assert "65 s" in reason and words in reason


@pytest.mark.parametrize(
    "found",
    [
        {"heard": 1, "state": "lost"},
        {"heard": 20, "state": "connecting", "lease": -5},
        {"heard": 45, "state": "live"},
    ],
)
def test_a_reconnect_or_a_quiet_stream_restricts_nothing(world: World, found):
    stream_row(world.account, **found)
    world.buy()
    look_again()
    assert state(*ACCOUNT) == NOTHING


def test_a_start_after_a_night_is_no_silence(world: World):
    """The row is old, and nobody has looked for silence long enough to know that nobody listens."""
    stream_row(world.account, heard=36_000, lease=-35_000)
    Heartbeat.objects.filter(role="watch").update(started_at=timezone.now() - timedelta(seconds=20))
    look_again()
    assert state(*ACCOUNT) == NOTHING
    Heartbeat.objects.filter(role="watch").update(started_at=timezone.now() - timedelta(seconds=61))
    look_again()
    assert state(*ACCOUNT) == ("reducing", "stream_gap")


def test_what_nobody_ever_listened_to_restricts_after_a_minute_and_names_the_remedy(world: World):
    world.rest()
    look_again()
    assert state(*ACCOUNT) == NOTHING
    assert TriggerState.objects.get(trigger="stream_gap").looks[-1] == "unknown"
    age("stream_gap", 61)
    look_again(1)
    assert state(*ACCOUNT) == ("reducing", "stream_gap")
    reason = state_of(*ACCOUNT).reason
    assert "manage.py run_streams" in reason and "risk.triggers" in reason


def test_while_nothing_is_at_stake_nobody_has_to_listen(world: World):
    look_again()
    assert TriggerState.objects.get(trigger="stream_gap").looks[-1] == "off"


def test_a_venue_that_offers_none_is_not_blamed_for_it(world: World, monkeypatch):
    monkeypatch.setattr(streams, "offers_stream", lambda _account: False)
    world.rest()
    look = look_of("stream_gap", "paper")
    assert (look.used, look.threshold, look.at_stake) == (None, None, False)


def test_it_can_be_switched_off_and_moved(world: World, settings):
    stream_row(world.account, heard=65, state="lost")
    risk = settings.LEVI_CONFIG.risk
    for threshold in (None, Decimal(600)):
        changed = replace(risk, triggers=MappingProxyType({"stream_gap": threshold}))
        settings.LEVI_CONFIG = replace(settings.LEVI_CONFIG, risk=changed)
        look_again()
        assert state(*ACCOUNT) == NOTHING
