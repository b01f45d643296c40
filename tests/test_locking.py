"""Locks: who waits for whom, for how long, and that a wait that is over leaves the transaction usable."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from levi_site.env import REPO_DIR
from tests.making import Parallel, begin, wait_until_blocked
from tests.models.rows import make_account, make_order
from trading.locking import (
    lock_account,
    lock_balances,
    lock_order,
    lock_orders,
    lock_positions,
    lock_signal_key,
    share_halt_lock,
    take_halt_lock,
)
from trading.models import Balance, Strategy


class Holder:
    """Another connection that holds a lock until the block ends."""

    def __init__(self, take) -> None:
        self.has, self.let_go = threading.Event(), threading.Event()
        self.take = take

    def __enter__(self) -> Parallel:
        self.thread = begin(self._hold)
        assert self.has.wait(15)
        return self.thread

    def _hold(self) -> None:
        with transaction.atomic():
            self.take()
            self.has.set()
            assert self.let_go.wait(15)

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        assert self.thread.end() is None


def in_transaction(step):
    def run():
        with transaction.atomic():
            return step()

    return run


def test_many_permits_share_the_halt_lock(transactional_db: None):
    with Holder(share_halt_lock), Holder(share_halt_lock), transaction.atomic():
        share_halt_lock()


def test_an_engagement_waits_for_a_permit_and_not_for_ever(transactional_db: None):
    with Holder(share_halt_lock), transaction.atomic():
        assert take_halt_lock(30) is False
        Strategy.objects.create(name="still-usable")  # the transaction goes on without the lock
    assert Strategy.objects.exists()
    with transaction.atomic():
        assert take_halt_lock(30) is True


def test_a_permit_waits_for_an_engagement_that_is_being_written(transactional_db: None):
    with Holder(take_halt_lock):
        waiter = begin(in_transaction(share_halt_lock))
        wait_until_blocked(waiter)
        assert waiter.is_alive()
    assert waiter.end() is None


def test_the_short_patience_of_an_engagement_ends_with_its_question(transactional_db: None):
    def patience() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            return cursor.fetchone()[0]

    usual = patience()
    with transaction.atomic():
        take_halt_lock(30)
        assert patience() == "2s" == usual
    with Holder(share_halt_lock), transaction.atomic():
        take_halt_lock(30)
        assert patience() == usual


def test_one_handler_per_idempotency_key(transactional_db: None):
    with Holder(lambda: lock_signal_key("client:a", "k1", 1000)):
        with transaction.atomic():
            assert lock_signal_key("client:a", "k1", 30) is False
            transaction.set_rollback(True)
        with transaction.atomic():
            assert lock_signal_key("client:a", "k2", 30) is True
            assert lock_signal_key("client:b", "k1", 30) is True


@pytest.mark.parametrize(
    "lock", [lambda order: lock_account(order.account_id), lambda order: lock_order(order.id)]
)
def test_a_row_has_one_holder_at_a_time(transactional_db: None, lock):
    order = make_order()
    with Holder(lambda: lock(order)):
        waiter = begin(in_transaction(lambda: lock(order)))
        wait_until_blocked(waiter)
        assert waiter.is_alive()
    assert waiter.end() == lock_free(lock, order)


def lock_free(lock, order):
    with transaction.atomic():
        return lock(order)


def test_orders_of_one_account_are_locked_apart(transactional_db: None):
    one, two = make_order(), make_order()
    with Holder(lambda: lock_order(one.id)), transaction.atomic():
        assert lock_order(two.id) == two


def test_no_wait_for_a_row_is_endless(transactional_db: None):
    order = make_order()
    with Holder(lambda: lock_order(order.id)), pytest.raises(OperationalError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '30ms'")
        lock_order(order.id)


def test_what_is_not_there_is_not_locked(db: None):
    account = make_account()
    Balance.objects.create(account=account, asset="USDT", free=1, locked=0, observed_at=account.created_at)
    assert lock_positions(account.id, [1]) == {}
    assert lock_orders([]) == []
    assert list(lock_balances(account.id, {"USDT", "BTC"})) == ["USDT"]


def test_nothing_else_takes_row_locks():
    """The order of locks can only be kept in one file."""
    files = [path for path in (REPO_DIR / "trading").rglob("*.py") if path.name != "locking.py"]
    assert [path.name for path in files if "select_for_update" in Path(path).read_text("utf-8")] == []
