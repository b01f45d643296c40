"""Orders at the venue that our database does not know.

With our prefix: an orphan (a lost commit, a restored backup); adopted, alarmed, the account halted. Without it:
external, somebody else's on the same account; shown and counted, canceled only when asked for "everything". A second
order at the venue under a name that another one has is an order of its own: told apart by the venue's id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.domain.client_order_id import is_ours
from trading.domain.enums import HaltScope, OrderOrigin, OrderType, TradingState
from trading.domain.evidence import status_of
from trading.domain.order_states import TERMINAL
from trading.domain.outcomes import OrderReport
from trading.models import ExchangeAccount, HaltState, Instrument, Order, OrderEvidence
from trading.models.columns import new_id

from .changes import make_evidence, order_data
from .halts import engage
from .settlement import settle

log = logging.getLogger(__name__)
ACTOR = system_actor("sync")
TRIGGER = "orphan"
# Orders taken in by one commit: large enough to spread its cost, small enough not to keep others waiting.
_PER_COMMIT = 500


def adopt_unknown_order(account: ExchangeAccount, report: OrderReport) -> Order | None:
    """The order's row, made if it was not there; None if the symbol is unknown to us."""
    key = report.exchange_order_id
    try:
        return _find_known(account, [report]).get(key) or _adopt(account, [report]).get(key)
    except IntegrityError:  # somebody else took it in at the same moment
        return _find_known(account, [report]).get(key)


def take_in(account: ExchangeAccount, reports: Sequence[OrderReport]) -> None:
    """Open orders that we do not know, or that we hold for ended: the reducer tells news from an old list."""
    once = list({report.exchange_order_id: report for report in reports}.values())
    for begin in range(0, len(once), _PER_COMMIT):
        part = once[begin : begin + _PER_COMMIT]
        known = _find_known(account, part)
        try:
            _adopt(account, [report for report in part if report.exchange_order_id not in known])
        except IntegrityError:  # somebody else took one of them in at the same moment
            known = {report.exchange_order_id: adopt_unknown_order(account, report) for report in part}
        for report in part:
            order = known.get(report.exchange_order_id)
            if order is not None and order.status in TERMINAL:
                settle(order.id, report=report, source="open_orders")


def _find_known(account: ExchangeAccount, reports: Sequence[OrderReport]) -> dict[str, Order | None]:
    """By the venue's id; by name only what the venue has not named itself yet."""
    orders = Order.objects.filter(account=account)
    ids = [report.exchange_order_id for report in reports]
    known: dict[str, Order | None] = {
        row.exchange_order_id: row for row in orders.filter(exchange_order_id__in=ids)
    }
    names = {
        report.client_order_id: report.exchange_order_id
        for report in reports
        if report.client_order_id and report.exchange_order_id not in known
    }
    if names:
        named = orders.filter(client_order_id__in=list(names), exchange_order_id="")
        known |= {names[row.client_order_id]: row for row in named}
    return known


def _adopt(account: ExchangeAccount, reports: Sequence[OrderReport]) -> dict[str, Order]:
    """Rows for orders that are not known, in one commit; without those in a symbol that nobody lists here."""
    if not reports:
        return {}
    instruments = {
        row.venue_symbol: row
        for row in Instrument.objects.filter(
            venue=account.venue,
            environment=account.environment,
            venue_symbol__in={report.symbol for report in reports},
        )
    }
    _halt_for_orphans(account, reports, instruments)
    for report in reports:
        if report.symbol not in instruments:
            log.warning(
                "%s: order %s in %s, unknown here", account.name, report.exchange_order_id, report.symbol
            )
    listed = [report for report in reports if report.symbol in instruments]
    if not listed:
        return {}
    with transaction.atomic():
        return _create(account, listed, instruments)


def _is_orphan(report: OrderReport) -> bool:
    return is_ours(report.client_order_id, settings.INSTANCE_ID)


def _halt_for_orphans(
    account: ExchangeAccount, reports: Sequence[OrderReport], instruments: Mapping[str, Instrument]
) -> None:
    """First: a process that dies before they are written leaves a halt, never an orphan without one."""
    orphans = [report for report in reports if _is_orphan(report)]
    for is_listed in (True, False):
        some = [report for report in orphans if (report.symbol in instruments) is is_listed]
        if some:
            _halt(account, some[0], is_listed=is_listed, more=len(some) - 1)


def _halt(account: ExchangeAccount, report: OrderReport, *, is_listed: bool, more: int = 0) -> None:
    """Once: what cannot be adopted, because its symbol is unknown, is seen again by every look."""
    halted = HaltState.objects.filter(
        scope=HaltScope.ACCOUNT, target=account.name, state=TradingState.HALTED, trigger=TRIGGER
    )
    if not is_listed and halted.exists():
        return
    second = Order.objects.filter(account=account, client_order_id=report.client_order_id).exists()
    why = "is there a second time" if second else "is not in the database"
    name = report.client_order_id if is_listed else f"{report.client_order_id} in {report.symbol}"
    engage(
        HaltScope.ACCOUNT,
        account.name,
        reason=f"orphan order {name} at the venue {why}" + (f", and {more} more" if more else ""),
        actor=ACTOR,
        trigger=TRIGGER,
        cancel=None,
    )


def _free_names(account: ExchangeAccount, reports: Sequence[OrderReport]) -> list[str]:
    """Each its client order id, unless it has none or another order of the account bears it."""
    wanted = [report.client_order_id[:36] for report in reports]
    orders = Order.objects.filter(account=account, client_order_id__in=[name for name in wanted if name])
    taken = {"", *orders.order_by().values_list("client_order_id", flat=True)}
    names = []
    for name, report in zip(wanted, reports, strict=True):
        names.append(name if name not in taken else f"x-{report.exchange_order_id}"[:36])
        taken.add(name)
    return names


def _create(
    account: ExchangeAccount, reports: Sequence[OrderReport], instruments: Mapping[str, Instrument]
) -> dict[str, Order]:
    """Three statements, however many."""
    now, names = timezone.now(), _free_names(account, reports)
    made = {}
    for report, name in zip(reports, names, strict=True):
        made[report.exchange_order_id] = _make_row(account, instruments[report.symbol], report, name, now)
    of_report = [(made[report.exchange_order_id], report) for report in reports]
    Order.objects.bulk_create(made.values())
    OrderEvidence.objects.bulk_create(
        make_evidence(
            order, "open_orders", order.origin, now, status=report.status, filled=report.filled_quantity
        )
        for order, report in of_report
    )
    facts = [
        (
            f"order.{order.origin}",
            order.id,
            order_data(order, exchange_order_id=report.exchange_order_id, quantity=report.quantity),
        )
        for order, report in of_report
    ]
    audit.record_many(facts, actor=ACTOR, object_type="order")
    return made


def _make_row(
    account: ExchangeAccount, instrument: Instrument, report: OrderReport, name: str, now: datetime
) -> Order:
    status = status_of(report)
    # A market order has no price of its own; a type we do not know rests at its price like a limit order.
    order_type = report.order_type or (OrderType.LIMIT if report.price else OrderType.MARKET)
    average = report.filled_notional / report.filled_quantity if report.filled_quantity else None
    return Order(
        id=new_id(),
        account=account,
        instrument=instrument,
        origin=OrderOrigin.ORPHAN if _is_orphan(report) else OrderOrigin.EXTERNAL,
        actor=str(ACTOR),
        side=report.side,
        order_type=order_type,
        quantity=report.quantity,
        price=report.price if order_type.needs_price else None,
        exposure_quantity=report.quantity,
        reference_price=report.price or average,
        client_order_id=name,
        exchange_order_id=report.exchange_order_id,
        # Its fills are booked one by one, so an ended order begins as open and is settled to its end.
        status=status if status not in TERMINAL else "open",
        venue_filled_quantity=report.filled_quantity,
        acknowledged_at=report.created_at or now,
        next_action_at=now,
        created_at=report.created_at or now,
    )
