"""Celery's messages: forged, doubled or late ones change nothing that the rows do not allow."""

from __future__ import annotations

import pytest

from levi_site.beat_schedule import BEAT_SCHEDULE
from tests.making import World, fresh, status_of
from tests.worlds import frozen_venue, impatient, world
from trading import tasks
from trading.doorbell import BELLS
from trading.models import JobSlot

__all__ = ["frozen_venue", "impatient", "world"]


@pytest.mark.parametrize("bell", BELLS)
@pytest.mark.parametrize(
    "subject",
    ["nonsense", "", "1; DROP TABLE trading_order", "3a2e667e-a9a2-4b9c-9901-8a44a9de0043", None, 7],
)
def test_a_forged_message_does_nothing(world: World, bell, subject):
    asked = len(world.venue.requests())
    getattr(tasks, bell)(subject)
    assert len(world.venue.requests()) == asked


def test_every_bell_has_a_task(world: World):
    assert all(callable(getattr(tasks, bell)) for bell in BELLS)


def test_doubled_messages_send_and_book_once(world: World):
    order = world.approve()
    for _ in range(3):
        tasks.dispatch_order(str(order.id))
    for _ in range(3):
        tasks.follow_order(str(order.id))
    assert status_of(order) == "filled" and len(world.placements()) == 1
    assert world.position() == world.position_at_venue()


def test_a_late_message_finds_an_order_that_is_over(world: World):
    order = world.approve()
    tasks.dispatch_order(str(order.id))
    tasks.follow_order(str(order.id))
    before = fresh(order).updated_at
    tasks.dispatch_order(str(order.id))
    tasks.cancel_order(str(order.id))
    assert fresh(order).updated_at == before and world.cancels() == []


def test_two_schedulers_ring_once_per_slot(world: World):
    tasks.sync_all_accounts()
    tasks.sync_all_accounts()
    assert JobSlot.objects.filter(job="sync").count() in (1, 2)  # two only across the border of a slot


def test_without_the_supervisor_an_alert_leaves_within_five_seconds():
    every = BEAT_SCHEDULE["alert-delivery"]["schedule"]
    assert every + tasks.ALERT_GRACE.total_seconds() < 5
