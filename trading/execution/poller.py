"""Finds what no bell announced: the reason why Redis may fail and messages may be lost.

`next_action_at` is the only timer of an order. Whoever finds it due claims the row by pushing the timer on, then takes
the one step that the order's status asks for. Runs in every order worker, and by beat.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from trading.domain.enums import CancelState, OrderStatus
from trading.domain.errors import LeviError
from trading.domain.order_states import WORKING
from trading.failpoints import failpoint
from trading.models import Order

from .cancellation import send_cancel
from .dispatch import dispatch_order
from .following import follow_order
from .in_doubt import expire_lease, resolve_order

log = logging.getLogger(__name__)
_CLAIM = timedelta(seconds=3)


def advance_order(order_id: UUID) -> None:
    """The one next step of this order, by its status. Safe to call at any time, by anybody, any number of times."""
    order = Order.objects.only("id", "status", "cancel_state").get(pk=order_id)
    if order.status == OrderStatus.APPROVED:
        dispatch_order(order_id)
    elif order.status == OrderStatus.SUBMITTING:
        expire_lease(order_id)
    elif order.status in (OrderStatus.IN_DOUBT, OrderStatus.QUARANTINED):
        resolve_order(order_id)
    else:
        if order.status in WORKING and order.cancel_state in (CancelState.REQUESTED, CancelState.IN_DOUBT):
            send_cancel(order_id)
        follow_order(order_id)


def poll_once(limit: int = 20) -> int:
    """Advance what is due; returns how many orders were claimed."""
    claimed = 0
    due = Order.objects.filter(next_action_at__lte=timezone.now()).order_by("next_action_at")
    for order_id, status, due_at in list(due.values_list("id", "status", "next_action_at")[:limit]):
        if not _claim(order_id, status, due_at):
            continue
        claimed += 1
        failpoint("poller.after_claim")
        try:
            advance_order(order_id)
        except LeviError as error:
            log.warning("order %s: %s", order_id, error)
        except DatabaseError:
            raise  # not this order's trouble: the caller reconnects
        except Exception:  # broad: one order's defect must not end the polling of all the others
            log.exception("order %s could not be advanced", order_id)
    return claimed


def _claim(order_id: UUID, status: str, due_at: datetime | None) -> bool:
    """A submitting order's timer is its lease: it is read by expire_lease and not pushed on here."""
    if status == OrderStatus.SUBMITTING:
        return True
    return bool(
        Order.objects.filter(pk=order_id, next_action_at=due_at).update(
            next_action_at=timezone.now() + _CLAIM
        )
    )
