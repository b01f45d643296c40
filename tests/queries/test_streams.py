"""One word for how a private stream stands, and for how long nobody has confirmed it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.making import World
from tests.scripted_stream import offered
from trading.models import AccountStream, Credential, StreamState
from trading.queries import streams
from trading.queries.streams import NEVER, NO_KEY, NOT_OFFERED, UNHEARD, judge_stream, read_streams

__all__ = ["offered"]
NOW = timezone.now()


def ago(seconds: float):
    return NOW - timedelta(seconds=seconds)


def row(
    state: str = StreamState.LIVE, heard: float | None = 2, lease: float | None = -10, **more
) -> AccountStream:
    return AccountStream(
        state=state,
        since=ago(100),
        live_since=ago(100),
        created_at=ago(500),
        heard_at=None if heard is None else ago(heard),
        leased_until=None if lease is None else ago(lease),
        **more,
    )


def test_a_live_stream_is_as_old_as_the_last_that_was_heard_of_it():
    standing = judge_stream(row(heard=17), NOW)
    assert (standing.word, standing.unconfirmed_seconds, standing.is_live) == ("live", 17, True)


def test_a_lost_one_is_unconfirmed_since_it_was_last_heard_of_however_often_it_is_begun_again():
    standing = judge_stream(row(StreamState.CONNECTING, heard=70, reason="refused"), NOW)
    assert (standing.word, standing.unconfirmed_seconds, standing.reason) == ("connecting", 70, "refused")


def test_one_that_never_was_live_is_unconfirmed_since_somebody_first_listened():
    assert judge_stream(row(StreamState.LOST, heard=None), NOW).unconfirmed_seconds == 500


@pytest.mark.parametrize("lease", [None, 1])
def test_a_row_that_says_live_is_not_believed_when_nobody_listens(lease):
    standing = judge_stream(row(lease=lease), NOW)
    assert (standing.word, standing.is_live) == (UNHEARD, False)
    assert "run_streams" in standing.reason


@pytest.mark.django_db
def test_what_nobody_ever_listened_to_what_has_no_key_and_what_offers_none(
    world: World, offered, monkeypatch
):
    (standing,) = read_streams([world.account], NOW).values()
    assert (standing.word, standing.is_expected, standing.unconfirmed_seconds) == (NEVER, True, None)
    Credential.objects.all().delete()
    (standing,) = read_streams([world.account], NOW).values()
    assert (standing.word, standing.is_expected) == (NO_KEY, False)
    monkeypatch.setattr(streams, "offers_stream", lambda _account: False)
    (standing,) = read_streams([world.account], NOW).values()
    assert (standing.word, standing.is_expected) == (NOT_OFFERED, False)
