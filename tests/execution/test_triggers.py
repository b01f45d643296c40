"""Automatic halts on the running path: real causes fire, once; a bad tick, NaN or a stale feed never halts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import timezone

from tests.execution.looking import NOTHING, age, look_again, look_of, quick, state, state_of
from tests.making import PERSON, World, make_account
from trading.domain.enums import HaltScope
from trading.execution import triggers
from trading.execution.accounts import set_account_enabled
from trading.execution.halts import release
from trading.execution.limit_changes import change_limits
from trading.execution.sync import sync_account
from trading.execution.triggers import evaluate_triggers
from trading.models import (
    Balance,
    EquityPeak,
    EquitySnapshot,
    HaltChange,
    Quote,
    TriggerState,
)

__all__ = ["quick"]
pytestmark = pytest.mark.usefixtures("quick")


def test_a_loss_of_the_day_engages_the_global_stop_within_one_sync(world: World):
    world.change_limits(max_daily_loss_pct="3")
    world.sync()  # the first pass learnt which assets are held, this one prices them
    world.buy("1")
    world.sync()
    assert state() == NOTHING
    world.venue.set_price("BTCUSDT", "46000")  # 4,000 of about 100,000
    world.sync()
    row = state_of()
    assert (row.state, row.trigger, row.actor) == ("halted", "daily_loss", "system:triggers")
    assert "global stop" in row.reason
    assert world.submit().decision.codes[0] == "halted"
    remembered = TriggerState.objects.get(trigger="daily_loss")
    assert (
        remembered.fired_at is not None and not remembered.is_armed and remembered.looks[-2:] == ["over"] * 2
    )


def test_a_loss_in_dollars_engages_too(world: World):
    world.sync()
    world.buy("1")
    world.sync()
    world.change_limits(max_daily_loss_usd="3500")
    world.venue.set_price("BTCUSDT", "46000")
    world.sync()
    assert state() == ("halted", "daily_loss")


def test_one_phantom_tick_halts_nothing(world: World, monkeypatch):
    world.sync()
    world.buy("1")
    for _look in range(3):
        world.sync()
    world.change_limits(max_daily_loss_pct="3", kill_threshold_usd="60000", max_drawdown_pct="3")
    for phantom in ("5000", "500000"):
        world.venue.set_price("BTCUSDT", phantom)
        # The venue tells the truth again by the time it is asked a second time.
        pause = SimpleNamespace(sleep=lambda _seconds: world.venue.set_price("BTCUSDT", "50000"))
        monkeypatch.setattr(triggers, "time", pause)
        world.sync()
        world.sync()
        assert state() == NOTHING
    assert "over" in TriggerState.objects.get(trigger="exposure").looks
    assert HaltChange.objects.count() == 0
    assert EquityPeak.objects.get().equity < 120_000, "a phantom is no peak to fall from"


def test_a_last_price_far_outside_of_the_book_is_not_believed(world: World):
    world.change_limits(kill_threshold_usd="60000", max_price_gap_pct="5")
    world.buy("1")
    world.sync()
    Quote.objects.filter(instrument__symbol="BTC/USDT").update(last=Decimal(500_000))
    look_again()
    assert state() == NOTHING
    assert look_of("exposure").used is None
    assert world.submit().decision.codes[:1] == ["price_sources_disagree"]


@pytest.mark.parametrize("trigger", ["daily_loss", "exposure"])
def test_a_stale_feed_does_not_halt_but_sets_to_reducing_when_it_lasts(world: World, trigger):
    world.buy("1")
    world.sync()
    world.change_limits(kill_threshold_usd="1000", max_daily_loss_pct="0.001")
    Quote.objects.update(last=Decimal(10000), received_at=timezone.now() - timedelta(seconds=45))
    look_again()
    assert state() == NOTHING
    assert look_of(trigger).used is None
    age(trigger, 61)
    evaluate_triggers()
    assert state() == ("reducing", trigger)
    assert HaltChange.objects.count() == 1


def test_blindness_where_nothing_is_at_stake_changes_nothing(world: World):
    world.change_limits(kill_threshold_usd="1000", max_daily_loss_pct="0.001")
    EquitySnapshot.objects.all().delete()
    Quote.objects.all().delete()
    look_again()
    age("daily_loss", 1000)
    look_again()
    assert state() == NOTHING


@pytest.mark.parametrize(
    "lose",
    [EquitySnapshot.objects.all, Balance.objects.all, Quote.objects.all],
    ids=["start", "cash", "price"],
)
def test_what_is_not_known_halts_nothing(world: World, lose):
    world.buy("1")
    world.sync()
    world.change_limits(max_daily_loss_pct="0.000001")
    lose().delete()
    assert look_of("daily_loss").used is None
    look_again()
    assert state() == NOTHING


def test_a_drawdown_from_a_confirmed_peak_engages(world: World):
    world.buy("1")
    world.venue.set_price("BTCUSDT", "60000")
    for _look in range(4):
        world.sync()
    assert EquityPeak.objects.get().equity > 105_000
    world.change_limits(max_drawdown_pct="5")
    world.venue.set_price("BTCUSDT", "50000")
    world.sync()
    assert state() == ("halted", "drawdown")
    world.change_limits(max_daily_loss_pct=None)
    assert "drawdown" in world.submit().decision.codes


def test_an_exposure_above_the_threshold_engages(world: World):
    world.change_limits(kill_threshold_usd="40000")
    world.buy("0.7")
    world.sync()
    assert state() == NOTHING
    world.venue.set_price("BTCUSDT", "60000")
    world.sync()
    assert state() == ("halted", "exposure")


def test_exactly_the_threshold_does_not_engage(world: World):
    world.buy("0.7")
    world.change_limits(kill_threshold_usd="35000")
    world.sync()
    look_again()
    assert state() == NOTHING


@pytest.mark.parametrize(("scope", "target"), [("account", "paper"), ("instrument", "BTC/USDT")])
def test_a_threshold_of_a_narrower_scope_halts_that_scope_only(world: World, scope, target):
    world.buy("0.7")
    limits = {"kill_threshold_usd": "1000"}
    change_limits(limits, reason="tests", actor=PERSON, scope=HaltScope(scope), target=target)
    world.sync()
    assert state(scope, target) == ("halted", "exposure")
    assert state() == NOTHING
    assert world.submit().decision.codes[0] == "halted"
    if scope == "instrument":
        assert world.submit("0.1", symbol="ETH/USDT").status == "approved"


def test_a_halted_scope_is_not_halted_again(world: World):
    world.buy("1")
    world.change_limits(kill_threshold_usd="1000")
    world.sync()
    assert HaltChange.objects.count() == 1
    world.sync()
    look_again()
    assert HaltChange.objects.count() == 1


def test_after_a_release_a_person_has_the_cool_down_to_act_in(world: World):
    world.buy("1")
    world.change_limits(kill_threshold_usd="1000")
    world.sync()
    release(HaltScope.EVERYTHING, reason="selling by hand", actor=PERSON)
    look_again()
    assert state() == NOTHING
    TriggerState.objects.filter(trigger="exposure").update(resting_until=timezone.now())
    look_again()
    assert state() == ("halted", "exposure")


def test_no_trigger_ever_releases(world: World):
    world.buy("1")
    world.change_limits(kill_threshold_usd="1000")
    world.sync()
    world.change_limits(kill_threshold_usd="1000000")
    TriggerState.objects.update(resting_until=timezone.now() - timedelta(days=1))
    look_again(10)
    world.sync()
    assert state() == ("halted", "exposure")


def test_a_failed_sync_still_asks_the_triggers(world: World):
    world.buy("1")
    world.change_limits(kill_threshold_usd="1000")
    world.fault("http_status", method="GET", path="/api/v3/openOrders", status=503)
    world.sync(complete=False)
    assert state() == ("halted", "exposure")


def test_a_disabled_account_that_loses_counts_for_everything_as_in_the_rules(world: World):
    world.sync()
    world.buy("1")
    world.sync()
    set_account_enabled(world.account, False, actor=PERSON, reason="maintenance")
    other = make_account(world.venue, "other")
    sync_account(other.pk, trigger="test")
    world.change_limits(max_daily_loss_usd="3500")
    world.venue.set_price("BTCUSDT", "46000")
    world.sync()
    row = state_of()
    assert (row.state, row.trigger) == ("halted", "daily_loss")
    assert "all 2 accounts" in row.reason


def test_an_idle_disabled_account_makes_nothing_unknown_and_keeps_the_loss_of_its_day(world: World):
    other = make_account(world.venue, "other")
    sync_account(other.pk, trigger="test")
    world.sync()
    set_account_enabled(other, False, actor=PERSON, reason="closed")
    world.change_limits(max_daily_loss_usd="3500")
    last = EquitySnapshot.objects.filter(account=other).latest("at")
    EquitySnapshot.objects.filter(account=other).delete()  # as if its last one were of another day
    assert look_of("daily_loss").used == 0
    assert world.submit().decision.allowed, "the rules know what the trigger knows"
    last.equity += 4000
    last.save(force_insert=True)
    assert look_of("daily_loss").used == 4000
    assert "daily_loss" in world.submit().decision.codes[0]
