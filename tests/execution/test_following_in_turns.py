"""Followers of one symbol take turns at its fills: nobody waits, nobody books twice, and nobody is waited for long."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection

from tests.making import World, begin, status_of
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.locking import take_turn_at_fills
from trading.models import ExchangeAccount, Fill, Order


@contextmanager
def somebody_reads_the_fills_of(order: Order):
    """In a connection of its own, as another process would."""
    taken, done = threading.Event(), threading.Event()

    def read() -> bool:
        with take_turn_at_fills(order.account_id, order.instrument_id) as is_our_turn:
            taken.set()
            done.wait(20)
            return is_our_turn

    reader = begin(read)
    assert taken.wait(10)
    yield
    done.set()
    assert reader.end() is True


@pytest.fixture
def sent(live_world: World) -> Order:
    order = live_world.approve()
    dispatch_order(order.id)
    return order


def test_a_follower_leaves_the_fills_to_whoever_reads_them_and_looks_again_soon(
    live_world: World, sent: Order
):
    mark = live_world.venue.health()["requests"]
    with somebody_reads_the_fills_of(sent):
        assert follow_order(sent.id) is False
    assert live_world.venue.requests(mark) == [] and not Fill.objects.exists()
    sent.refresh_from_db()
    assert sent.status == "open" and sent.next_action_at is not None
    assert follow_order(sent.id) is True
    assert status_of(sent) == "filled"


def test_the_sync_leaves_them_too_but_not_to_one_that_hangs(live_world: World, sent: Order):
    accounts = ExchangeAccount.objects.filter(pk=sent.account_id)
    cursor = accounts.get().fills_cursor_at
    with somebody_reads_the_fills_of(sent):
        assert live_world.sync().fills_booked == 0
        assert accounts.get().fills_cursor_at == cursor
        accounts.update(fills_cursor_at=cursor - timedelta(seconds=16))
        assert live_world.sync().fills_booked == 1
    assert accounts.get().fills_cursor_at > cursor
    assert live_world.position() == live_world.position_at_venue()


def test_a_turn_that_fails_is_given_back(live_world: World, sent: Order):
    with (
        pytest.raises(ZeroDivisionError),
        take_turn_at_fills(sent.account_id, sent.instrument_id) as is_our_turn,
    ):
        assert is_our_turn
        raise ZeroDivisionError
    with somebody_reads_the_fills_of(sent):
        connection.ensure_connection()
