"""One account's listener against a scripted stream and a real venue: live only after a sync, a look for what it hears,
a new beginning for whatever it loses.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.making import World, fresh
from tests.scripted_stream import ScriptedStream, join_syncs, order_event, wait_until
from tests.worlds import frozen_venue, impatient, live_world
from trading import stream_listener
from trading.domain.enums import OrderStatus
from trading.domain.errors import VenueUnavailable
from trading.exchanges.streams import StreamEvent, StreamEventKind, StreamLost
from trading.execution import stream_looks
from trading.execution.following import follow_order
from trading.models import AccountStream, AuditEntry, Fill, Order, StreamState, SyncRun
from trading.stream_listener import Listener, back_off

__all__ = ["frozen_venue", "impatient", "live_world"]


class Stage:
    """A listener with the streams it opens, one after the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.streams: list[ScriptedStream] = []
        self.troubles: list[Exception] = []
        self.listener = Listener(world.account, ())

    def make(self, _account: object) -> ScriptedStream:
        self.streams.append(ScriptedStream(self.troubles.pop(0) if self.troubles else None))
        return self.streams[-1]

    def start(self) -> ScriptedStream:
        self.listener.start()
        self.wait_for(StreamState.LIVE)
        return self.streams[-1]

    @property
    def row(self) -> AccountStream | None:
        return AccountStream.objects.filter(account=self.world.account).first()

    def wait_for(self, state: StreamState) -> AccountStream:
        wait_until(lambda: self.row and self.row.state == state, f"the state {state}")
        return self.row

    def wait_for_loss(self, number: int = 1) -> AccountStream:
        """And that it is live again."""
        wait_until(lambda: self.row.losses + self.row.gaps >= number, "a loss")
        return self.wait_for(StreamState.LIVE)


@pytest.fixture
def stage(live_world: World, monkeypatch) -> Iterator[Stage]:
    made = Stage(live_world)
    monkeypatch.setattr(stream_listener, "stream_for", made.make)
    monkeypatch.setattr(stream_listener, "back_off", lambda _failures, _chance: 0.05)
    monkeypatch.setattr(stream_listener, "CONFIRM_SECONDS", 0.1)
    # Bells ring at once, in the listener's own thread: no worker runs here.
    monkeypatch.setattr(stream_looks, "ring", lambda _bell, key: follow_order(key))
    yield made
    made.listener.leave("the test is over")
    if made.listener.ident:
        made.listener.join(20)
    assert not made.listener.is_alive()
    join_syncs()


def kinds() -> list[str]:
    rows = AuditEntry.objects.filter(kind__startswith="stream.").order_by("id")
    return list(rows.values_list("kind", flat=True))


def test_it_is_live_only_after_a_sync_that_was_complete(stage: Stage):
    stage.world.venue.faults([{"match": {"path": "/api/v3/account"}, "kind": "http_status", "status": 500}])
    stage.listener.start()
    wait_until(lambda: len(stage.streams) >= 2, "a second try")
    row = stage.row
    assert row.live_since is None and row.heard_at is None and row.losses == 0
    assert kinds() == []
    wait_until(lambda: "could not be compared" in stage.row.reason, "the reason")
    stage.world.venue.clear_faults()
    row = stage.wait_for(StreamState.LIVE)
    synced = SyncRun.objects.filter(trigger="stream", is_complete=True).latest("finished_at")
    assert row.live_since >= synced.finished_at and row.reason == ""
    assert all(stream.closed.is_set() for stream in stage.streams[:-1])


def test_a_fill_that_it_tells_of_is_booked_from_what_the_venue_answers(stage: Stage):
    order = stage.world.rest(quantity="0.01")
    Order.objects.filter(pk=order.pk).update(next_action_at=None)  # nobody follows it any more
    stream = stage.start()
    stage.world.venue.set_price("BTCUSDT", "48000")
    wait_until(lambda: stage.world.position_at_venue(), "the venue's fill")
    stream.say(order_event(order, "0.01", OrderStatus.FILLED))
    wait_until(lambda: fresh(order).status == "filled", "the booking")
    assert stage.world.position() == stage.world.position_at_venue() == order.quantity
    assert not SyncRun.objects.exclude(trigger__in=("stream", "test")).exists()


def test_what_it_hears_before_it_is_live_is_looked_at_too(stage: Stage, monkeypatch):
    order = stage.world.rest()
    Order.objects.filter(pk=order.pk).update(next_action_at=None)
    held = ScriptedStream()
    held.say(order_event(order, "0.01", OrderStatus.FILLED))
    monkeypatch.setattr(stream_listener, "stream_for", lambda _account: held)
    stage.world.venue.faults(
        [{"match": {"path": "/api/v3/openOrders"}, "kind": "latency", "where": "in", "seconds": 1.5}]
    )
    stage.world.venue.set_price("BTCUSDT", "48000")
    stage.listener.start()
    wait_until(lambda: fresh(order).status == "filled", "the booking")
    assert stage.wait_for(StreamState.LIVE)


@pytest.mark.parametrize(
    "lost", [StreamLost("nothing was heard for 40 s"), VenueUnavailable("reset by peer")]
)
def test_a_lost_stream_is_told_synced_and_live_again(stage: Stage, lost):
    first = stage.start()
    first.say(StreamEvent(StreamEventKind.BALANCE, asset="USDT"), lost)
    row = stage.wait_for_loss()
    assert (row.losses, row.gaps, row.events) == (1, 0, 1) and len(stage.streams) == 2
    assert first.closed.is_set() and not stage.streams[1].closed.is_set()
    assert kinds() == ["stream.live", "stream.lost", "stream.live"]
    assert lost.message in AuditEntry.objects.get(kind="stream.lost").data["reason"]
    assert SyncRun.objects.filter(trigger="stream", is_complete=True).count() == 2


def test_a_stream_that_cannot_be_opened_says_why_and_is_tried_again(stage: Stage):
    stage.troubles += [StreamLost("the listen key was refused"), RuntimeError("a defect")]
    stage.start()
    assert [stream.opened.is_set() for stream in stage.streams] == [False, False, True]
    assert all(stream.closed.is_set() for stream in stage.streams[:2])
    assert kinds() == ["stream.live"]  # what was never live was not lost


def test_who_waits_for_the_next_attempt_still_listens(stage: Stage, monkeypatch):
    monkeypatch.setattr(stream_listener, "CONFIRM_SECONDS", 0.05)
    monkeypatch.setattr(stream_listener, "back_off", lambda _failures, _chance: 600.0)
    stage.troubles.append(StreamLost("the venue refuses"))
    stage.listener.start()
    first = stage.wait_for(StreamState.LOST).leased_until
    wait_until(lambda: stage.row.leased_until > first, "a lease that goes on while it waits")
    assert stage.row.state == StreamState.LOST
    assert stage.row.reason.startswith("the venue refuses")
    assert stage.row.heard_at is None


def test_a_fill_that_it_never_told_of_is_counted_and_everything_is_compared_anew(stage: Stage, monkeypatch):
    for module in (stream_looks, stream_listener):
        monkeypatch.setattr(module, "FILL_GRACE", timedelta(seconds=0.2))
    monkeypatch.setattr(stream_looks, "CLOCK_MARGIN", timedelta(0))
    monkeypatch.setattr(stream_listener, "GAP_SECONDS", 0.3)
    stream = stage.start()
    told = stage.world.buy()
    stream.say(order_event(told, "0.01", OrderStatus.FILLED))
    wait_until(lambda: stage.row.events == 1, "the event")
    untold = stage.world.buy()
    row = stage.wait_for_loss()
    assert (row.gaps, row.losses) == (1, 0)
    reason = AuditEntry.objects.get(kind="stream.gap").data["reason"]
    assert untold.client_order_id in reason and told.client_order_id not in reason
    assert kinds() == ["stream.live", "stream.gap", "stream.live"]
    stage.streams[-1].say(order_event(told, "0.01"))
    wait_until(lambda: stage.row.events == 2, "the next event")
    assert stage.row.gaps == 1  # what was booked before the new beginning is not judged again


def test_what_no_order_of_ours_explains_makes_one_sync(stage: Stage, monkeypatch):
    stream = stage.start()
    before = SyncRun.objects.filter(trigger="stream").count()
    foreign = StreamEvent(StreamEventKind.ORDER, exchange_order_id="somebody-elses")
    stream.say(*[foreign] * 5)
    wait_until(lambda: SyncRun.objects.filter(trigger="stream").count() > before, "a sync")
    stream.say(*[foreign] * 5)
    wait_until(lambda: stage.row.events == 10, "the events")
    assert SyncRun.objects.filter(trigger="stream").count() == before + 1
    assert Fill.objects.count() == 0 and stage.row.state == "live"


def test_it_goes_on_when_the_database_ends_its_connections(stage: Stage):
    first = stage.start()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    wait_until(first.closed.is_set, "the end of the first")
    row = stage.wait_for_loss()
    assert len(stage.streams) == 2 and row.losses == 1
    assert stage.row.heard_at >= row.live_since


def test_it_stands_by_while_another_listens_and_takes_over_when_that_one_is_gone(stage: Stage, monkeypatch):
    monkeypatch.setattr(stream_listener, "STAND_BY_SECONDS", 0.05)
    now = timezone.now()
    AccountStream.objects.create(
        account=stage.world.account, state="live", since=now, live_since=now, heard_at=now, created_at=now,
        process="streams@elsewhere:1", leased_until=now + timedelta(hours=1),
    )  # fmt: skip
    stage.listener.start()
    stage.listener.stop.wait(0.5)
    assert stage.streams == [] and stage.row.state == "live"
    AccountStream.objects.update(leased_until=now)
    wait_until(lambda: stage.row.live_since > now, "the take-over")
    assert stage.row.losses == 1 and stage.row.process != "streams@elsewhere:1"


def test_another_that_took_the_lease_ends_the_session(stage: Stage):
    first = stage.start()
    AccountStream.objects.update(
        process="streams@elsewhere:1", leased_until=timezone.now() + timedelta(hours=1)
    )
    wait_until(first.closed.is_set, "the end of the session")
    assert stage.row.state == "live" and stage.row.process == "streams@elsewhere:1"


def test_who_leaves_gives_the_lease_back_and_says_why(stage: Stage):
    stream = stage.start()
    stage.listener.leave("the account's address or key was changed")
    wait_until(stream.closed.is_set, "the end")
    row = stage.row
    assert (row.state, row.leased_until) == ("lost", None)
    assert "key was changed" in row.reason


def test_the_wait_grows_to_half_a_minute_and_is_spread_by_chance():
    assert [back_off(count, 1.0) for count in (1, 2, 3, 4, 5, 6, 100)] == [1, 2, 4, 8, 16, 30, 30]
    assert back_off(1, 0.0) == 0.5
