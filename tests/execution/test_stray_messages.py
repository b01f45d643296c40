"""Messages that nobody meant: forged, doubled or late. They may cost a request, and never change what happens."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.making import PERSON, World, fresh, status_of
from trading.execution.cancellation import request_cancel, send_cancel
from trading.execution.changes import move_order
from trading.execution.dispatch import dispatch_order
from trading.execution.following import follow_order
from trading.execution.poller import poll_once
from trading.execution.settlement import ACTOR
from trading.models import AuditEntry, Order


@pytest.fixture
def being_sent(world: World) -> Order:
    """Its permit is young, its request not yet written."""
    order = world.approve(price="49000")
    lease = timezone.now() + timezone.timedelta(seconds=20)
    Order.objects.filter(pk=order.pk).update(
        status="submitting", attempt=1, permit_at=timezone.now(), next_action_at=lease
    )
    return fresh(order)


def test_a_look_at_an_order_that_is_being_sent_does_not_touch_its_lease(world: World, being_sent: Order):
    assert follow_order(being_sent.id) is False
    assert fresh(being_sent).next_action_at == being_sent.next_action_at
    poll_once()
    # In doubt while its permit is young, it would be invisible to the drain of a halt, and then leave.
    assert status_of(being_sent) == "submitting"


def test_a_look_at_an_approved_order_does_not_take_its_timer(world: World):
    order = world.approve(price="49000")
    follow_order(order.id)
    assert fresh(order).next_action_at == order.next_action_at


def test_a_cancel_that_nobody_asked_for_is_not_sent(world: World):
    order = world.rest()
    assert send_cancel(order.id) is None
    assert world.cancels() == [] and status_of(order) == "open"
    assert not AuditEntry.objects.filter(kind="cancel.sent").exists()


def test_a_cancel_that_was_asked_for_is_sent_by_any_message(world: World):
    order = world.rest()
    request_cancel(order.id, actor=PERSON)
    assert send_cancel(order.id) is not None
    assert len(world.cancels()) == 1


@pytest.mark.parametrize("message", [dispatch_order, follow_order, send_cancel])
def test_a_message_for_an_order_that_has_ended_moves_nothing(world: World, message):
    order = world.approve(price="49000")
    move_order(fresh(order), "lapsed", actor=ACTOR)
    message(order.id)
    assert status_of(order) == "lapsed" and world.placements() == []
