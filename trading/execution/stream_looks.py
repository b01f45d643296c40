"""From what a private stream says to looks at the venue: which orders are asked about now, and what it never told.

The stream rings, REST tells. An event is never evidence: it sets an order's timer to soon and rings the bell of the
follower, which asks the venue as ever. Several events of one order are one look; a venue whose lists lag behind its
stream is asked twice more. What is no order of ours, and a balance that no order explains, asks for a sync. Losing an
event costs latency; a forged one costs a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, Sum
from django.utils import timezone

from trading.domain.announcements import Announcements
from trading.domain.enums import OrderStatus
from trading.domain.money import ZERO, plain
from trading.domain.steps import is_worth_a_look
from trading.doorbell import ring
from trading.exchanges.streams import StreamEvent, StreamEventKind
from trading.models import Fill, Order

COALESCE_SECONDS = 0.15
# Looks at one order are at least so far apart, however fast its fills come.
APART_SECONDS = 0.5
# What was said and is not in the books after a look is asked about again, because a venue's lists may lag.
AGAIN_SECONDS = (1.0, 3.0)
UNEXPLAINED_SECONDS = 3.0
MOST_WAITING = 5_000
# For who does not hear the bell: the poller finds it.
SOON = timedelta(milliseconds=300)
FILL_GRACE = timedelta(seconds=15)
# The venue's clock and ours are apart by less, once the offset is taken into account.
CLOCK_MARGIN = timedelta(seconds=5)
_JUDGED_SPAN = timedelta(minutes=10)
# Its timer is a lease, and nobody but its holder moves it.
UNFOLLOWED = (OrderStatus.APPROVED, OrderStatus.SUBMITTING)


@dataclass(slots=True)
class AskedOrder:
    """What was said of one order since it was last found in order."""

    client_order_id: str
    exchange_order_id: str
    due_at: float
    said: OrderStatus | None = None
    announced: Decimal | None = None
    looked_at: float | None = None
    looks: int = 0

    def take(self, event: StreamEvent, now: float) -> None:
        self.client_order_id = self.client_order_id or event.client_order_id
        self.exchange_order_id = self.exchange_order_id or event.exchange_order_id
        self.said = event.status or self.said
        if event.filled_quantity is not None:
            self.announced = max(self.announced or ZERO, event.filled_quantity)
        soon = now + COALESCE_SECONDS
        if self.looked_at is not None:
            soon = max(soon, self.looked_at + APART_SECONDS)
        self.due_at = min(self.due_at, soon)
        self.looks = 0


class LookSchedule:
    """Which orders to ask about when. Times are of a monotonic clock; nothing here asks anybody.

    `wants_sync`: something was heard that no order of ours explains.
    """

    def __init__(self) -> None:
        self.wants_sync = False
        self._waiting: dict[str, AskedOrder] = {}
        self._order_at: float | None = None
        self._balance_at: float | None = None

    @property
    def is_empty(self) -> bool:
        return not self._waiting

    def hear(self, event: StreamEvent, now: float) -> None:
        if event.kind is StreamEventKind.BALANCE:
            if self._order_at is None or now - self._order_at > UNEXPLAINED_SECONDS:
                self._balance_at = self._balance_at or now
            return
        self._order_at, self._balance_at = now, None
        key = event.exchange_order_id or event.client_order_id
        if not key or (key not in self._waiting and len(self._waiting) >= MOST_WAITING):
            self.wants_sync = True
            return
        if key not in self._waiting:
            names = event.client_order_id, event.exchange_order_id
            self._waiting[key] = AskedOrder(*names, due_at=now + COALESCE_SECONDS)
        self._waiting[key].take(event, now)

    def take_due(self, now: float) -> list[AskedOrder]:
        if self._balance_at is not None and now - self._balance_at > UNEXPLAINED_SECONDS:
            self.wants_sync, self._balance_at = True, None
        return [asked for asked in self._waiting.values() if asked.due_at <= now]

    def settle(self, asked: AskedOrder, now: float, *, was_worth: bool) -> None:
        """After a look was made or not needed: again later, or no more."""
        if was_worth and asked.looks < len(AGAIN_SECONDS):
            asked.due_at = now + AGAIN_SECONDS[asked.looks]
            asked.looked_at, asked.looks = now, asked.looks + 1
        else:
            self._waiting.pop(asked.exchange_order_id, None)
            self._waiting.pop(asked.client_order_id, None)


def look_now(account_id: UUID, asked: Sequence[AskedOrder]) -> tuple[set[int], bool]:
    """Set the timers of what is worth a look to soon and ring. Returns the places in `asked` that are worth one, now or
    once their request has an outcome, and whether there was an order that is not in the books."""
    rows = Order.objects.filter(account_id=account_id).filter(
        Q(exchange_order_id__in=[each.exchange_order_id for each in asked if each.exchange_order_id])
        | Q(client_order_id__in=[each.client_order_id for each in asked if each.client_order_id])
    )
    by_name: dict[tuple[str, str], Order] = {}
    for row in rows.only(
        "id", "client_order_id", "exchange_order_id", "status", "filled_quantity", "next_action_at"
    ):
        by_name["exchange", row.exchange_order_id] = by_name["client", row.client_order_id] = row
    worth: dict[int, Order] = {}
    is_early: set[int] = set()
    has_unknown = False
    for place, each in enumerate(asked):
        found = by_name.get(("exchange", each.exchange_order_id)) if each.exchange_order_id else None
        found = found or by_name.get(("client", each.client_order_id))
        if found is None:
            has_unknown = True
        elif found.status in UNFOLLOWED:
            is_early.add(place)
        elif is_worth_a_look(OrderStatus(found.status), found.filled_quantity, each.said, each.announced):
            worth[place] = found
    _wake(list(worth.values()))
    return set(worth) | is_early, has_unknown


def _wake(rows: Sequence[Order]) -> None:
    """A timer that is due sooner stays, and so does one whose order has moved on meanwhile; the bell is quicker."""
    soon = timezone.now() + SOON
    late = [row for row in rows if row.next_action_at is None or row.next_action_at > soon]
    for status in sorted({row.status for row in late}):
        ids = [row.pk for row in late if row.status == status]
        waiting = Q(next_action_at__isnull=True) | Q(next_action_at__gt=soon)
        Order.objects.filter(waiting, pk__in=ids, status=status).update(next_action_at=soon)
    for row in rows:
        ring("follow_order", row.pk)


def note_announcement(announcements: Announcements, event: StreamEvent, at: datetime) -> None:
    if event.kind is StreamEventKind.ORDER and event.filled_quantity is not None:
        names = (event.exchange_order_id, event.client_order_id)
        announcements.note(names, event.filled_quantity, at)


def find_gap(
    account_id: UUID, announcements: Announcements, offset: timedelta, since: datetime, until: datetime
) -> str:
    """The first fill that the books got from REST and the stream never told of, in words; empty if there is none.

    `offset`: the venue's clock less ours. What was booked between `since` and `until` is judged.
    """
    happened = max(announcements.judged_from + CLOCK_MARGIN, until - _JUDGED_SPAN) + offset
    fills = Fill.objects.filter(account_id=account_id, filled_at__gt=happened)
    ids = fills.filter(booked_at__gt=since, booked_at__lte=until).order_by().values("order_id")
    booked = Sum("fills__quantity", filter=Q(fills__booked_at__lte=until))
    rows = Order.objects.filter(pk__in=ids).annotate(booked=booked).order_by("created_at")
    for exchange_order_id, client_order_id, ours in rows.values_list(
        "exchange_order_id", "client_order_id", "booked"
    ):
        told = announcements.told((exchange_order_id, client_order_id))
        if told < ours:
            return f"it told of {plain(told)} filled of order {client_order_id}, and {plain(ours)} is booked"
    return ""
