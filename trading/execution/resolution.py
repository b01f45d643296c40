"""A person's word on a quarantined order: never accepted, ended at the venue, or "it is this one".

The venue is asked first, and what it shows wins over any word. Only where it shows nothing does the word end the order,
and then as `not_accepted`: the one end from which later evidence reopens it, with an alarm and a halt of the account.
So a wrong word costs a halt, never a forgotten position. Until then the order counts in full. Nothing is sent again.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from trading import audit
from trading.connections import exchange_for
from trading.domain.actors import Actor
from trading.domain.enums import OrderStatus, QuarantineVerdict
from trading.domain.errors import InvalidInput, LeviError, NotAllowed, UnknownName, VenueUnavailable
from trading.domain.outcomes import OrderFound, OrderReport, QueryFailed, QueryOutcome
from trading.locking import lock_order
from trading.models import Order

from .authority import demand_fresh_factor
from .changes import add_evidence, move_order, order_data
from .halts import MAX_REASON
from .in_doubt import adopt_report

_WORDS = {
    QuarantineVerdict.NOT_ACCEPTED: "the venue never had it",
    QuarantineVerdict.CANCELED: "it ended at the venue without a fill",
}


def resolve_quarantined(
    order_id: UUID, verdict: QuarantineVerdict, *, reason: str, actor: Actor, exchange_order_id: str = ""
) -> Order:
    """End the quarantine by a person's verdict. Raises InvalidInput, NotAllowed, VenueUnavailable."""
    demand_fresh_factor(actor, "a word on a quarantined order")
    reason, exchange_order_id = reason.strip()[:MAX_REASON], exchange_order_id.strip()
    order = Order.objects.select_related("account", "instrument").get(pk=order_id)
    _check(order, verdict, reason, exchange_order_id)
    answer = _ask_venue(order, exchange_order_id)
    shown = answer.report if isinstance(answer, OrderFound) else None
    if verdict is QuarantineVerdict.ADOPT:
        _check_adoption(order, answer, exchange_order_id)
    elif shown is not None and _why_another(order, shown):
        shown = None
    with transaction.atomic(durable=True):
        locked = lock_order(order_id)
        _check(locked, verdict, reason, exchange_order_id)
        _write_word(locked, verdict, reason, actor, exchange_order_id, type(answer).__name__)
        if shown is None:
            said = f"{actor.name}: {_WORDS[verdict]} ({reason})"
            move_order(
                locked, OrderStatus.NOT_ACCEPTED, actor=actor, reason=said, doubt_since=None, not_found_at=[]
            )
    if shown is not None:
        adopt_report(exchange_for(order.account), order, shown)
    return Order.objects.select_related("account", "instrument").get(pk=order_id)


def _check(order: Order, verdict: QuarantineVerdict, reason: str, exchange_order_id: str) -> None:
    if order.status != OrderStatus.QUARANTINED:
        raise NotAllowed(
            f"The order is {order.status}; only a quarantined one takes a person's word.",
            remedy="In doubt it resolves by itself; after 15 minutes without proof it is quarantined.",
            code="not_quarantined",
        )
    if not reason:
        raise InvalidInput("A verdict needs a reason.", remedy="Say what you saw, and where.", field="reason")
    if (verdict is QuarantineVerdict.ADOPT) != bool(exchange_order_id):
        expected = "takes no" if exchange_order_id else "needs the"
        raise InvalidInput(
            f"The verdict {verdict} {expected} exchange_order_id.",
            remedy="Read it on the venue's own page.",
            field="exchange_order_id",
        )
    if verdict is not QuarantineVerdict.ADOPT and order.filled_quantity > 0:
        raise InvalidInput("Fills of this order are booked, so it was accepted.", field="verdict")


def _ask_venue(order: Order, exchange_order_id: str) -> QueryOutcome:
    try:
        return exchange_for(order.account).query_order(
            order.instrument.venue_symbol,
            client_order_id="" if exchange_order_id else order.client_order_id,
            exchange_order_id=exchange_order_id or order.exchange_order_id,
        )
    except LeviError as error:  # no usable key: the venue cannot be asked, a person may still have looked
        return QueryFailed(error.message)


def _check_adoption(order: Order, answer: QueryOutcome, exchange_order_id: str) -> None:
    """Believed only if the venue shows an order that can be ours."""
    if isinstance(answer, QueryFailed):
        raise VenueUnavailable(f"The venue could not be asked about {exchange_order_id}: {answer.reason}.")
    if not isinstance(answer, OrderFound):
        raise UnknownName(
            f"The venue shows no order {exchange_order_id}.",
            remedy="Check the id and the account on the venue's own page.",
            code="not_at_venue",
            field="exchange_order_id",
        )
    why = _why_another(order, answer.report)
    if why:
        raise InvalidInput(
            f"The venue's order {exchange_order_id} is another one: {why}.", field="exchange_order_id"
        )


def _why_another(order: Order, report: OrderReport) -> str:
    """Why what the venue shows cannot be this order; empty if it can."""
    known = Order.objects.filter(account=order.account, exchange_order_id=report.exchange_order_id)
    if known.exclude(pk=order.pk).exists():
        return "it belongs to another of our orders"
    if report.client_order_id:
        return "" if report.client_order_id == order.client_order_id else "its client order id is not ours"
    same = report.symbol == order.instrument.venue_symbol and report.side == order.side
    if not same or (order.quantity is not None and report.quantity != order.quantity):
        return "its symbol, side or quantity differs"
    return ""


def _write_word(
    order: Order, verdict: QuarantineVerdict, reason: str, actor: Actor, exchange_order_id: str, answer: str
) -> None:
    said: dict[str, Any] = {"reason": reason, "exchange_order_id": exchange_order_id, "venue_answer": answer}
    add_evidence(order, "operator", verdict, actor=str(actor), **said)
    audit.record(
        "quarantine.resolved",
        actor=actor,
        object_type="order",
        object_id=order.id,
        data=order_data(order, verdict=verdict, **said),
    )
