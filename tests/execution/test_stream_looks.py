"""From what a private stream says to looks at the venue; and what it did not say."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.making import World, add_foreign_order, fresh
from tests.scripted_stream import order_event
from trading.domain.announcements import Announcements
from trading.domain.enums import OrderStatus
from trading.exchanges.streams import StreamEvent, StreamEventKind
from trading.execution import stream_looks
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.poller import advance_order
from trading.execution.stream_looks import (
    AGAIN_SECONDS,
    APART_SECONDS,
    COALESCE_SECONDS,
    UNEXPLAINED_SECONDS,
    AskedOrder,
    LookSchedule,
    find_gap,
    look_now,
    note_announcement,
)
from trading.models import Fill, Order

HALF, ALL = "0.005", "0.01"
BALANCE = StreamEvent(StreamEventKind.BALANCE, asset="USDT")
CALM = timedelta(seconds=30)


@pytest.fixture
def rung(monkeypatch) -> list[tuple[str, str]]:
    """The bells that were rung."""
    bells: list[tuple[str, str]] = []
    monkeypatch.setattr(stream_looks, "ring", lambda bell, subject: bells.append((bell, str(subject))))
    return bells


def asked(order: Order, filled: str | None = None, said: OrderStatus | None = None) -> AskedOrder:
    told = Decimal(filled) if filled else None
    return AskedOrder(order.client_order_id, order.exchange_order_id, 0, said, told)


def calm(order: Order) -> Order:
    """Old enough that nobody is following it: the sync alone would find its fill."""
    Order.objects.filter(pk=order.pk).update(next_action_at=None)
    return fresh(order)


# -- when ----------------------------------------------------------------------------------------------------------
def event(number: int = 1, filled: str = "0", kind: StreamEventKind = StreamEventKind.ORDER) -> StreamEvent:
    told = Decimal(filled) if kind is StreamEventKind.ORDER else None
    return StreamEvent(
        kind, client_order_id=f"lv{number}", exchange_order_id=f"X{number}", filled_quantity=told
    )


def test_what_is_said_of_one_order_within_a_moment_is_one_look_with_the_most_that_was_said():
    schedule = LookSchedule()
    schedule.hear(event(filled="1"), 100.0)
    schedule.hear(event(filled="3"), 100.05)
    schedule.hear(event(kind=StreamEventKind.FILL), 100.06)
    schedule.hear(event(filled="2"), 100.07)
    assert schedule.take_due(100.0 + COALESCE_SECONDS - 0.01) == []
    (one,) = schedule.take_due(100.0 + COALESCE_SECONDS)
    assert one.announced == 3 and (one.client_order_id, one.exchange_order_id) == ("lv1", "X1")


def test_a_look_is_repeated_twice_while_the_books_do_not_show_what_was_said():
    schedule = LookSchedule()
    schedule.hear(event(filled="1"), 0.0)
    now, looks = 1.0, 0
    while due := schedule.take_due(now):
        looks += 1
        schedule.settle(due[0], now, was_worth=True)
        now += max(AGAIN_SECONDS)
    assert looks == 1 + len(AGAIN_SECONDS) and schedule.is_empty


def test_an_order_whose_fills_come_fast_is_not_asked_about_each_time():
    schedule = LookSchedule()
    schedule.hear(event(filled="1"), 0.0)
    (one,) = schedule.take_due(0.2)
    schedule.settle(one, 0.2, was_worth=True)
    schedule.hear(event(filled="2"), 0.21)
    assert schedule.take_due(0.2 + APART_SECONDS - 0.01) == []
    assert schedule.take_due(0.2 + APART_SECONDS) == [one]


def test_a_balance_is_explained_by_an_order_before_or_after_it_and_else_asks_for_a_sync():
    before, after, alone = LookSchedule(), LookSchedule(), LookSchedule()
    before.hear(event(), 0.0)
    before.hear(BALANCE, 1.0)
    after.hear(BALANCE, 0.0)
    after.hear(event(), 1.0)
    alone.hear(BALANCE, 0.0)
    alone.take_due(UNEXPLAINED_SECONDS)
    assert not alone.wants_sync
    for schedule in (before, after, alone):
        schedule.take_due(10.0)
    assert (before.wants_sync, after.wants_sync, alone.wants_sync) == (False, False, True)


def test_more_orders_than_it_can_remember_ask_for_a_sync(monkeypatch):
    monkeypatch.setattr(stream_looks, "MOST_WAITING", 2)
    schedule = LookSchedule()
    for number in range(3):
        schedule.hear(event(number), 0.0)
    assert len(schedule.take_due(1.0)) == 2 and schedule.wants_sync


# -- which ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_fill_of_a_resting_order_sets_its_timer_to_soon_and_rings(world: World, rung):
    order = calm(world.rest())
    assert look_now(world.account.pk, [asked(order, HALF, OrderStatus.PARTIALLY_FILLED)]) == ({0}, False)
    assert fresh(order).next_action_at < timezone.now() + timedelta(seconds=1)
    assert rung == [("follow_order", str(order.pk))]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["client_order_id", "exchange_order_id"])
def test_either_name_is_enough(world: World, rung, name):
    order = calm(world.rest())
    names = {"client_order_id": "", "exchange_order_id": "", name: getattr(order, name)}
    assert look_now(world.account.pk, [AskedOrder(**names, due_at=0, announced=Decimal(1))]) == ({0}, False)
    assert len(rung) == 1


@pytest.mark.django_db
def test_what_the_books_know_already_is_not_asked_about(world: World, rung):
    order = calm(world.rest())
    done = world.buy()
    looks = [asked(order, "0", OrderStatus.OPEN), asked(done, ALL, OrderStatus.FILLED)]
    assert look_now(world.account.pk, looks) == (set(), False)
    assert fresh(order).next_action_at is None and rung == []


@pytest.mark.django_db
def test_the_lease_of_a_permit_is_never_moved_and_the_order_is_asked_about_later(world: World, rung):
    order = world.approve()
    Order.objects.filter(pk=order.pk).update(
        status="submitting", permit_at=timezone.now(), attempt=1, next_action_at=timezone.now() + CALM
    )
    before = fresh(order).next_action_at
    assert look_now(world.account.pk, [asked(fresh(order), ALL, OrderStatus.FILLED)]) == ({0}, False)
    assert fresh(order).next_action_at == before and rung == []


@pytest.mark.django_db
def test_a_timer_that_is_due_sooner_stays_and_the_bell_rings_all_the_same(world: World, rung):
    order = world.rest()
    due = timezone.now() - timedelta(seconds=1)
    Order.objects.filter(pk=order.pk).update(next_action_at=due)
    assert look_now(world.account.pk, [asked(order, HALF)])[0] == {0}
    assert fresh(order).next_action_at == due
    assert rung == [("follow_order", str(order.pk))]  # whoever is quicker; a second look costs a question


@pytest.mark.django_db
def test_an_order_of_another_account_or_of_nobody_is_unknown(world: World, rung, django_assert_num_queries):
    order = calm(world.rest())
    foreign = AskedOrder("by-hand", "X-foreign", 0)
    with django_assert_num_queries(2):  # one question for all of them, and one update
        assert look_now(world.account.pk, [asked(order, HALF), foreign, foreign]) == ({0}, True)
    assert look_now(order.pk, [asked(order, HALF)]) == (set(), True)


@pytest.mark.django_db
def test_an_order_in_doubt_is_resolved_by_the_look_that_was_rung_for(world: World, rung):
    world.fault("drop_after")
    order = world.approve(price="49000")
    dispatch_order(order.id)
    world.venue.clear_faults()
    assert fresh(order).status == "in_doubt"
    Order.objects.filter(pk=order.pk).update(next_action_at=timezone.now() + CALM)
    assert look_now(world.account.pk, [asked(fresh(order), "0", OrderStatus.OPEN)]) == ({0}, False)
    assert rung == [("follow_order", str(order.pk))]
    follow_order(order.id)
    assert fresh(order).status == "open"


@pytest.mark.django_db
def test_a_lie_changes_nothing(world: World, rung):
    """A forged, reordered or stale frame can only cause a question; the venue's answer is what counts."""
    order = calm(world.rest())
    lies = [asked(order, ALL, OrderStatus.FILLED), asked(order, "7", OrderStatus.CANCELED)]
    look_now(world.account.pk, lies)
    advance_order(order.id)
    row = fresh(order)
    assert (row.status, row.filled_quantity, row.venue_filled_quantity) == ("open", 0, 0)
    assert not Fill.objects.exists() and world.position() == 0


# -- what was not said ---------------------------------------------------------------------------------------------
def judge(world: World, heard: Announcements, *, later: timedelta = timedelta(minutes=1)) -> str:
    """So much later, of everything that was booked within an hour."""
    now = timezone.now()
    until = now + later - stream_looks.FILL_GRACE
    return find_gap(world.account.pk, heard, timedelta(0), now - timedelta(hours=1), until)


def hour_ago() -> Announcements:
    return Announcements(timezone.now() - timedelta(hours=1))


@pytest.mark.django_db
def test_a_fill_that_was_never_told_of_is_a_gap_that_names_the_order(world: World):
    order = world.buy()
    found = judge(world, hour_ago())
    assert order.client_order_id in found and "0.01 is booked" in found


@pytest.mark.django_db
def test_a_fill_that_was_told_of_by_either_name_is_none(world: World):
    order = world.buy()
    heard = hour_ago()
    note_announcement(heard, order_event(order, HALF), timezone.now())
    assert judge(world, heard) != ""
    note_announcement(heard, order_event(order, ALL), timezone.now())
    assert judge(world, heard) == ""


@pytest.mark.django_db
def test_fills_before_the_stream_and_young_ones_are_not_judged(world: World):
    world.buy()
    assert judge(world, Announcements(timezone.now())) == ""
    assert judge(world, hour_ago(), later=stream_looks.FILL_GRACE - timedelta(seconds=5)) == ""


@pytest.mark.django_db
def test_an_order_of_somebody_else_counts_like_ours(world: World):
    venue_id = add_foreign_order(world, price="60000")
    world.sync()
    assert Fill.objects.count() == 1
    heard = hour_ago()
    assert judge(world, heard) != ""
    heard.note((venue_id,), Decimal(1), timezone.now())
    assert judge(world, heard) == ""
