"""The row of a private stream: one listener at a time, and an audit entry when it is or was live."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.making import World
from tests.scripted_stream import offered
from trading.execution import stream_state
from trading.execution.stream_state import (
    NotListening,
    confirm_stream,
    enter_state,
    give_back,
    take_stream,
)
from trading.metrics import STREAM_GAPS, STREAM_LOSSES
from trading.models import AccountStream, Alert, AuditEntry, ExchangeAccount, Heartbeat, StreamState
from trading.process_name import process_identity, process_name
from trading.queries.streams import UNHEARD, stream_of

__all__ = ["offered"]
pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return list(
        AuditEntry.objects.filter(kind__startswith="stream.").order_by("id").values_list("kind", flat=True)
    )


def lives_as(monkeypatch, name: str) -> None:
    monkeypatch.setattr(stream_state, "process_name", lambda: name)


def go_live(world: World) -> AccountStream:
    assert take_stream(world.account.pk)
    for state in (StreamState.CONNECTING, StreamState.SYNCING, StreamState.LIVE):
        enter_state(world.account.pk, state)
    return AccountStream.objects.get()


def counted(metric) -> float:
    return metric.labels("paper")._value.get()


def test_the_way_to_live_and_the_loss_have_an_entry_each_and_the_steps_between_have_none(
    world, django_capture_on_commit_callbacks
):
    losses = counted(STREAM_LOSSES)
    row = go_live(world)
    assert (row.state, row.reason, row.live_since, row.heard_at) == ("live", "", row.since, row.since)
    with django_capture_on_commit_callbacks(execute=True):
        enter_state(world.account.pk, StreamState.LOST, "the venue closed it")
    enter_state(world.account.pk, StreamState.CONNECTING)
    enter_state(world.account.pk, StreamState.LOST, "no route")
    row.refresh_from_db()
    assert (row.state, row.reason, row.losses, row.gaps) == ("lost", "no route", 1, 0)
    assert kinds() == ["stream.live", "stream.lost"]
    assert counted(STREAM_LOSSES) == losses + 1
    entry = AuditEntry.objects.get(kind="stream.lost")
    assert entry.data["account"] == "paper" and entry.data["reason"] == "the venue closed it"


def test_a_gap_is_no_loss_and_a_person_is_told_of_it(world, django_capture_on_commit_callbacks):
    gaps, losses = counted(STREAM_GAPS), counted(STREAM_LOSSES)
    go_live(world)
    with django_capture_on_commit_callbacks(execute=True):
        enter_state(world.account.pk, StreamState.LOST, "a gap: order lv1", is_gap=True)
    row = AccountStream.objects.get()
    assert (row.gaps, row.losses) == (1, 0)
    assert counted(STREAM_GAPS) == gaps + 1 and counted(STREAM_LOSSES) == losses
    assert "lv1" in Alert.objects.get(event="stream.gap").text


def test_the_news_of_a_loss_is_over_once_it_is_live_again(world):
    go_live(world)
    enter_state(world.account.pk, StreamState.LOST, "closed")
    assert Alert.objects.get(event="stream.lost").acknowledged_at is None
    enter_state(world.account.pk, StreamState.LIVE)
    assert Alert.objects.get(event="stream.lost").acknowledged_at is not None


def test_the_reason_is_kept_while_it_is_begun_again(world):
    go_live(world)
    enter_state(world.account.pk, StreamState.LOST, "the venue closed it")
    enter_state(world.account.pk, StreamState.CONNECTING)
    assert AccountStream.objects.get().reason == "the venue closed it"


def test_a_second_process_stands_by_until_the_lease_has_run_out(world, monkeypatch):
    go_live(world)
    lives_as(monkeypatch, "streams@elsewhere:1")
    assert not take_stream(world.account.pk)
    with pytest.raises(NotListening):
        enter_state(world.account.pk, StreamState.LOST, "not mine")
    assert AccountStream.objects.get().state == "live"
    AccountStream.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert take_stream(world.account.pk)
    enter_state(world.account.pk, StreamState.CONNECTING)
    row = AccountStream.objects.get()
    assert (row.losses, row.process) == (1, "streams@elsewhere:1")
    assert "without a word" in row.reason


def test_who_has_lost_the_lease_writes_nothing_any_more(world, monkeypatch):
    row = go_live(world)
    AccountStream.objects.update(process="streams@elsewhere:1")
    with pytest.raises(NotListening):
        confirm_stream(world.account.pk, heard_at=timezone.now(), events=5)
    give_back(world.account.pk, "leaving")
    after = AccountStream.objects.get()
    assert (after.state, after.events, after.heard_at) == ("live", 0, row.heard_at)
    assert after.leased_until == row.leased_until


def test_a_listener_that_ended_on_this_host_is_followed_at_once(world, monkeypatch):
    go_live(world)
    gone = process_name().rpartition(":")[0] + ":999999999"
    AccountStream.objects.update(process=gone)
    now = timezone.now()
    assert not take_stream(world.account.pk)  # nothing is known of which process it was
    identity = process_identity().rpartition(":")[0] + ":1"  # of this boot, and no process now
    Heartbeat.objects.create(
        process=gone, role="streams", build="b", identity=identity, started_at=now, beat_at=now
    )
    assert take_stream(world.account.pk)


def test_a_confirmation_renews_the_lease_and_adds_what_was_heard(world):
    row = go_live(world)
    AccountStream.objects.update(leased_until=timezone.now())
    heard = timezone.now() + timedelta(seconds=1)
    confirm_stream(world.account.pk, heard_at=heard, events=3)
    confirm_stream(world.account.pk, heard_at=None, events=4)
    after = AccountStream.objects.get()
    assert (after.events, after.heard_at) == (7, heard)
    assert after.leased_until > timezone.now() and row.events == 0


def test_what_was_given_back_is_taken_at_once_and_nobody_is_said_to_listen(world, offered, monkeypatch):
    go_live(world)
    give_back(world.account.pk, "run_streams was stopped")
    standing = stream_of(ExchangeAccount.objects.get(), timezone.now())
    assert (standing.word, standing.is_live) == (UNHEARD, False)
    lives_as(monkeypatch, "streams@elsewhere:1")
    assert take_stream(world.account.pk)


def test_an_account_that_is_gone_has_no_listener(world):
    assert not take_stream(uuid4())
    assert not AccountStream.objects.exists()
