"""Cancels what is open in this very process, and stays until the venue shows its end or time is up.

For commands typed while workers, Redis or the panel are down. Requests are durable first (cancellation.py), then sent
from here; what could not be proven is named, a question that failed is never taken for "nothing open".
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from trading.connections import exchange_for
from trading.domain.actors import Actor
from trading.domain.client_order_id import is_ours
from trading.domain.enums import CancelScope, OrderStatus
from trading.domain.errors import LeviError
from trading.domain.order_states import TERMINAL, WORKING
from trading.doorbell import silence
from trading.models import ExchangeAccount, Instrument, Order

from .cancellation import cancel_all
from .poller import advance_order

log = logging.getLogger(__name__)
_THREADS = 4
_PAUSE_SECONDS = 0.3


@dataclass(slots=True)
class ClearingReport:
    """`unproven`: our orders whose end is not shown yet. `open_at_venue` by account; None: it could not be asked."""

    requested: int
    ended: dict[str, int]
    unproven: dict[str, str]
    open_at_venue: dict[str, list[str] | None]
    troubles: list[str] = field(default_factory=list)
    algos: list[str] = field(default_factory=list)
    algos_not_stopped: list[str] = field(default_factory=list)

    @property
    def is_proven(self) -> bool:
        if self.algos_not_stopped:
            return False  # they would order again
        return not self.unproven and all(left == [] for left in self.open_at_venue.values())

    def as_dict(self) -> dict[str, Any]:
        return {
            "proven": self.is_proven,
            "requested": self.requested,
            "ended": self.ended,
            "unproven": self.unproven,
            "open_at_venue": self.open_at_venue,
            "troubles": self.troubles,
            "algos": self.algos,
            "algos_not_stopped": self.algos_not_stopped,
        }


def clear_orders(
    scope: CancelScope,
    *,
    account: str | None = None,
    symbol: str | None = None,
    actor: Actor,
    seconds: float = 30.0,
    progress: Callable[[int], None] | None = None,
) -> ClearingReport:
    """Request, send, look, until everything has ended or `seconds` are over; `progress` gets how many are left."""
    with silence():
        asked = cancel_all(scope, account=account, symbol=symbol, actor=actor)
        requested = [UUID(text) for text in asked["orders"]]  # type: ignore[attr-defined]
        deadline = time.monotonic() + seconds
        while (left := _still_alive(requested)) and time.monotonic() < deadline:
            if progress:
                progress(len(left))
            _advance_all(left)
            if _still_alive(left):
                time.sleep(_PAUSE_SECONDS)
        troubles = [f"{row['account']}: {row['outcome']} {row['detail']}".strip() for row in _refusals(asked)]
        troubles += [
            f"algo {pk} is held by somebody: cancel it by itself" for pk in _names(asked, "algos_not_stopped")
        ]
        report = _report(scope, requested, account, symbol, troubles)
        report.algos, report.algos_not_stopped = _names(asked, "algos"), _names(asked, "algos_not_stopped")
        return report


def _names(asked: dict[str, Any], what: str) -> list[str]:
    return list(asked[what])


def _refusals(asked: dict[str, Any]) -> list[dict[str, str]]:
    return [row for row in asked["venue"] if row["outcome"] != "CancelAccepted"]


def _still_alive(order_ids: list[UUID]) -> list[UUID]:
    alive = Order.objects.filter(pk__in=order_ids).exclude(status__in=TERMINAL)
    return list(alive.values_list("id", flat=True))


def _advance_all(order_ids: list[UUID]) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(_advance, order_ids))


def _advance(order_id: UUID) -> None:
    """A working order is canceled and looked at now; one in doubt keeps its own schedule of questions."""
    try:
        with silence():
            order = Order.objects.only("status", "next_action_at").get(pk=order_id)
            due = order.next_action_at is None or order.next_action_at <= timezone.now()
            if order.status in WORKING or due:
                advance_order(order_id)
    except LeviError as error:
        log.warning("order %s: %s", order_id, error)
    finally:
        connection.close()  # the pool's threads end with the round


def _report(
    scope: CancelScope,
    requested: list[UUID],
    account: str | None,
    symbol: str | None,
    troubles: list[str],
) -> ClearingReport:
    orders = Order.objects.filter(pk__in=requested).values_list("client_order_id", "status")
    ended = Counter(status for _, status in orders if OrderStatus(status) in TERMINAL)
    unproven = {name: status for name, status in orders if OrderStatus(status) not in TERMINAL}
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE)
    accounts = accounts.filter(name=account) if account else accounts
    seen = {row.name: _open_at_venue(scope, row, symbol, troubles) for row in accounts}
    return ClearingReport(len(requested), dict(ended), unproven, seen, troubles)


def _open_at_venue(
    scope: CancelScope, account: ExchangeAccount, symbol: str | None, troubles: list[str]
) -> list[str] | None:
    try:
        reports = exchange_for(account).fetch_open_orders(urgent=True)
    except LeviError as error:
        troubles.append(f"{account.name}: {error}")
        return None
    wanted = _venue_symbol(account, symbol)
    return [
        report.client_order_id or report.exchange_order_id
        for report in reports
        if wanted in (None, report.symbol)
        and (scope is CancelScope.EVERYTHING or is_ours(report.client_order_id, settings.INSTANCE_ID))
    ]


def _venue_symbol(account: ExchangeAccount, symbol: str | None) -> str | None:
    if symbol is None:
        return None
    listed = Instrument.objects.filter(venue=account.venue, environment=account.environment)
    return listed.filter(symbol=symbol.upper()).values_list("venue_symbol", flat=True).first() or symbol
