"""Automatic halts by orders, doubt, breaks, feeds, the clock, the disk and the alert channels, each by a real cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from levi_site.stack.ports import find_free_port
from tests.execution.looking import NOTHING, look_again, quick, state
from tests.making import PERSON, World, let_time_pass
from trading.domain.enums import HaltScope, Severity
from trading.execution import triggers
from trading.execution.alert_channels import create_channel
from trading.execution.delivery import deliver_waiting
from trading.execution.dispatch import dispatch_order
from trading.execution.halts import engage
from trading.execution.triggers import evaluate_triggers, watch_triggers
from trading.models import (
    Alert,
    AlertChannel,
    AlertDelivery,
    AuditEntry,
    Break,
    ExchangeAccount,
    HaltChange,
    HaltState,
    Order,
    Quote,
    TriggerState,
)
from trading.notify import notify
from trading.queries import trigger_looks
from trading.queries.alerts import last_delivery_failure, nobody_reached
from trading.queries.triggers import read_triggers, silent_triggers, trigger_ages

__all__ = ["quick"]
pytestmark = pytest.mark.usefixtures("quick")


def thresholds(settings, **values) -> None:
    config = settings.LEVI_CONFIG
    risk = replace(config.risk, triggers={name: Decimal(value) for name, value in values.items()})
    settings.LEVI_CONFIG = replace(config, risk=risk)


def test_rejections_in_a_row_halt_the_account_and_one_success_in_between_does_not(world: World, settings):
    thresholds(settings, order_errors=3)
    world.fault("reject", count=2)
    for _order in range(2):
        dispatch_order(world.approve().id)
    world.rest()
    world.fault("reject", count=2)
    for _order in range(2):
        dispatch_order(world.approve().id)
    look_again()
    assert state("account", "paper") == NOTHING
    world.fault("reject", count=1)
    dispatch_order(world.approve().id)
    look_again()
    assert state("account", "paper") == ("halted", "order_errors")
    assert state() == NOTHING


def test_a_denial_storm_halts_the_strategy_that_makes_it_and_not_its_neighbours(world: World, settings):
    thresholds(settings, denial_storm=5)
    world.change_limits(max_order_notional="100")
    for _order in range(5):
        world.submit("0.01", strategy="wild")
    look_again()
    assert state("strategy", "wild") == ("halted", "denial_storm")
    assert state("account", "paper") == NOTHING
    assert world.submit("0.001", strategy="calm").status == "approved"


def test_what_a_halt_denies_is_no_storm(world: World, settings):
    thresholds(settings, denial_storm=3)
    engage(HaltScope.INSTRUMENT, "BTC/USDT", reason="test", actor=PERSON, cancel=None)
    for _order in range(5):
        world.submit("0.01")
    look_again()
    assert state("account", "paper") == NOTHING


def in_doubt(world: World) -> Order:
    world.fault("drop_after", count=1)
    order = world.approve(price="49000")
    dispatch_order(order.id)
    order.refresh_from_db()
    assert order.status == "in_doubt"
    return order


def test_an_order_long_in_doubt_sets_its_account_to_reducing(world: World):
    order = in_doubt(world)
    look_again()
    assert state("account", "paper") == NOTHING
    let_time_pass(order, 301)
    look_again()
    assert state("account", "paper") == ("reducing", "in_doubt_age")


def test_many_orders_in_doubt_halt_their_account(world: World, settings):
    thresholds(settings, in_doubt_count=2)
    in_doubt(world)
    look_again()
    assert state("account", "paper") == NOTHING
    in_doubt(world)
    look_again()
    assert state("account", "paper") == ("halted", "in_doubt_count")


def test_small_breaks_that_nobody_takes_set_the_account_to_reducing(world: World, settings):
    thresholds(settings, breaks=2)
    long_ago = timezone.now() - timedelta(minutes=2)
    for number, more in enumerate(
        [{"is_beyond": True}, {"state": "acknowledged"}, {"state": "resolved"}] * 2
    ):
        Break.objects.create(  # acts by itself, has an owner, is over
            account=world.account,
            kind="fill",
            subject=str(number),
            since=long_ago,
            last_seen_at=long_ago,
            **more,
        )
    for asset, since in (("AAA", long_ago), ("BBB", timezone.now())):
        Break.objects.create(
            account=world.account, kind="balance", subject=asset, since=since, last_seen_at=timezone.now()
        )
    look_again()
    assert state("account", "paper") == NOTHING
    Break.objects.filter(kind="balance").update(since=long_ago)
    look_again()
    assert state("account", "paper") == ("reducing", "breaks")


@pytest.mark.parametrize("how", ["old", "gone"])
def test_stale_prices_set_the_account_to_reducing_and_halt_nothing(world: World, how):
    world.buy("1")
    world.change_limits(kill_threshold_usd=None)
    if how == "gone":
        Quote.objects.all().delete()
    else:
        Quote.objects.update(received_at=timezone.now() - timedelta(seconds=61))
    evaluate_triggers()
    evaluate_triggers()
    assert state("account", "paper") == NOTHING
    evaluate_triggers()
    assert state("account", "paper") == ("reducing", "stale_prices")
    assert not HaltChange.objects.filter(after="halted").exists()


def test_a_clock_that_is_off_sets_to_reducing_and_denies(world: World):
    ExchangeAccount.objects.update(clock_offset_seconds=Decimal("-7.5"))
    assert world.submit().decision.codes == ["clock_unknown"]
    look_again()
    assert state("account", "paper") == ("reducing", "clock_error")


def test_a_full_disk_halts_everything(world: World, monkeypatch):
    gibibyte = 1024**3
    usage = type("Usage", (), {"total": 100 * gibibyte, "free": 2 * gibibyte})
    monkeypatch.setattr(trigger_looks.shutil, "disk_usage", lambda _path: usage)
    look_again()
    assert state() == NOTHING
    usage.free = gibibyte // 2
    look_again()
    assert state() == ("halted", "disk_space")


def waits_for(seconds: int) -> None:
    AlertDelivery.objects.filter(state="waiting").update(
        created_at=timezone.now() - timedelta(seconds=seconds)
    )


@pytest.fixture
def deaf(world: World) -> AlertChannel:
    """A channel whose port nobody listens on, and an alert that waits for it."""
    channel = create_channel("mail", f"json://127.0.0.1:{find_free_port()}/x", actor=PERSON)
    Alert.objects.all().delete()
    notify("halt.engaged", Severity.CRITICAL, "Everything is halted", "test")
    deliver_waiting()
    return channel


def test_in_production_alerts_that_reach_nobody_halt(deaf, settings):
    """It may fail for five minutes, and longer with play money."""
    failure = nobody_reached()
    assert failure is not None and failure.channel == "mail" and failure.error
    settings.LEVI_MODE = "production"
    look_again()
    assert state() == NOTHING
    waits_for(301)
    settings.LEVI_MODE = "paper"
    look_again()
    assert state() == NOTHING
    settings.LEVI_MODE = "production"
    look_again()
    assert state() == ("halted", "alert_channel")
    assert failure.error in HaltState.objects.get(scope="everything").reason


def test_one_dead_channel_of_two_halts_nothing(deaf, settings):
    AlertChannel.objects.create(
        name="phone", sealed_url=b"x", sealed_with="k", url_hint="x", delivered_at=timezone.now()
    )
    AlertChannel.objects.filter(pk=deaf.pk).update(failing_since=timezone.now() - timedelta(hours=1))
    waits_for(3600)
    settings.LEVI_MODE = "production"
    look_again()
    assert last_delivery_failure().channel == "mail" and nobody_reached() is None
    assert state() == NOTHING


def test_what_was_given_up_does_not_halt_again_after_a_release(deaf, settings):
    AlertDelivery.objects.update(state="given_up")
    AlertChannel.objects.update(failing_since=timezone.now() - timedelta(hours=7))
    settings.LEVI_MODE = "production"
    look_again()
    assert nobody_reached() is None and state() == NOTHING


def test_production_without_any_channel_halts(world: World, settings):
    settings.LEVI_MODE = "production"
    Alert.objects.all().delete()
    look_again()
    assert state() == NOTHING
    notify("levi.started", Severity.INFO, "The supervisor started", "")
    Alert.objects.update(at=timezone.now() - timedelta(seconds=301))
    look_again()
    assert state() == ("halted", "alert_channel")
    assert "no alert channel is enabled" in HaltState.objects.get(scope="everything").reason


def test_a_trigger_can_be_switched_off(world: World, settings):
    ExchangeAccount.objects.update(clock_offset_seconds=Decimal(60))
    config = settings.LEVI_CONFIG
    settings.LEVI_CONFIG = replace(config, risk=replace(config.risk, triggers={"clock_error": None}))
    look_again()
    assert state("account", "paper") == NOTHING


def test_every_trigger_is_seen_to_run_and_one_that_fails_is_an_alarm(world: World, monkeypatch):
    watch_triggers()
    assert silent_triggers() == [] and all(age == 0 for age in trigger_ages().values())
    assert {row.verdict for row in read_triggers() if row.trigger not in ("dead_man", "audit_damage")} <= {
        "clear", "near", "off",
    }  # fmt: skip

    def broken(_sight):
        raise RuntimeError("a defect")

    monkeypatch.setitem(
        trigger_looks.MEASURES, broken, trigger_looks.MEASURES.pop(trigger_looks.look_at_clock)
    )
    TriggerState.objects.update(evaluated_at=timezone.now() - timedelta(seconds=61))
    watch_triggers()
    watch_triggers()
    entry = AuditEntry.objects.get(kind="alarm.trigger")
    assert entry.object_id == "clock_error" and "has not looked for 61 s" in entry.data["reason"]
    assert Alert.objects.get(event="alarm.trigger").severity == "critical"
    assert next(row.verdict for row in read_triggers() if row.trigger == "clock_error") == "silent"
    assert trigger_ages()["exposure"] == 0


def test_the_watch_leaves_looking_to_the_syncs_while_they_do_it(world: World, monkeypatch):
    world.sync()
    monkeypatch.setattr(triggers, "evaluate_triggers", lambda: pytest.fail("nobody needed to look"))
    watch_triggers()
