"""Sync: the venue's truth beside our books; differences are records, and a question that failed is no answer."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db.models import F

from tests.making import PERSON, World, add_foreign_order, fresh, let_time_pass, status_of
from tests.worlds import every_venue
from trading.domain.client_order_id import client_order_id
from trading.exchanges.mexc.client import MexcExchange
from trading.execution import sync as syncing
from trading.execution.cancellation import request_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.poller import poll_once
from trading.models import (
    AuditEntry,
    Balance,
    Break,
    EquitySnapshot,
    HaltState,
    Order,
    OrderEvidence,
    SyncRun,
)
from trading.models.columns import new_id
from trading.queries.portfolio import exposure_rows


def test_a_foreign_order_is_shown_counted_and_left_alone(world: World):
    foreign_id = add_foreign_order(world, price="48000")
    world.sync()
    order = Order.objects.get(exchange_order_id=foreign_id)
    assert (order.origin, order.status, order.client_order_id) == ("external", "open", "by-hand")
    assert exposure_rows(world.account)[0].pending_buy == Decimal("0.001")
    assert HaltState.objects.get(scope="account").state == "active"
    world.sync()
    assert Order.objects.count() == 1 and world.cancels() == []


def test_a_foreign_order_that_is_filled_moves_the_position(world: World):
    add_foreign_order(world)
    world.sync()
    world.venue.fill("by-hand")
    world.sync()
    assert Order.objects.get().status == "filled"
    assert world.position() == world.position_at_venue() == Decimal("0.001")
    assert world.balances_agree()


def test_fills_of_an_order_nobody_saw_bring_it_in(world: World):
    add_foreign_order(world)
    world.venue.fill("by-hand")
    world.sync()
    assert (Order.objects.get().origin, world.position()) == ("external", Decimal("0.001"))


def test_an_order_with_our_prefix_that_the_database_lost_halts_the_account(world: World, settings):
    lost = client_order_id(settings.INSTANCE_ID, new_id())
    add_foreign_order(world, lost)
    world.sync()
    assert Order.objects.get(client_order_id=lost).origin == "orphan"
    halt = HaltState.objects.get(scope="account", target="paper")
    assert (halt.state, halt.trigger) == ("halted", "orphan") and lost in halt.reason
    assert AuditEntry.objects.filter(kind="order.orphan").count() == 1
    assert world.venue.orders()[0]["status"] == "NEW"  # a person decides
    assert world.submit().decision.codes == ["halted"]
    epoch = halt.epoch
    world.sync()
    assert HaltState.objects.get(pk=halt.pk).epoch == epoch


def test_our_own_orders_are_never_taken_for_somebody_elses(world: World):
    world.rest()
    order = world.approve(price="48500")
    world.fault("drop_after", count=1)
    dispatch_order(order.id)
    assert status_of(order) == "in_doubt"
    world.sync()
    assert set(Order.objects.values_list("origin", flat=True)) == {"signal"}


def test_a_refused_order_that_is_open_after_all_is_reopened(world: World):
    order = world.approve(price="49000")
    world.fault("error_code", status=400, code=30016, msg="disabled", processed=True, count=1)
    dispatch_order(order.id)
    assert status_of(order) == "rejected"
    world.sync()
    assert status_of(order) == "open"
    assert HaltState.objects.get(scope="account").trigger == "late_evidence"


def account_state() -> str:
    return HaltState.objects.get(scope="account", target="paper").state


def test_a_balance_that_moved_by_itself_is_a_break_until_a_person_closes_it(world: World):
    world.venue.set_balance("USDT", "99000")
    assert world.sync().breaks_open == 1
    (row,) = Break.objects.all()
    assert (row.kind, row.subject, row.state) == ("balance", "USDT", "open")
    assert (row.ours, row.theirs, row.value) == (Decimal(100_000), Decimal(99_000), Decimal(-1000))
    usdt = Balance.objects.get(asset="USDT")
    assert (usdt.free, usdt.booked, usdt.drift) == (99_000, 100_000, -1000)
    assert account_state() == "reducing"
    assert world.sync().breaks_open == 1
    assert account_state() == "halted" and Break.objects.get().seen_count == 2


def test_a_difference_that_goes_away_is_resolved(world: World):
    world.venue.set_balance("USDT", "99000")
    world.sync()
    world.venue.set_balance("USDT", "100000")
    assert world.sync().breaks_open == 0
    (row,) = Break.objects.all()
    assert (row.state, row.resolution) == ("resolved", "gone")
    assert Balance.objects.get(asset="USDT").drift == 0
    kinds = AuditEntry.objects.filter(object_id=str(row.pk)).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["break.opened", "break.resolved"]
    assert account_state() == "reducing"  # a person looks, and releases


def test_a_balance_that_moves_between_the_looks_is_no_difference(world: World, monkeypatch):
    totals = iter(["99000", "98000", "97000", "96000"])
    fetch = MexcExchange.fetch_balances

    def move_and_fetch(exchange):
        world.venue.set_balance("USDT", next(totals))
        return fetch(exchange)

    monkeypatch.setattr(MexcExchange, "fetch_balances", move_and_fetch)
    assert world.sync().balances == "moving"
    assert not Break.objects.exists() and account_state() == "active"
    assert Balance.objects.get(asset="USDT").drift == 0


def test_what_an_order_still_owes_is_no_difference(world: World):
    order = world.approve("0.01")
    world.fault("delayed_fill", method="GET", path="/api/v3/myTrades", seconds=600)
    dispatch_order(order.id)
    assert world.sync().balances == "moving"
    assert not Break.objects.exists() and account_state() == "active"
    world.venue.clear_faults()
    world.sync()
    assert world.balances_agree() and not Break.objects.exists()


@every_venue
def test_the_fee_that_an_order_still_owes_is_no_difference_whatever_it_is_paid_in(world: World):
    world.venue.settings(fee_asset="third")
    world.buy("0.01")
    order = world.approve("0.01")
    world.fault("delayed_fill", method="GET", path=world.paths.fills, seconds=600)
    dispatch_order(order.id)
    assert world.sync().balances == "moving"
    assert not Break.objects.exists() and account_state() == "active"
    world.venue.clear_faults()
    world.sync()
    assert world.balances_agree() and not Break.objects.exists()


@pytest.mark.parametrize("path", ["openOrders", "myTrades", "account"])
def test_a_question_that_failed_is_never_taken_for_nothing(world: World, path):
    order = world.rest()
    world.buy()
    let_time_pass(order, 60)
    balances = set(Balance.objects.values_list("asset", "free"))
    world.fault("malformed", method="GET", path=f"/api/v3/{path}", variant="html")
    run = world.sync(complete=False)
    assert run.error and fresh(order).status == "open"
    world.account.refresh_from_db()
    assert world.account.sync_error == run.error
    assert set(Balance.objects.values_list("asset", "free")) == balances
    assert world.position() == Decimal("0.01")
    world.venue.clear_faults()
    world.sync()
    world.account.refresh_from_db()
    assert world.account.sync_error == "" and world.account.synced_at


def test_a_failed_run_resolves_no_break(world: World):
    world.venue.set_balance("USDT", "99000")
    world.sync()
    world.venue.set_balance("USDT", "100000")
    world.fault("http_status", method="GET", path="/api/v3/account", status=503)
    world.sync(complete=False)
    assert Break.objects.get().state == "open"


def test_an_order_that_left_the_list_is_looked_at_and_not_concluded_about(world: World):
    order = world.rest()
    let_time_pass(order, 60)
    Order.objects.filter(pk=order.pk).update(next_action_at=None)
    world.venue.fill(order.client_order_id)
    world.fault("delayed_fill", method="GET", path="/api/v3/myTrades", seconds=600)
    assert world.sync().orders_updated == 1
    assert fresh(order).status == "open" and fresh(order).next_action_at
    world.venue.clear_faults()
    let_time_pass(order, 1)
    assert poll_once() == 1
    assert status_of(order) == "filled"


def test_what_the_follower_missed_is_found_by_the_next_sync(world: World):
    order = world.rest()
    world.venue.fill(order.client_order_id, "0.004")
    world.sync()
    assert (status_of(order), world.position()) == ("partially_filled", Decimal("0.004"))


@every_venue
def test_two_syncs_of_the_same_facts_write_nothing_new(world: World):
    world.rest()
    world.buy()
    world.sync()
    entries, evidence = AuditEntry.objects.count(), OrderEvidence.objects.count()
    world.sync()
    assert (AuditEntry.objects.count(), OrderEvidence.objects.count()) == (entries, evidence)
    assert SyncRun.objects.filter(is_complete=True).count() == 3


def test_the_first_sync_already_prices_what_the_account_holds(world: World):
    first = EquitySnapshot.objects.get()
    assert first.unpriced == [] and first.daily_pnl == 0
    assert first.equity > first.cash == Decimal(110_000)


def test_an_equity_snapshot_says_what_it_could_not_price(world: World):
    world.venue.set_balance("UNLISTED", "5")
    world.sync()
    last = EquitySnapshot.objects.order_by("at").last()
    assert last.unpriced == ["UNLISTED"] and last.daily_pnl is None


def test_the_cursor_overlaps_so_that_a_late_fill_is_still_found(world: World):
    order = world.approve()
    world.fault("delayed_fill", method="GET", path="/api/v3/myTrades", seconds=600)
    dispatch_order(order.id)
    world.sync()
    assert world.position() == 0
    world.venue.clear_faults()
    world.sync()
    assert (status_of(order), world.position()) == ("filled", Decimal("0.01"))


def test_a_delisted_symbol_is_kept_but_not_tradable(world: World):
    order = world.rest()
    world.venue.change_instrument("BTCUSDT", online=False)
    type(order.instrument).objects.update(
        synced_at=F("synced_at") - (fresh(order).expires_at - order.created_at) * 120
    )
    world.sync()
    assert not type(order.instrument).objects.get(symbol="BTC/USDT").is_tradable
    assert "symbol_not_tradable" in world.submit().decision.codes
    world.venue.change_instrument("BTCUSDT", online=True)
    request_cancel(order.id, actor=PERSON)
    poll_once()
    follow_order(order.id)
    assert status_of(order) == "canceled"


class WhileTheAnswerTravels:
    """The account's line to the venue; something happens between the venue's snapshot of balances and its arrival."""

    def __init__(self, exchange, happens) -> None:
        self._exchange, self._happens = exchange, happens

    def __getattr__(self, name: str):
        return getattr(self._exchange, name)

    def fetch_balances(self):
        reports = self._exchange.fetch_balances()
        self._happens()
        return reports


def test_a_purchase_booked_while_the_snapshot_travels_can_be_sold_at_once(world: World, monkeypatch):
    world.venue.set_balance("BTC", "0")
    world.sync()
    exchange_for = syncing.exchange_for
    monkeypatch.setattr(
        syncing,
        "exchange_for",
        lambda account: WhileTheAnswerTravels(exchange_for(account), lambda: world.buy("0.01")),
    )
    world.sync()
    assert world.balances_agree()
    sale = world.submit("0.01", side="SELL")
    assert sale.status == "approved", sale.status_reason
    monkeypatch.undo()
    world.sync()
    assert world.balances_agree() and not Break.objects.exists()
