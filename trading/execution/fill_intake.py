"""Books every fill of one symbol since an instant, whichever order it belongs to: one request serves all orders.

At MEXC a list of fills weighs five times an order query, and one list covers a thousand fills; asking once per symbol
is what keeps a burst of orders within the limits. A fill of an order we do not know brings that order in.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.utils import timezone

from trading.domain.order_states import AT_RISK
from trading.domain.outcomes import FillReport, OrderFound
from trading.exchanges.base import Exchange
from trading.models import BreakKind, ExchangeAccount, Fill, Instrument, Order

from .breaks import note_break
from .foreign import adopt_unknown_order
from .settlement import settle


def collect_fills(
    account: ExchangeAccount, exchange: Exchange, instrument: Instrument, since: datetime
) -> int:
    """Ask, and book what is new; returns how many fills were booked. Raises VenueError."""
    fills = exchange.fetch_fills(instrument.venue_symbol, since=since)
    ids = [fill.venue_fill_id for fill in fills]
    known = set(
        Fill.objects.filter(account=account, venue_fill_id__in=ids).values_list("venue_fill_id", flat=True)
    )
    new: dict[str, list[FillReport]] = defaultdict(list)
    for fill in fills:
        if fill.venue_fill_id not in known:
            new[fill.exchange_order_id].append(fill)
    return sum(_book(account, exchange, instrument, of_order) for of_order in new.values())


def _book(
    account: ExchangeAccount, exchange: Exchange, instrument: Instrument, fills: list[FillReport]
) -> int:
    order = _find_order(account, fills[0])
    if order is None:
        answer = exchange.query_order(instrument.venue_symbol, exchange_order_id=fills[0].exchange_order_id)
        order = adopt_unknown_order(account, answer.report) if isinstance(answer, OrderFound) else None
    if order is None:
        for fill in fills:
            note_break(
                account,
                BreakKind.FILL,
                fill.venue_fill_id,
                ours=None,
                theirs=fill.quantity,
                order=fill.exchange_order_id,
            )
        return 0
    settled = settle(order.id, fills=fills, source="fills")
    if not settled.is_complete:
        Order.objects.filter(pk=order.pk, status__in=AT_RISK).update(next_action_at=timezone.now())
    return settled.fills_booked


def _find_order(account: ExchangeAccount, fill: FillReport) -> Order | None:
    orders = Order.objects.filter(account=account)
    order = orders.filter(exchange_order_id=fill.exchange_order_id).first()
    if order is None and fill.client_order_id:
        order = orders.filter(client_order_id=fill.client_order_id).first()
    return order
