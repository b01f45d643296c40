"""Automatic halts: they fire on real prices, once, and never on what is not known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY

from tests.making import World
from trading.execution.triggers import TRIGGERS, evaluate_triggers, gather_trigger_facts
from trading.models import Balance, EquitySnapshot, HaltChange, HaltState, Quote
from trading.queries.limits import limits_in_force


def everything() -> HaltState:
    return HaltState.objects.get(scope="everything")


def runs(trigger: str, verdict: str) -> float:
    found = REGISTRY.get_sample_value("levi_trigger_runs_total", {"trigger": trigger, "verdict": verdict})
    return found or 0.0


def test_a_loss_of_the_day_engages_the_global_stop(world: World):
    world.change_limits(max_daily_loss_pct="3")
    world.sync()  # the first pass learnt which assets are held, this one prices them
    world.buy("1")
    world.sync()
    assert everything().state == "active"
    world.venue.set_price("BTCUSDT", "46000")  # 4,000 of about 100,000
    world.sync()
    row = everything()
    assert (row.state, row.trigger, row.actor) == ("halted", "daily_loss", "system:triggers")
    assert "global stop" in row.reason
    assert world.submit().decision.codes[0] == "halted"


def test_an_exposure_above_the_threshold_engages(world: World):
    world.change_limits(kill_threshold_usd="40000")
    world.buy("0.7")
    world.sync()
    assert everything().state == "active"
    world.venue.set_price("BTCUSDT", "60000")
    world.sync()
    assert (everything().state, everything().trigger) == ("halted", "exposure")


def test_exactly_the_threshold_does_not_engage(world: World):
    world.buy("0.7")
    world.change_limits(kill_threshold_usd="35000")
    world.sync()
    assert everything().state == "active"


@pytest.mark.parametrize("trigger", ["daily_loss", "exposure"])
def test_a_stale_price_engages_nothing_and_is_counted_as_unknown(world: World, trigger):
    world.buy("1")
    world.sync()
    world.change_limits(kill_threshold_usd="1000", max_daily_loss_pct="0.001")
    Quote.objects.update(last=Decimal(10000), received_at=timezone.now() - timedelta(minutes=1))
    before = runs(trigger, "unknown")
    assert evaluate_triggers(world.account) == []
    assert everything().state == "active"
    facts = gather_trigger_facts(world.account, limits_in_force())
    assert TRIGGERS[trigger](facts) is None
    assert runs(trigger, "unknown") >= before


@pytest.mark.parametrize(
    "lose",
    [EquitySnapshot.objects.all, Balance.objects.all, Quote.objects.all],
    ids=["start", "cash", "price"],
)
def test_what_is_not_known_engages_nothing(world: World, lose):
    world.buy("1")
    world.sync()
    world.change_limits(max_daily_loss_pct="0.000001")
    lose().delete()
    assert TRIGGERS["daily_loss"](gather_trigger_facts(world.account, limits_in_force())) is None
    assert evaluate_triggers(world.account) == []


def test_a_halted_scope_is_not_halted_again(world: World):
    world.buy("1")
    world.change_limits(kill_threshold_usd="1000")
    world.sync()
    assert HaltChange.objects.count() == 1
    world.sync()
    assert HaltChange.objects.count() == 1


def test_a_limit_that_is_not_set_is_quiet(world: World):
    world.buy("1")
    world.change_limits(kill_threshold_usd=None, max_daily_loss_pct=None)
    facts = gather_trigger_facts(world.account, limits_in_force())
    assert [trigger(facts) for trigger in TRIGGERS.values()] == ["", ""]


def test_a_failed_sync_still_asks_the_triggers(world: World):
    world.buy("1")
    world.change_limits(kill_threshold_usd="1000")
    world.fault("http_status", method="GET", path="/api/v3/openOrders", status=503)
    world.sync(complete=False)
    assert everything().state == "halted"
