"""Settlement: every fill is booked once in any order of arrival, and nothing that moved is ever ignored."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.making import World, fresh, let_time_pass, run_together, status_of
from trading.connections import exchange_for
from trading.domain import steps
from trading.domain.enums import OrderStatus, Side, VenueOrderStatus
from trading.domain.outcomes import FillReport, OrderReport
from trading.execution.balance_check import write_snapshot_of_balances
from trading.execution.changes import move_order
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.settlement import ACTOR, settle, settle_fills
from trading.models import AuditEntry, Balance, Break, Fill, HaltState, Movement, Order, Position
from trading.queries.halts import current_epoch

D = Decimal


def fill_of(order: Order, number: int, quantity: str = "0.002", price: str = "49000") -> FillReport:
    return FillReport(
        venue_fill_id=f"{order.client_order_id}-{number}",
        exchange_order_id=order.exchange_order_id,
        client_order_id=order.client_order_id,
        symbol="BTCUSDT",
        side=Side(order.side),
        price=D(price),
        quantity=D(quantity),
        fee=D("0.05"),
        fee_asset="USDT",
        is_maker=True,
        filled_at=timezone.now(),
    )


def report_of(order: Order, status: VenueOrderStatus, filled: str = "0") -> OrderReport:
    return OrderReport(
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id or "X1",
        symbol="BTCUSDT",
        side=Side(order.side),
        status=status,
        quantity=order.quantity,
        filled_quantity=D(filled),
        filled_notional=D(filled) * 49000,
    )


def account_state() -> tuple[str, str]:
    row = HaltState.objects.get(scope="account", target="paper")
    return row.state, row.trigger


def test_partial_fills_add_up_to_the_venues(world: World):
    order = world.rest(quantity="0.01")
    for quantity, status in (("0.003", "partially_filled"), ("0.003", "partially_filled"), (None, "filled")):
        world.venue.fill(order.client_order_id, quantity)
        follow_order(order.id)
        assert status_of(order) == status
    assert Fill.objects.count() == len(world.venue.fills()) == 3
    order, position = fresh(order), Position.objects.get()
    assert (order.filled_quantity, order.filled_notional) == (D("0.01"), D(490))
    assert (position.quantity, position.average_price) == (D("0.01"), D(49000))
    world.sync()
    assert world.balances_agree() and not Break.objects.exists()


@pytest.mark.parametrize("kind", ["duplicate_fill", "out_of_order"])
def test_doubled_and_disordered_lists_book_each_fill_once(world: World, kind):
    order = world.rest()
    for _ in range(3):
        world.venue.fill(order.client_order_id, "0.002")
    world.fault(kind, method="GET", path="/api/v3/myTrades")
    for _ in range(3):
        follow_order(order.id)
        world.sync()
    assert Fill.objects.count() == 3
    assert world.position() == world.position_at_venue() == D("0.006")
    assert AuditEntry.objects.filter(kind="fill.booked").count() == 3


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_arrival_with_doubles_gives_the_same_position(world: World, seed):
    order, draw = world.rest(), random.Random(seed)
    fills = [fill_of(order, number, price=str(49000 + number)) for number in range(5)]
    arrivals = [*fills, *draw.sample(fills, 3)]
    draw.shuffle(arrivals)
    for fill in arrivals:
        settle(order.id, fills=[fill], source="fills")
    position = Position.objects.get()
    assert (position.quantity, position.average_price) == (D("0.01"), D(49002))
    assert position.fees == {"USDT": "0.25"} and status_of(order) == "filled"


def test_the_same_fill_from_four_sides_at_once_is_booked_once(live_world: World):
    order = live_world.rest()
    fill = fill_of(order, 1)
    settled = run_together(*[lambda: settle(order.id, fills=[fill], source="fills")] * 4)
    assert sorted(one.fills_booked for one in settled) == [0, 0, 0, 1]
    assert live_world.position() == D("0.002") and fresh(order).filled_quantity == D("0.002")


def test_a_sale_realizes_what_the_purchase_cost(world: World):
    world.buy("0.01")
    bought = Fill.objects.get()
    world.venue.set_price("BTCUSDT", "51000")
    sold_order = world.buy("0.01", side="SELL")
    sold = Fill.objects.filter(order=sold_order)
    position = Position.objects.get()
    assert position.quantity == 0
    assert position.realized_pnl == sum(fill.notional for fill in sold) - bought.notional
    assert D(position.fees["USDT"]) == bought.fee + sum(fill.fee for fill in sold)
    world.sync()
    assert world.balances_agree()


def test_between_two_syncs_the_balances_follow_the_fills(world: World):
    world.buy("0.02")
    world.buy("0.01", side="SELL")
    resting = world.rest(quantity="0.01")
    world.venue.fill(resting.client_order_id)
    follow_order(resting.id)
    assert world.balances_agree()
    world.sync()
    assert world.balances_agree() and not Break.objects.exists()


def test_a_final_status_waits_for_the_fills_that_explain_it(world: World):
    order = world.approve("0.01")
    world.fault("delayed_fill", method="GET", path="/api/v3/myTrades", seconds=600)
    dispatch_order(order.id)
    for _ in range(3):
        assert not follow_order(order.id)
    waiting = fresh(order)
    assert (waiting.status, waiting.filled_quantity) == ("open", 0)
    assert waiting.venue_filled_quantity == D("0.01") and waiting.next_action_at
    assert world.submit("0.01").decision.facts["pending_buy"] == "0.01"  # it goes on counting
    world.venue.clear_faults()
    assert follow_order(order.id)
    assert status_of(order) == "filled" and world.position() == D("0.01")
    assert account_state()[0] == "active"


def test_an_order_that_rested_for_an_hour_waits_for_its_fills_as_a_young_one_does(world: World):
    order = world.rest(price="49000", quantity="0.01")
    let_time_pass(order, 3600)
    world.fault("delayed_fill", method="GET", path="/api/v3/myTrades", seconds=600)
    world.venue.set_price("BTCUSDT", "48900")
    follow_order(order.id)
    waiting = fresh(order)
    assert waiting.status == "open" and waiting.venue_filled_quantity == D("0.01")
    assert waiting.next_action_at is not None and account_state()[0] == "active"
    world.venue.clear_faults()
    assert follow_order(order.id)
    assert status_of(order) == "filled" and world.position() == D("0.01")


def test_after_a_minute_without_fills_it_is_final_with_a_break_and_an_alarm(world: World, monkeypatch):
    order = world.approve("0.01")
    world.fault("delayed_fill", method="GET", path="/api/v3/myTrades", seconds=600)
    dispatch_order(order.id)
    follow_order(order.id)
    assert status_of(order) == "open"
    monkeypatch.setattr(steps, "FILLS_LAG", timedelta(0))  # the minute since the venue showed them is over
    follow_order(order.id)
    assert status_of(order) == "filled" and account_state() == ("halted", "late_evidence")
    (row,) = Break.objects.filter(kind="fill")
    assert (row.subject, row.ours, row.theirs) == (order.client_order_id, 0, D("0.01"))
    assert AuditEntry.objects.filter(kind="break.opened").count() == 1
    world.sync()
    assert (
        Break.objects.get(pk=row.pk).state == "open"
    )  # a run that sees it still missing does not resolve it
    world.venue.clear_faults()
    world.sync()
    world.sync()
    assert Break.objects.get(pk=row.pk).state == "resolved" and world.position() == D("0.01")
    assert HaltState.objects.get(scope="account").state == "halted"  # a person has to look


def given_up(world: World, status: str) -> Order:
    order = world.approve(price="49000")
    Order.objects.filter(pk=order.pk).update(
        status="submitting", attempt=1, permit_at=timezone.now(), next_action_at=None
    )
    return move_order(fresh(order), OrderStatus(status), actor=ACTOR)


@pytest.mark.parametrize("status", ["rejected", "not_accepted"])
@pytest.mark.parametrize(
    ("word", "filled", "after"),
    [
        (VenueOrderStatus.OPEN, "0", "open"),
        (VenueOrderStatus.PARTIALLY_FILLED, "0.004", "partially_filled"),
        (VenueOrderStatus.FILLED, "0.01", "partially_filled"),  # its fills are still missing
        (VenueOrderStatus.CANCELED, "0", "canceled"),
    ],
)
def test_late_evidence_reopens_alarms_and_halts_the_account(world: World, status, word, filled, after):
    order = given_up(world, status)
    settled = settle(order.id, report=report_of(order, word, filled), source="query")
    assert settled.status == status_of(order) == after and settled.alarms
    assert account_state() == ("halted", "late_evidence")
    assert AuditEntry.objects.filter(kind="alarm.order", object_id=str(order.pk)).count() == 1


@pytest.mark.parametrize(("count", "after"), [(2, "partially_filled"), (5, "filled")])
@pytest.mark.parametrize("status", ["rejected", "not_accepted"])
def test_late_fills_alone_are_booked_and_alarm_too(world: World, status, count, after):
    order = given_up(world, status)
    settled = settle(order.id, fills=[fill_of(order, number) for number in range(count)], source="fills")
    assert settled.status == after and settled.alarms
    assert world.position() == D("0.002") * count
    assert account_state() == ("halted", "late_evidence")


def test_a_fill_after_the_confirmed_cancel_is_booked_and_alarms(world: World):
    order = world.rest()
    settle(order.id, report=report_of(order, VenueOrderStatus.CANCELED), source="query")
    assert status_of(order) == "canceled"
    settle(order.id, fills=[fill_of(order, 1)], source="fills")
    assert world.position() == D("0.002") and account_state()[0] == "halted"


def test_more_than_was_ordered_is_booked_and_alarms(world: World):
    order = world.rest(quantity="0.01")
    settled = settle(order.id, fills=[fill_of(order, 1, "0.011")], source="fills")
    assert "0.011 of 0.01" in settled.alarms[0]
    assert world.position() == D("0.011") and account_state()[0] == "halted"


def test_an_ordinary_end_raises_no_alarm(world: World):
    order = world.rest(quantity="0.01")
    settled = settle(order.id, fills=[fill_of(order, number) for number in range(5)], source="fills")
    assert settled.is_complete and settled.alarms == ()
    assert account_state()[0] == "active"


@pytest.mark.parametrize(
    ("word", "status"), [(VenueOrderStatus.CANCELED, "canceled"), (VenueOrderStatus.REJECTED, "rejected")]
)
def test_an_end_that_the_venue_gives_a_reason_for_is_told_with_it(world: World, word, status):
    """Where acceptance is asynchronous, the refusal comes after the acknowledgement."""
    order = world.rest()
    report = replace(report_of(order, word), reason="EC_PostOnlyWillTakeLiquidity")
    assert settle(order.id, report=report, source="query").is_complete
    ended = fresh(order)
    assert (ended.status, ended.status_reason) == (status, "EC_PostOnlyWillTakeLiquidity")
    assert ended.evidence.get(detail__status=word).detail["reason"] == "EC_PostOnlyWillTakeLiquidity"
    assert account_state()[0] == "active"


def test_old_words_change_nothing(world: World):
    order = world.buy()
    entries = AuditEntry.objects.count()
    for word, filled in ((VenueOrderStatus.OPEN, "0"), (VenueOrderStatus.PARTIALLY_FILLED, "0.005")):
        settled = settle(order.id, report=report_of(order, word, filled), source="query")
        assert settled.status == "filled" and settled.alarms == ()
    assert AuditEntry.objects.count() == entries and account_state()[0] == "active"


def test_fills_end_a_doubt(world: World):
    order = world.approve(price="49000")
    world.fault("drop_after", count=1)
    dispatch_order(order.id)
    settle(order.id, fills=[replace(fill_of(order, 1), exchange_order_id="X1")], source="fills")
    assert status_of(order) == "partially_filled" and account_state()[0] == "active"


def test_a_snapshot_taken_before_a_fill_and_written_after_it_does_not_take_the_fill_back(world: World):
    before = exchange_for(world.account).fetch_balances()
    world.buy("0.01")
    write_snapshot_of_balances(world.account, before, timezone.now())
    assert Balance.objects.get(asset="BTC").free == D("0.01")
    assert world.submit("0.01", side="SELL").status == "approved"


def test_a_snapshot_that_has_a_fill_already_is_not_given_it_twice(world: World):
    order = world.approve("0.01")
    dispatch_order(order.id)  # filled at the venue, not booked
    write_snapshot_of_balances(world.account, exchange_for(world.account).fetch_balances(), timezone.now())
    follow_order(order.id)
    assert world.balances_agree()
    assert world.submit("0.0101", side="SELL").decision.codes == ["insufficient_balance"]


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_what_was_bought_can_be_sold_at_once_whatever_the_venues_clock_says(world: World, skew):
    order = world.rest(price="49000", quantity="0.01")
    fill = replace(fill_of(order, 1, "0.01"), filled_at=timezone.now() + timedelta(seconds=skew))
    settle(order.id, fills=[fill], source="fills")
    assert world.submit("0.01", side="SELL").status == "approved"


def test_the_sum_of_all_movements_is_what_the_balances_say(world: World):
    world.venue.settings(fee_asset="third")
    world.buy("0.02")
    world.buy("0.01", side="SELL")
    sums = dict(Movement.objects.order_by().values_list("asset").annotate(Sum("quantity")))
    held = {row.asset: row.free + row.locked for row in Balance.objects.all()}
    assert {asset: total for asset, total in held.items() if total} == {k: v for k, v in sums.items() if v}
    assert Movement.objects.filter(kind="fee", asset="MX").count() == Fill.objects.count() == 2
    assert world.balances_agree()


def test_the_account_is_halted_before_an_alarm_is_written(world: World, monkeypatch):
    """A process that dies in between leaves a halt, never an alarm without one."""
    order = world.rest()
    move_order(fresh(order), OrderStatus.CANCELED, actor=ACTOR)

    def dies(*_arguments, **_more):
        raise SystemExit

    monkeypatch.setattr("trading.execution.settlement._alarm", dies)
    with pytest.raises(SystemExit):
        settle(order.id, fills=[fill_of(order, 1)], source="fills")
    assert account_state() == ("halted", "late_evidence")
    assert not Fill.objects.filter(order=order).exists(), "the same fill is news again"
    monkeypatch.undo()
    epoch = current_epoch()
    settled = settle(order.id, fills=[fill_of(order, 1)], source="fills")
    assert settled.alarms and settled.fills_booked == 1 and account_state()[0] == "halted"
    assert current_epoch() == epoch, "a halted account is not halted again"


def test_fills_of_many_orders_are_booked_in_a_number_of_statements_that_does_not_grow_with_them(world: World):
    counts = []
    for number in (2, 8):
        orders = [world.rest(price=str(49000 - each), quantity="0.01") for each in range(number)]
        fills = {order.id: [fill_of(order, 1), fill_of(order, 2)] for order in orders}
        with CaptureQueriesContext(connection) as asked:
            settle_fills(fills, source="fills")
        counts.append(len([one for one in asked if "trading_order" not in one["sql"]]))
    assert Fill.objects.count() == 20 and world.position() == D("0.04")
    # What each order's own status costs, and nothing more.
    assert counts[1] - counts[0] <= 6 * 3


def test_fills_that_arrive_together_are_booked_in_the_venues_order_of_time(world: World):
    world.venue.deposit("BTC", "1")
    world.sync()
    bought, sold = world.rest(quantity="0.01"), world.rest(side="SELL", price="51000", quantity="0.01")
    now = timezone.now()
    first = [replace(fill_of(bought, 1, "0.01"), filled_at=now - timedelta(seconds=2))]
    second = [replace(fill_of(sold, 1, "0.01", price="51000"), filled_at=now)]
    settle_fills({sold.id: second, bought.id: first}, source="fills")
    assert [fill.side for fill in Fill.objects.order_by("id")] == ["BUY", "SELL"]
    assert Position.objects.get().realized_pnl == 20
