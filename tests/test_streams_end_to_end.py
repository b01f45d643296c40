"""Streams for real: the simulated venue, an adapter and a listener.

No poller, no beat and no worker runs here: what is booked is booked because the stream rang, or because a sync made
good what it lost.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from simulator.testing import SimulatedVenue
from tests.making import World, fresh
from tests.scripted_stream import FOLLOWER, join_syncs, wait_until
from tests.worlds import every_live_venue, frozen_venue, impatient, live_world
from trading import stream_listener
from trading.exchanges.mexc import stream as mexc_stream
from trading.execution import stream_looks
from trading.execution.following import follow_order
from trading.models import AccountStream, AuditEntry, Fill, Order, SyncRun
from trading.streams import StreamWatch

__all__ = ["frozen_venue", "impatient", "live_world"]
PATIENCE = 30.0


def follow(_bell: str, order_id: object) -> None:
    """What a worker does when the bell rings, with a connection of its own."""

    def work() -> None:
        try:
            follow_order(order_id)
        finally:
            connections.close_all()

    threading.Thread(target=work, name=FOLLOWER).start()


@pytest.fixture
def watch(live_world: World, monkeypatch) -> Iterator[StreamWatch]:
    monkeypatch.setattr(stream_looks, "ring", follow)
    monkeypatch.setattr(stream_listener, "SHORTEST_BACK_OFF", 0.2)
    monkeypatch.setattr(stream_listener, "CONFIRM_SECONDS", 0.2)
    made = StreamWatch(threading.Event())
    made.look_once()
    wait_for_live()
    yield made
    made._say_farewell()
    for listener in made.listeners.values():
        listener.join(20)
        assert not listener.is_alive()
    join_syncs()


def row() -> AccountStream:
    return AccountStream.objects.get()


def wait_for_live(since=None) -> AccountStream:
    def is_live() -> bool:
        found = AccountStream.objects.filter(state="live").first()
        return found is not None and (since is None or found.live_since > since)

    wait_until(is_live, "a live stream", PATIENCE)
    return row()


def rest(world: World, **more) -> Order:
    """A resting order that nobody follows any more."""
    order = world.rest(**more)
    Order.objects.filter(pk=order.pk).update(next_action_at=None)
    return order


def fill(venue: SimulatedVenue, order: Order, quantity: str | None = None) -> None:
    venue.fill(order.client_order_id, quantity)


def wait_for(order: Order, status: str) -> Order:
    wait_until(lambda: fresh(order).status == status, f"{status} of {order}", PATIENCE)
    return fresh(order)


def assert_books_are_equal(world: World) -> None:
    world.sync()
    assert world.position() == world.position_at_venue()
    assert world.balances_agree()


@every_live_venue
def test_a_fill_of_a_resting_order_is_booked_because_the_stream_rang(watch, live_world: World):
    order = rest(live_world, quantity="0.02")
    before = SyncRun.objects.count()
    fill(live_world.venue, order, "0.005")
    assert wait_for(order, "partially_filled").filled_quantity == fresh(order).venue_filled_quantity
    fill(live_world.venue, order)
    assert wait_for(order, "filled").filled_quantity == order.quantity
    assert live_world.position() == live_world.position_at_venue() > 0
    assert SyncRun.objects.count() == before  # nothing but the look that was rung for
    assert Fill.objects.filter(order=order).count() == 2
    wait_until(lambda: row().events >= 4, "the count", PATIENCE)
    assert AuditEntry.objects.filter(kind__in=("stream.lost", "stream.gap")).count() == 0


def test_lost_frames_end_in_equal_books(watch, live_world: World):
    live_world.venue.faults([{"kind": "stream_gap", "probability": 0.3}])
    orders = [rest(live_world, quantity="0.001") for _number in range(8)]
    for order in orders:
        fill(live_world.venue, order)
    wait_until(lambda: live_world.venue.stream_events("lost"), "a lost frame", PATIENCE)
    live_world.venue.clear_faults()
    assert_books_are_equal(live_world)
    assert {fresh(order).status for order in orders} <= {"filled", "open"}
    live_world.sync()
    for order in orders:
        follow_order(order.pk)
    assert {fresh(order).status for order in orders} == {"filled"}


def test_a_fill_that_it_lost_is_a_gap_and_it_is_live_again(watch, live_world: World, monkeypatch):
    for module in (stream_looks, stream_listener):
        monkeypatch.setattr(module, "FILL_GRACE", timedelta(seconds=0.5))
    monkeypatch.setattr(stream_looks, "CLOCK_MARGIN", timedelta(seconds=-30))
    monkeypatch.setattr(stream_listener, "GAP_SECONDS", 0.3)
    started = timezone.now()
    watch.listeners.popitem()[1].leave("a new connection, with the short spans")
    wait_until(lambda: row().state == "lost", "the end", PATIENCE)
    watch.look_once()
    wait_for_live(since=started)
    order = rest(live_world)
    live_world.venue.faults([{"kind": "stream_gap"}])
    fill(live_world.venue, order)
    wait_until(lambda: live_world.venue.stream_events("lost"), "a lost frame", PATIENCE)
    live_world.venue.clear_faults()
    assert row().gaps == 0 and not Fill.objects.exists()
    live_world.sync()
    wait_until(lambda: row().gaps == 1, "the gap", PATIENCE)
    wait_for_live(since=started)
    assert order.client_order_id in AuditEntry.objects.get(kind="stream.gap").data["reason"]
    assert_books_are_equal(live_world)


def test_a_dropped_connection_is_made_good_by_the_sync_of_the_next_one(watch, live_world: World):
    order, first = rest(live_world), row()
    live_world.venue.faults([{"kind": "stream_drop", "count": 1}])
    fill(live_world.venue, order)  # its first frame cuts the connection
    again = wait_for_live(since=first.live_since)
    assert (again.losses, again.gaps) == (1, 0)
    wait_until(lambda: live_world.position() == order.quantity, "the booking", PATIENCE)
    other = rest(live_world)
    fill(live_world.venue, other)
    wait_for(other, "filled")
    assert_books_are_equal(live_world)


def test_a_connection_that_stalls_is_lost_and_begun_again(watch, live_world: World, monkeypatch):
    order, first = rest(live_world), row()
    monkeypatch.setattr(mexc_stream, "SILENCE_SECONDS", 1.0)
    monkeypatch.setattr(mexc_stream, "PING_SECONDS", 0.3)
    live_world.venue.faults([{"kind": "stream_stall", "count": 1}])
    fill(live_world.venue, order)
    again = wait_for_live(since=first.live_since)
    assert again.losses == 1
    assert "ilent" in AuditEntry.objects.filter(kind="stream.lost").earliest("id").data["reason"]
    wait_until(lambda: live_world.position() == order.quantity, "the booking", PATIENCE)


def test_a_refused_listen_key_is_told_and_tried_again(watch, live_world: World):
    first = row()
    refused = {
        "match": {"path": "/api/v3/userDataStream", "method": "POST"},
        "kind": "http_status",
        "status": 503,
    }
    live_world.venue.faults([refused, {"kind": "stream_drop", "count": 1}])
    rest(live_world)
    wait_until(lambda: row().state == "lost" and row().losses == 1, "the loss", PATIENCE)
    wait_until(
        lambda: len(live_world.venue.requests(method="POST", path="/api/v3/userDataStream")) >= 3, "tries"
    )
    assert row().live_since == first.live_since and row().reason
    live_world.venue.clear_faults()
    wait_for_live(since=first.live_since)


def test_two_processes_have_one_connection_and_the_second_takes_over(watch, live_world: World, monkeypatch):
    """The second one stands in for a process elsewhere: another name, the same database."""
    first = row()
    AccountStream.objects.update(
        process="streams@elsewhere:1", leased_until=timezone.now() + timedelta(hours=1)
    )
    (listener,) = watch.listeners.values()
    wait_until(lambda: live_world.venue.streams()[-1]["ended"], "the first gives way", PATIENCE)
    assert listener.is_alive()
    AccountStream.objects.update(leased_until=timezone.now())
    again = wait_for_live(since=first.live_since)
    assert again.process != "streams@elsewhere:1"
    order = rest(live_world)
    fill(live_world.venue, order)
    wait_for(order, "filled")
