"""Orders that the database does not know: one sync finds them, says whose they are, and cancels nothing by accident."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from levi_site.beat_schedule import BEAT_SCHEDULE
from tests.making import PERSON, World, add_foreign_order, fresh, status_of
from trading import audit
from trading.domain.client_order_id import client_order_id
from trading.domain.enums import CancelScope, HaltScope, OrderType, Side, VenueOrderStatus
from trading.domain.outcomes import OrderReport
from trading.execution import foreign
from trading.execution import sweep as sweeping
from trading.execution.cancellation import cancel_all
from trading.execution.dispatch_limits import LAST_ACCEPTANCE
from trading.execution.foreign import take_in
from trading.execution.halts import engage, release
from trading.execution.poller import poll_once
from trading.execution.sweep import run_sweep
from trading.models import Alert, AuditEntry, Fill, HaltState, Instrument, Order, OrderEvidence, Sweep
from trading.models.columns import new_id
from trading.queries.portfolio import exposure_rows

ORPHAN_ALERT = "order.orphan"


@pytest.fixture
def lost(settings) -> str:
    """A client order id of this installation whose row is gone, as after a restored backup."""
    return client_order_id(settings.INSTANCE_ID, new_id())


def account_halt() -> HaltState:
    return HaltState.objects.get(scope="account", target="paper")


def at_venue(world: World) -> dict[str, str]:
    return {row["order_id"]: row["status"] for row in world.venue.orders()}


def sweep_now(scope: HaltScope = HaltScope.EVERYTHING, target: str = "", **more) -> Sweep:
    sweep_id = engage(scope, target, reason="test", actor=PERSON, **more).sweep_id
    Sweep.objects.filter(pk=sweep_id).update(
        engaged_at=F("engaged_at") - LAST_ACCEPTANCE - timedelta(seconds=1)
    )
    return run_sweep(sweep_id)


def test_a_look_comes_several_times_within_the_minute_that_is_promised():
    assert BEAT_SCHEDULE["portfolio-sync"]["schedule"] * 2 < 60


@pytest.mark.parametrize(("filled", "status"), [(None, "open"), ("0.0004", "partially_filled")])
def test_an_orphan_at_the_venue_is_adopted_alarmed_and_halts_in_one_look(world: World, lost, filled, status):
    add_foreign_order(world, lost)
    if filled:
        world.venue.fill(lost, filled)
    world.sync()
    order = Order.objects.get(client_order_id=lost)
    assert (order.origin, order.status) == ("orphan", status)
    assert order.filled_quantity == Decimal(filled or 0)
    assert world.position() == world.position_at_venue() == Decimal(filled or 0)
    assert exposure_rows(world.account)[0].pending_buy == Decimal("0.001") - Decimal(filled or 0)
    assert (account_halt().state, account_halt().trigger) == ("halted", "orphan")
    assert Alert.objects.get(event=ORPHAN_ALERT).severity == "critical"
    assert world.submit().decision.codes == ["halted"]
    assert world.cancels() == []


def test_an_orphan_that_was_filled_before_anybody_looked_halts_too(world: World, lost):
    add_foreign_order(world, lost)
    world.venue.fill(lost)
    world.sync()
    order = Order.objects.get(client_order_id=lost)
    assert (order.origin, order.status, order.filled_quantity) == ("orphan", "filled", Decimal("0.001"))
    assert world.position() == Decimal("0.001") and world.balances_agree()
    assert account_halt().trigger == "orphan"
    assert Alert.objects.filter(event=ORPHAN_ALERT).count() == 1


def test_a_second_look_at_an_orphan_tells_nobody_again_and_a_release_lasts(world: World, lost):
    add_foreign_order(world, lost)
    world.sync()
    release(HaltScope.ACCOUNT, "paper", reason="looked at it", actor=PERSON)
    world.sync()
    assert account_halt().state == "active"
    assert Alert.objects.filter(event=ORPHAN_ALERT).count() == 1
    assert Order.objects.count() == 1


def test_an_orphan_in_a_symbol_nobody_lists_halts_once_until_a_person_looks(world: World, lost):
    add_foreign_order(world, lost)
    Instrument.objects.filter(venue_symbol="BTCUSDT").delete()
    world.sync()
    halt = account_halt()
    assert (halt.state, halt.trigger) == ("halted", "orphan") and "in BTCUSDT" in halt.reason
    assert not Order.objects.exists()
    world.sync()
    assert account_halt().epoch == halt.epoch


def test_a_foreign_order_with_fills_is_external_and_counts_with_what_is_left(world: World):
    add_foreign_order(world)
    world.venue.fill("by-hand", "0.0004")
    world.sync()
    order = Order.objects.get()
    assert (order.origin, order.status) == ("external", "partially_filled")
    assert world.position() == world.position_at_venue() == Decimal("0.0004")
    assert exposure_rows(world.account)[0].pending_buy == Decimal("0.0006")
    assert account_halt().state == "active" and not Alert.objects.filter(event=ORPHAN_ALERT).exists()


def test_a_name_used_twice_by_somebody_else_is_two_orders(world: World):
    first = add_foreign_order(world)
    world.sync()
    world.venue.fill("by-hand")
    world.sync()
    second = add_foreign_order(world, price="47000")
    world.sync()
    orders = {order.exchange_order_id: order for order in Order.objects.all()}
    assert {key: (row.origin, row.status) for key, row in orders.items()} == {
        first: ("external", "filled"),
        second: ("external", "open"),
    }
    assert not AuditEntry.objects.filter(kind="alarm.order").exists()
    world.venue.fill(second)
    world.sync()
    assert fresh(orders[second]).status == "filled"
    assert world.position() == world.position_at_venue() == Decimal("0.002")


@pytest.mark.parametrize("filled", [False, True])
def test_an_order_of_ours_that_is_at_the_venue_twice_is_an_orphan_beside_it(world: World, filled):
    ours = world.rest(quantity="0.001")
    double = add_foreign_order(world, ours.client_order_id)
    if filled:
        world.venue.fill(double)
    world.sync()
    orphan = Order.objects.get(origin="orphan")
    assert orphan.exchange_order_id == double and orphan.pk != ours.pk
    assert orphan.status == ("filled" if filled else "open")
    assert status_of(ours) == "open" and fresh(ours).filled_quantity == 0
    assert world.position() == world.position_at_venue()
    assert "second time" in account_halt().reason
    assert Fill.objects.filter(order=ours).count() == 0


def test_cancel_all_of_ours_takes_the_orphan_and_leaves_somebody_elses(world: World, lost):
    ours, foreign, orphan = (
        world.rest().exchange_order_id,
        add_foreign_order(world),
        add_foreign_order(world, lost),
    )
    world.sync()
    answer = cancel_all(CancelScope.OURS, actor=PERSON)
    poll_once()
    assert answer["requested"] == 2 and answer["venue"] == []
    assert at_venue(world) == {ours: "CANCELED", foreign: "NEW", orphan: "CANCELED"}
    assert status_of(Order.objects.get(exchange_order_id=foreign)) == "open"
    assert Order.objects.get(exchange_order_id=foreign).cancel_state == "none"


@pytest.mark.parametrize("seen_before", [True, False])
def test_cancel_all_of_everything_takes_somebody_elses_too(world: World, seen_before):
    foreign = add_foreign_order(world)
    if seen_before:
        world.sync()
    cancel_all(CancelScope.EVERYTHING, actor=PERSON)
    assert at_venue(world) == {foreign: "CANCELED"}
    poll_once()
    world.sync()
    assert list(Order.objects.values_list("status", flat=True)) == (["canceled"] if seen_before else [])


@pytest.mark.parametrize(
    ("scope", "target"),
    [(HaltScope.EVERYTHING, ""), (HaltScope.ACCOUNT, "paper"), (HaltScope.INSTRUMENT, "BTC/USDT")],
)
def test_a_sweep_of_ours_finds_the_orphan_and_leaves_somebody_elses(
    live_world: World, lost, monkeypatch, scope, target
):
    monkeypatch.setattr(sweeping, "_PAUSES", (0,))
    foreign, orphan = add_foreign_order(live_world), add_foreign_order(live_world, lost)
    live_world.venue.fill("by-hand", "0.0004")
    sweep = sweep_now(scope, target)
    assert sweep.verdict == "clean" and sweep.report["paper"]["foreign"] == 1
    assert at_venue(live_world) == {foreign: "PARTIALLY_FILLED", orphan: "CANCELED"}
    assert status_of(Order.objects.get(client_order_id=lost)) == "canceled"


def test_a_sweep_of_an_instrument_leaves_an_orphan_of_another_alone(live_world: World, lost, monkeypatch):
    monkeypatch.setattr(sweeping, "_PAUSES", (0,))
    orphan = add_foreign_order(live_world, lost)
    sweep = sweep_now(HaltScope.INSTRUMENT, "ETH/USDT")
    assert sweep.verdict == "clean" and at_venue(live_world) == {orphan: "NEW"}


def test_a_sweep_cancels_the_second_of_two_orders_with_one_name(live_world: World, monkeypatch):
    monkeypatch.setattr(sweeping, "_PAUSES", (0,))
    ours = live_world.rest(quantity="0.001")
    double = add_foreign_order(live_world, ours.client_order_id)
    assert sweep_now().verdict == "clean"
    assert at_venue(live_world) == {ours.exchange_order_id: "CANCELED", double: "CANCELED"}
    assert (status_of(ours), Order.objects.get(exchange_order_id=double).status) == ("canceled", "canceled")


def test_a_sweep_of_everything_takes_somebody_elses_order_with_fills(live_world: World, lost, monkeypatch):
    monkeypatch.setattr(sweeping, "_PAUSES", (0,))
    add_foreign_order(live_world), add_foreign_order(live_world, lost)
    live_world.venue.fill("by-hand", "0.0004")
    assert sweep_now(cancel=CancelScope.EVERYTHING).verdict == "clean"
    assert set(at_venue(live_world).values()) <= {"CANCELED", "PARTIALLY_CANCELED"}
    live_world.sync()
    assert live_world.position() == live_world.position_at_venue() == Decimal("0.0004")


def foreign_report(number: int, name: str = "") -> OrderReport:
    return OrderReport(
        client_order_id=name or f"theirs-{number}",
        exchange_order_id=f"F{number}",
        symbol="BTCUSDT",
        side=Side.BUY,
        status=VenueOrderStatus.OPEN,
        quantity=Decimal("0.001"),
        filled_quantity=Decimal(0),
        filled_notional=Decimal(0),
        price=Decimal(40_000),
        order_type=OrderType.LIMIT,
    )


def statements_of(world: World, reports: list[OrderReport]) -> int:
    with CaptureQueriesContext(connection) as asked:
        take_in(world.account, reports)
    return len(asked)


def test_many_orders_are_taken_in_with_as_many_statements_as_one(world: World):
    few = statements_of(world, [foreign_report(0)])
    many = statements_of(world, [foreign_report(number) for number in range(1, 101)])
    assert many == few
    assert Order.objects.filter(origin="external", status="open").count() == 101
    assert OrderEvidence.objects.count() == AuditEntry.objects.filter(kind="order.external").count() == 101
    take_in(world.account, [foreign_report(number) for number in range(101)])
    assert Order.objects.count() == 101
    assert audit.verify().ok


def test_names_that_are_taken_or_missing_or_there_twice_become_the_venues(world: World):
    ours = world.rest()
    named = [(1, ours.client_order_id), (2, "twice"), (3, "twice"), (4, "")]
    reports = [replace(foreign_report(number), client_order_id=name) for number, name in named]
    take_in(world.account, [*reports, reports[1]])
    names = dict(Order.objects.exclude(pk=ours.pk).values_list("exchange_order_id", "client_order_id"))
    assert names == {"F1": "x-F1", "F2": "twice", "F3": "x-F3", "F4": "x-F4"}


def test_lost_orders_found_together_are_one_halt_that_counts_them(world: World, settings):
    names = [client_order_id(settings.INSTANCE_ID, new_id()) for _ in range(5)]
    take_in(world.account, [foreign_report(number, name) for number, name in enumerate(names)])
    assert (
        Order.objects.filter(origin="orphan").count() == Alert.objects.filter(event=ORPHAN_ALERT).count() == 5
    )
    assert AuditEntry.objects.filter(kind="halt.engaged").count() == 1
    assert account_halt().reason.endswith("is not in the database, and 4 more")


def test_one_that_somebody_else_takes_in_meanwhile_costs_the_others_nothing(world: World, monkeypatch):
    reports = [foreign_report(number) for number in range(3)]
    take_in(world.account, reports[:1])
    look, looks = foreign._find_known, []

    def look_too_early(account, asked):
        looks.append(len(asked))
        return {} if len(looks) == 1 else look(account, asked)

    monkeypatch.setattr(foreign, "_find_known", look_too_early)
    take_in(world.account, reports)
    assert Order.objects.count() == 3 and AuditEntry.objects.filter(kind="order.external").count() == 3


@pytest.mark.parametrize("look_again", [True, False])
def test_two_that_find_the_same_order_at_once_get_the_same_row(world: World, monkeypatch, look_again):
    """A sync and a follower, each with a fill of an order that nobody knew a moment ago."""
    take_in(world.account, [foreign_report(1)])
    look, looks = foreign._find_known, []

    def look_too_early(account, asked):
        looks.append(asked)
        return {} if look_again and len(looks) == 1 else look(account, asked)

    monkeypatch.setattr(foreign, "_find_known", look_too_early)
    assert foreign.adopt_unknown_order(world.account, foreign_report(1)) == Order.objects.get()
    assert len(looks) == 1 + look_again
