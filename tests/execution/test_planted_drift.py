"""Drift of every kind, planted: the next look finds it, the one after confirms it, and only a person closes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.execution.test_settlement import fill_of
from tests.making import PERSON, World, let_time_pass, status_of
from trading.connections import exchange_for
from trading.domain.enums import HaltScope
from trading.domain.errors import StaleDecision
from trading.exchanges.mexc.client import MexcExchange
from trading.execution import balance_check, book_checks
from trading.execution.adjustments import adjust_break, adjustment_payload
from trading.execution.break_response import respond_to_breaks
from trading.execution.breaks import acknowledge_break, note_break
from trading.execution.dispatch import dispatch_order
from trading.execution.halts import release
from trading.execution.settlement import settle
from trading.models import (
    AuditEntry,
    Balance,
    Break,
    HaltState,
    JobSlot,
    Movement,
    MovementKind,
    Order,
    Position,
)

D = Decimal
ORDERS, FILLS = "/api/v3/order", "/api/v3/myTrades"
# What was planted: the subject of its break, our number, and the other one.
Planted = tuple[str, Decimal, Decimal]


def plant_balance(world: World) -> Planted:
    """Money left the account, and no record says how."""
    world.venue.set_balance("USDT", "99000")
    return "USDT", D(100_000), D(99_000)


def plant_position(world: World) -> Planted:
    """The stored sum is not what its fills add up to."""
    world.buy("0.01")
    Position.objects.update(quantity=D("0.013"))
    return "BTC/USDT", D("0.013"), D("0.01")


def plant_order(world: World) -> Planted:
    """An order that works by our books, and that the venue neither lists nor knows."""
    order = world.rest()
    exchange_for(world.account).cancel_order("BTCUSDT", exchange_order_id=order.exchange_order_id)
    world.fault("not_found", method="GET", path=ORDERS, seconds=600)
    let_time_pass(order, 60)
    return order.client_order_id, D("0.01"), D(0)


def plant_fill(world: World) -> Planted:
    """A fill in our books that the venue never made."""
    order = world.rest()
    phantom = replace(fill_of(order, 1), filled_at=timezone.now() - timedelta(seconds=60))
    settle(order.id, fills=[phantom], source="test")
    let_time_pass(order, 60)
    return phantom.venue_fill_id, D("0.002"), D(0)


PLANTS: dict[str, Callable[[World], Planted]] = {
    "balance": plant_balance,
    "position": plant_position,
    "order": plant_order,
    "fill": plant_fill,
}
every_kind = pytest.mark.parametrize("kind", PLANTS)


def look(world: World, *, complete: bool = True):
    JobSlot.objects.all().delete()  # positions are added up once in thirty seconds
    return world.sync(complete=complete)


def live_breaks() -> list[Break]:
    return list(Break.objects.exclude(state="resolved").order_by("since"))


def scope_state(kind: str) -> tuple[str, str]:
    target = {"scope": "account", "target": "paper"} if kind == "balance" else {}
    row = HaltState.objects.get(**(target or {"scope": "instrument", "target": "BTC/USDT"}))
    return row.state, row.trigger if row.state != "active" else ""


def tolerate(settings, kind: str, dollars: str) -> None:
    config = settings.LEVI_CONFIG
    books = replace(config.books, **{f"{kind}_tolerance_usd": D(dollars)})
    settings.LEVI_CONFIG = replace(config, books=books)


@every_kind
def test_planted_drift_is_found_and_then_confirmed(world: World, kind):
    subject, ours, theirs = PLANTS[kind](world)
    booked = dict(Balance.objects.values_list("asset", "booked"))
    before = timezone.now()
    look(world)
    row = Break.objects.get(kind=kind, subject=subject)
    assert (row.ours, row.theirs, row.state, row.owner) == (ours, theirs, "open", "")
    assert before < row.since < timezone.now() and row.is_beyond and row.value
    assert scope_state(kind) == ("reducing", "break")
    look(world)
    again = Break.objects.get(kind=kind, subject=subject)
    assert (again.pk, again.since, again.seen_count) == (row.pk, row.since, 2)
    assert scope_state(kind) == ("halted", "break")
    assert dict(Balance.objects.values_list("asset", "booked")) == booked, "nothing is repaired silently"
    opened = AuditEntry.objects.filter(kind="break.opened", object_id=str(row.pk))
    assert opened.count() == 1


@every_kind
def test_drift_within_its_tolerance_is_written_down_and_restricts_nothing(world: World, settings, kind):
    tolerate(settings, kind, "1000000")
    tolerate(settings, "balance", "1000000")  # a fill that never was also moved the balances
    subject, _, _ = PLANTS[kind](world)
    look(world)
    look(world)
    row = Break.objects.get(kind=kind, subject=subject)
    assert (row.state, row.is_beyond, row.seen_count) == ("open", False, 2)
    assert not HaltState.objects.exclude(state="active").exists()


@every_kind
def test_a_person_closes_planted_drift_and_it_stays_closed(world: World, kind):
    subject, ours, theirs = PLANTS[kind](world)
    look(world)
    for row in live_breaks():
        payload = adjustment_payload(row)
        with pytest.raises(StaleDecision):
            adjust_break(row.pk, payload=payload | {"theirs": "1"}, reason="wrong", actor=PERSON)
        adjust_break(row.pk, payload=payload, reason="checked at the venue", actor=PERSON)
    row = Break.objects.get(kind=kind, subject=subject)
    accepted = "accepted" if kind == "fill" else "adjusted"
    assert (row.state, row.resolution, row.reason) == ("resolved", accepted, "checked at the venue")
    look(world)
    assert live_breaks() == [] and world.balances_agree()
    assert not Balance.objects.exclude(drift=0).exists()
    audited = AuditEntry.objects.get(kind="break.resolved", object_id=str(row.pk))
    assert audited.actor.endswith("olga") and audited.data["reason"] == "checked at the venue"
    if kind == "balance":
        moved = Movement.objects.get(kind=MovementKind.ADJUSTMENT)
        assert (moved.asset, moved.quantity) == (subject, theirs - ours)
    if kind == "position":
        assert world.position() == D("0.01")


@pytest.mark.parametrize(
    ("kind", "path"), [("balance", "/api/v3/account"), ("order", ORDERS), ("fill", FILLS)]
)
def test_a_question_that_fails_neither_opens_a_break_nor_closes_one(world: World, kind, path):
    world.fault("http_status", method="GET", path=path, status=503)
    subject, _, _ = PLANTS[kind](world)
    if kind == "order":  # its list was read, the order itself could not be asked about
        world.venue.clear_faults()
        world.fault("http_status", method="GET", path=path, status=503)
    order_states = set(Position.objects.values_list("instrument", "quantity"))
    world.sync(complete=kind == "order")
    assert not Break.objects.filter(kind=kind).exists()
    assert set(Position.objects.values_list("instrument", "quantity")) == order_states
    world.venue.clear_faults()
    if kind == "order":
        world.fault("not_found", method="GET", path=ORDERS, seconds=600)
    look(world)
    assert Break.objects.get(kind=kind, subject=subject).state == "open"
    world.venue.clear_faults()
    world.fault("http_status", method="GET", path=path, status=503)
    world.sync(complete=kind == "order")
    assert Break.objects.get(kind=kind, subject=subject).state == "open"
    if kind == "order":
        assert Order.objects.get(client_order_id=subject).status == "open"


def test_orders_that_fill_between_the_looks_are_no_difference(world: World, monkeypatch):
    order = world.rest(quantity="0.01")
    parts = iter(["0.003", "0.004"])
    fetch = MexcExchange.fetch_balances

    def fill_and_fetch(exchange):
        if (part := next(parts, None)) is not None:
            world.venue.fill(order.client_order_id, part)
        return fetch(exchange)

    monkeypatch.setattr(MexcExchange, "fetch_balances", fill_and_fetch)
    assert look(world).balances == "equal"
    assert not Break.objects.exists() and world.balances_agree()
    assert world.position() == world.position_at_venue() == D("0.007")


def test_an_order_that_ends_after_the_list_was_read_is_no_difference(world: World, monkeypatch):
    order = let_time_pass(world.rest(), 60)
    fetch = MexcExchange.fetch_open_orders

    def fill_then_fetch(exchange):
        world.venue.fill(order.client_order_id)
        return fetch(exchange)

    monkeypatch.setattr(MexcExchange, "fetch_open_orders", fill_then_fetch)
    look(world)
    assert status_of(order) == "filled"
    assert not Break.objects.exists() and world.balances_agree()


def test_a_break_somebody_owns_acts_again_only_when_it_grows(world: World):
    plant_balance(world)
    look(world)
    (row,) = live_breaks()
    acknowledge_break(row.pk, reason="a withdrawal by hand", actor=PERSON)
    release(HaltScope.ACCOUNT, "paper", reason="it is known", actor=PERSON)
    look(world)
    (row,) = live_breaks()
    assert (row.state, row.owner, row.reason) == ("acknowledged", "olga", "a withdrawal by hand")
    assert scope_state("balance")[0] == "active"
    world.venue.set_balance("USDT", "98000")
    look(world)
    assert live_breaks()[0].value == D(-2000) and scope_state("balance") == ("halted", "break")


@pytest.mark.parametrize(
    "theirs, acts", [("7", True), ("5.001", True), ("5", False), ("4", False), ("-1", True)]
)
def test_growth_is_told_by_quantity_also_without_a_price(world: World, theirs, acts):
    """Nobody says what it is worth, from beginning to end."""
    row = note_break(world.account, "fill", "F-1", ours=D(0), theirs=D(5), symbol="ETH/USDT")
    assert row and row.value is None and row.is_beyond
    acknowledge_break(row.pk, reason="asked the venue", actor=PERSON)
    note_break(world.account, "fill", "F-1", ours=D(0), theirs=D(theirs), symbol="ETH/USDT")
    respond_to_breaks(world.account)
    assert HaltState.objects.get(target="ETH/USDT").state == ("halted" if acts else "active")


def test_a_price_that_rises_makes_no_break_grow(world: World):
    plant_position(world)
    look(world)
    (row,) = live_breaks()
    acknowledge_break(row.pk, reason="a restore", actor=PERSON)
    release(HaltScope.INSTRUMENT, "BTC/USDT", reason="it is known", actor=PERSON)
    world.venue.set_price("BTCUSDT", "80000")
    look(world)
    look(world)
    again = live_breaks()[0]
    assert abs(again.value) > abs(row.value) and again.difference == row.difference
    assert scope_state("position")[0] == "active"


def test_drift_that_repairs_itself_is_gone_and_its_scope_stays_restricted(world: World):
    plant_position(world)
    look(world)
    Position.objects.update(quantity=D("0.01"))
    look(world)
    row = Break.objects.get()
    assert (row.state, row.resolution, row.kind) == ("resolved", "gone", "position")
    assert scope_state("position") == ("reducing", "break")


def test_an_adjusted_balance_that_drifts_again_is_a_new_break(world: World):
    plant_balance(world)
    look(world)
    (first,) = live_breaks()
    adjust_break(first.pk, payload=adjustment_payload(first), reason="a fee by hand", actor=PERSON)
    world.venue.set_balance("USDT", "98500")
    look(world)
    (second,) = live_breaks()
    assert second.pk != first.pk and (second.ours, second.theirs) == (D(99_000), D(98_500))


def test_what_has_no_turn_in_a_pass_has_it_in_the_next_and_keeps_its_break(world: World, monkeypatch):
    monkeypatch.setattr(book_checks, "QUESTIONS", 2)
    orders = [world.rest() for _ in range(3)]
    for order in orders:
        exchange_for(world.account).cancel_order("BTCUSDT", exchange_order_id=order.exchange_order_id)
        let_time_pass(order, 60)
    world.fault("not_found", method="GET", path=ORDERS, seconds=600)
    look(world)
    assert len(live_breaks()) == 2
    look(world)
    assert {row.subject for row in live_breaks()} == {order.client_order_id for order in orders}
    look(world)
    assert not Break.objects.filter(state="resolved").exists()


def test_an_asset_that_cannot_be_judged_keeps_its_break_beside_one_that_is_judged(world: World):
    for asset, total in (("USDT", "99000"), ("MX", "50")):
        world.venue.set_balance(asset, total)
    look(world)
    HaltState.objects.update(state="active")
    order = world.approve("0.01")
    world.fault("drop_before", count=1)
    dispatch_order(order.id)
    assert status_of(order) == "in_doubt"
    world.venue.set_balance("USDT", "98000")
    assert look(world).balances == "different"
    assert {row.subject for row in live_breaks() if row.kind == "balance"} == {"USDT", "MX"}
    assert Balance.objects.get(asset="USDT").drift == -1000


@pytest.mark.parametrize("questions", [1, 2])
def test_a_fill_of_an_order_among_many_is_no_difference_before_its_record_is_there(
    world: World, monkeypatch, questions
):
    """Filled after the sync had read the open orders; there are more orders than may be asked about one by one."""
    monkeypatch.setattr(balance_check, "_QUESTIONS", questions)
    for price in ("49000", "48900", "48000"):
        world.rest(price)
    world.venue.set_price("BTCUSDT", "48500")
    exchange = exchange_for(world.account)
    assert balance_check.check_balances(world.account, exchange, lambda _assets: 0) == "moving"
    assert not Break.objects.exists()
    world.sync()
    assert world.balances_agree() and not Break.objects.exists()
