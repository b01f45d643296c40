"""One process alone: it keeps to its share, never holds a cancel up for good, and stays away when told to."""

from __future__ import annotations

from fractions import Fraction

import pytest

from trading.exchanges import limiter as limiter_module
from trading.exchanges.limiter import TOKEN, Bucket, Charge, LocalLimiter, SlotBook

SCOPE = "mexc:simulated:127.0.0.1"
ORDERS = Bucket("orders", "x:orders", capacity=8 * TOKEN, rate=8 * TOKEN, reserve=2 * TOKEN)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The boot clock as a list of one number; sleeping moves it."""
    now = [100.0]
    monkeypatch.setattr(limiter_module, "boot_seconds", lambda: now[0])
    monkeypatch.setattr(limiter_module.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def _count_granted(limiter: LocalLimiter, tries: int, *, urgent: bool = False) -> int:
    charges = [Charge(ORDERS)]
    return sum(limiter.acquire(SCOPE, charges, urgent=urgent).granted for _ in range(tries))


def test_a_share_of_the_burst_passes_at_once_and_the_rest_at_its_pace(clock: list[float]) -> None:
    limiter = LocalLimiter(normal_share=Fraction(1, 4))
    assert _count_granted(limiter, 20) == 2
    clock[0] += 1
    assert _count_granted(limiter, 20) == 2


def test_cancels_have_their_own_pool_even_when_orders_used_theirs_up(clock: list[float]) -> None:
    limiter = LocalLimiter()
    assert _count_granted(limiter, 100) == 1
    assert _count_granted(limiter, 100, urgent=True) == 4


def test_a_tiny_share_still_lets_one_cancel_through(clock: list[float]) -> None:
    limiter = LocalLimiter(urgent_share=Fraction(1, 1000))
    assert _count_granted(limiter, 5, urgent=True) == 1


def test_all_charges_are_paid_or_none(clock: list[float]) -> None:
    limiter = LocalLimiter(normal_share=Fraction(1))
    other = Bucket("account", "x:account", capacity=TOKEN, rate=TOKEN)
    assert limiter.acquire(SCOPE, [Charge(ORDERS), Charge(other)]).granted
    assert not limiter.acquire(SCOPE, [Charge(ORDERS), Charge(other)]).granted
    assert _count_granted(limiter, 20) == 7


def test_a_charge_larger_than_the_pool_waits_for_a_full_one(clock: list[float]) -> None:
    limiter = LocalLimiter(normal_share=Fraction(1, 8))
    charge = [Charge(ORDERS, weight=5)]
    assert limiter.acquire(SCOPE, charge).granted
    refused = limiter.acquire(SCOPE, charge)
    assert not refused.granted
    assert refused.wait_seconds == pytest.approx(5)
    assert limiter.acquire(SCOPE, charge, max_wait_seconds=6).granted


def test_waiting_ends_when_it_would_be_in_vain(clock: list[float]) -> None:
    limiter = LocalLimiter()
    _count_granted(limiter, 1)
    began = clock[0]
    assert not limiter.acquire(SCOPE, [Charge(ORDERS)], max_wait_seconds=0.5).granted
    assert clock[0] == began, "it did not sleep for nothing"
    assert limiter.acquire(SCOPE, [Charge(ORDERS)], max_wait_seconds=1.5).granted
    assert clock[0] > began


@pytest.mark.parametrize("urgent", [False, True])
def test_nothing_leaves_while_the_venue_is_closed(clock: list[float], urgent: bool) -> None:
    limiter = LocalLimiter()
    limiter.block(SCOPE, 120)
    limiter.block(SCOPE, 5)  # never shortens
    refused = limiter.acquire(SCOPE, [Charge(ORDERS)], urgent=urgent, max_wait_seconds=60)
    assert not refused.granted
    assert refused.blocked_seconds == pytest.approx(120)
    assert limiter.acquire("mexc:live:other", [Charge(ORDERS)], urgent=urgent).granted
    clock[0] += 121
    assert limiter.acquire(SCOPE, [Charge(ORDERS)], urgent=urgent).granted


def test_a_slot_is_used_once_and_lapses(clock: list[float]) -> None:
    slots = SlotBook()
    assert not slots.take()
    slots.put()
    slots.put()
    assert slots.take()
    clock[0] += 60
    assert not slots.take()
