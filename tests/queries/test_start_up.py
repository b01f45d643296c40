"""A start in testnet and production waits for its checks and for a person; paper does not."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from levi_site.preflight import Result, check_instance
from tests.api.rows import place, set_status
from tests.api.world import Caller, make_token, make_world
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import HaltScope, OrderOrigin
from trading.domain.errors import NotAllowed
from trading.execution.halts import missing_for_release, release
from trading.models import ExchangeAccount, HaltState, Instrument, Order
from trading.queries.halts import read_status
from trading.queries.start_up import missing_after_start
from trading.stop_flag import find_stop_flag, raise_stop_flag


def anna() -> Actor:
    """She has just proved her second factor."""
    return Actor(ActorKind.OPERATOR, "anna", factor_at=timezone.now())


@pytest.fixture
def started(db, settings):
    """A product of testnet mode whose stack has just raised the flag; one order was placed before."""
    world = make_world()
    order = place(Caller(make_token("trader")), "earlier")
    settings.LEVI_MODE = "testnet"
    ExchangeAccount.objects.update(mode="testnet")
    raise_stop_flag(settings.STOP_FLAG, "started", "system:start")
    world.order = order
    return world


def sync() -> None:
    ExchangeAccount.objects.update(synced_at=timezone.now() + timedelta(seconds=1))


def test_it_starts_halted_and_says_what_is_missing(started):
    assert read_status()["state"] == "halted"
    assert missing_for_release(HaltScope.EVERYTHING) == [
        "paper: no complete sync of clock, open orders, fills and balances since the start."
    ]


def test_no_door_releases_too_early(started, settings):
    with pytest.raises(NotAllowed, match="no complete sync"):
        release(HaltScope.EVERYTHING, reason="I am in a hurry", actor=anna())
    assert settings.STOP_FLAG.exists()


def test_a_restart_of_what_was_halted_already_waits_for_a_sync_of_its_own(started, settings):
    earlier = timezone.now().timestamp() - 600
    os.utime(settings.STOP_FLAG, (earlier, earlier))
    ExchangeAccount.objects.update(synced_at=timezone.now() - timedelta(seconds=5))
    assert missing_after_start() == []
    raise_stop_flag(settings.STOP_FLAG, "started again", "system:start")
    assert len(missing_after_start()) == 1
    assert find_stop_flag(settings.STOP_FLAG).reason == "started", "the first words are why"


def test_a_sync_from_before_the_start_does_not_count(started):
    ExchangeAccount.objects.update(synced_at=timezone.now() - timedelta(seconds=5))
    assert len(missing_after_start()) == 1


def test_when_all_is_done_a_person_releases(started, settings):
    sync()
    assert missing_for_release(HaltScope.EVERYTHING) == []
    release(HaltScope.EVERYTHING, reason="looked at everything", actor=anna())
    assert not settings.STOP_FLAG.exists() and read_status()["active"]


@pytest.mark.parametrize("statuses", [("submitting",), ("submitting", "in_doubt")])
def test_doubt_is_waited_for(started, statuses):
    sync()
    set_status(started.order, *statuses)
    (sentence,) = missing_after_start()
    assert "in doubt" in sentence and Order.objects.get().status == statuses[-1]


def test_unknown_instruments_are_waited_for(started):
    sync()
    Instrument.objects.update(synced_at=timezone.now() - timedelta(days=1))
    (sentence,) = missing_after_start()
    assert "instruments" in sentence


def test_a_narrower_scope_does_not_wait(started):
    HaltState.objects.filter(scope="account").update(state="halted")
    assert missing_for_release(HaltScope.ACCOUNT, "paper") == []


def test_paper_waits_for_nothing(started, settings):
    settings.LEVI_MODE = "paper"
    assert missing_after_start() == []


def test_a_host_that_marks_orders_otherwise_than_the_database_is_not_released(started, settings):
    """A lost file is made anew by itself, and a second host makes its own: what to write is in the database."""
    sync()
    known, settings.INSTANCE_ID = settings.INSTANCE_ID, "zzzz"
    (sentence,) = missing_after_start()
    assert "says zzzz" in sentence and f"carries {known}:" in sentence
    (found,) = check_instance()
    assert found.result is Result.REFUSED and sentence in found.observed
    with pytest.raises(NotAllowed, match="zzzz"):
        release(HaltScope.EVERYTHING, reason="it is only a file", actor=anna())
    assert settings.STOP_FLAG.exists()
    Order.objects.update(origin=OrderOrigin.EXTERNAL)
    assert missing_after_start() == []  # other people's orders say nothing of ours
