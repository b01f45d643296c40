"""Orders at the venue that our database does not know.

With our prefix: an orphan (a lost commit, a restored backup); adopted, alarmed, the account halted. Without it:
external, somebody else's on the same account; shown and counted, canceled only when asked for "everything". A second
order at the venue under a name that another one has is an order of its own: told apart by the venue's id.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.domain.client_order_id import is_ours
from trading.domain.enums import HaltScope, OrderOrigin, OrderType, TradingState
from trading.domain.evidence import status_of
from trading.domain.order_states import TERMINAL
from trading.domain.outcomes import OrderReport
from trading.models import ExchangeAccount, HaltState, Instrument, Order
from trading.models.columns import new_id

from .changes import add_evidence, order_data
from .halts import engage
from .settlement import settle

log = logging.getLogger(__name__)
ACTOR = system_actor("sync")
TRIGGER = "orphan"


def adopt_unknown_order(account: ExchangeAccount, report: OrderReport) -> Order | None:
    """The order's row, made if it was not there; None if the symbol is unknown to us."""
    known = _find_known(account, report)
    if known is not None:
        return known
    instrument = Instrument.objects.filter(
        venue=account.venue, environment=account.environment, venue_symbol=report.symbol
    ).first()
    orphan = is_ours(report.client_order_id, settings.INSTANCE_ID)
    if orphan:  # first: a process that dies before it is written leaves a halt, never an orphan without one
        _halt(account, report, is_listed=instrument is not None)
    if instrument is None:
        log.warning("%s: order %s in %s, unknown here", account.name, report.exchange_order_id, report.symbol)
        return None
    with transaction.atomic():
        return _create(account, instrument, report, OrderOrigin.ORPHAN if orphan else OrderOrigin.EXTERNAL)


def _find_known(account: ExchangeAccount, report: OrderReport) -> Order | None:
    orders = Order.objects.filter(account=account)
    known = orders.filter(exchange_order_id=report.exchange_order_id).first()
    if known is None and report.client_order_id:  # by name only what the venue has not named itself yet
        known = orders.filter(client_order_id=report.client_order_id, exchange_order_id="").first()
    return known


def _halt(account: ExchangeAccount, report: OrderReport, *, is_listed: bool) -> None:
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
        reason=f"orphan order {name} at the venue {why}",
        actor=ACTOR,
        trigger=TRIGGER,
        cancel=None,
    )


def _free_name(account: ExchangeAccount, report: OrderReport) -> str:
    """Its client order id, unless it has none or another order of the account bears it."""
    name = report.client_order_id[:36]
    if name and not Order.objects.filter(account=account, client_order_id=name).exists():
        return name
    return f"x-{report.exchange_order_id}"[:36]


def take_in(account: ExchangeAccount, report: OrderReport) -> None:
    """An open order that we do not know, or one that we hold for ended: the reducer tells news from an old list."""
    order = adopt_unknown_order(account, report)
    if order is not None and order.status in TERMINAL:
        settle(order.id, report=report, source="open_orders")


def _create(
    account: ExchangeAccount, instrument: Instrument, report: OrderReport, origin: OrderOrigin
) -> Order:
    now = timezone.now()
    status = status_of(report)
    # A market order has no price of its own; a type we do not know rests at its price like a limit order.
    order_type = report.order_type or (OrderType.LIMIT if report.price else OrderType.MARKET)
    average = report.filled_notional / report.filled_quantity if report.filled_quantity else None
    order = Order.objects.create(
        id=new_id(),
        account=account,
        instrument=instrument,
        origin=origin,
        actor=str(ACTOR),
        side=report.side,
        order_type=order_type,
        quantity=report.quantity,
        price=report.price if order_type.needs_price else None,
        exposure_quantity=report.quantity,
        reference_price=report.price or average,
        client_order_id=_free_name(account, report),
        exchange_order_id=report.exchange_order_id,
        # Its fills are booked one by one, so an ended order begins as open and is settled to its end.
        status=status if status not in TERMINAL else "open",
        venue_filled_quantity=report.filled_quantity,
        acknowledged_at=report.created_at or now,
        next_action_at=now,
        created_at=report.created_at or now,
    )
    add_evidence(order, "open_orders", origin, now, status=report.status, filled=report.filled_quantity)
    audit.record(
        f"order.{origin}",
        actor=ACTOR,
        object_type="order",
        object_id=order.id,
        data=order_data(order, exchange_order_id=report.exchange_order_id, quantity=report.quantity),
    )
    return order
