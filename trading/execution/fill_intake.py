"""Books every fill of one symbol since an instant, whichever order it belongs to: one request serves all orders.

At MEXC a list of fills weighs five times an order query, and one list covers a thousand fills; asking once per symbol
is what keeps a burst of orders within the limits. A fill of an order we do not know brings that order in. What arrives
together is booked together: the number of questions to the database does not grow with the number of orders.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from trading.domain.errors import LeviError
from trading.domain.order_states import AT_RISK
from trading.domain.outcomes import FillReport, OrderFound
from trading.exchanges.base import Exchange
from trading.models import BreakKind, ExchangeAccount, Fill, Instrument, Order
from trading.queries.valuation import PriceTable

from .breaks import note_break
from .foreign import adopt_unknown_order
from .settlement import Settled, settle, settle_fills

log = logging.getLogger(__name__)
# Fills in one commit: large enough to spread its cost, small enough not to keep others waiting for the position.
_PER_COMMIT = 500


def collect_fills(
    account: ExchangeAccount, exchange: Exchange, instrument: Instrument, since: datetime
) -> int:
    """Ask, and book what is new; returns how many fills were booked. Raises VenueError."""
    fills = exchange.fetch_fills(instrument.venue_symbol, since=since)
    return book_listed(account, exchange, instrument, fills)


def book_listed(
    account: ExchangeAccount, exchange: Exchange, instrument: Instrument, fills: Sequence[FillReport]
) -> int:
    """Book what is new in a list of the venue's."""
    ids = [fill.venue_fill_id for fill in fills]
    known = set(
        Fill.objects.filter(account=account, venue_fill_id__in=ids)
        .order_by()
        .values_list("venue_fill_id", flat=True)
    )
    new: dict[str, list[FillReport]] = defaultdict(list)
    for fill in fills:
        if fill.venue_fill_id not in known:
            new[fill.exchange_order_id].append(fill)
    if not new:
        return 0
    return sum(_book(part) for part in _parts(_assign(account, exchange, instrument, new)))


def _assign(
    account: ExchangeAccount,
    exchange: Exchange,
    instrument: Instrument,
    new: dict[str, list[FillReport]],
) -> dict[UUID, list[FillReport]]:
    """The new fills by our order's id; an order we do not know is brought in first."""
    orders = Order.objects.filter(account=account).order_by()
    found = dict(orders.filter(exchange_order_id__in=list(new)).values_list("exchange_order_id", "id"))
    names = {fills[0].client_order_id: key for key, fills in new.items() if key not in found}
    named = orders.filter(client_order_id__in=[name for name in names if name], exchange_order_id="")
    found |= {names[name]: key for name, key in named.values_list("client_order_id", "id")}
    assigned: dict[UUID, list[FillReport]] = {}
    for key, fills in new.items():
        order_id = found.get(key) or _bring_in(account, exchange, instrument, fills)
        if order_id is not None:
            assigned.setdefault(order_id, []).extend(fills)
    return assigned


def _bring_in(
    account: ExchangeAccount, exchange: Exchange, instrument: Instrument, fills: list[FillReport]
) -> UUID | None:
    """The order nobody told us of; a break per fill if the venue does not know it either."""
    answer = exchange.query_order(instrument.venue_symbol, exchange_order_id=fills[0].exchange_order_id)
    order = adopt_unknown_order(account, answer.report) if isinstance(answer, OrderFound) else None
    if order is not None:
        return order.id
    prices = PriceTable(account)
    for fill in fills:
        note_break(
            account,
            BreakKind.FILL,
            fill.venue_fill_id,
            ours=None,
            theirs=fill.quantity,
            value=prices.worth(instrument.symbol, fill.quantity),
            symbol=instrument.symbol,
            order=fill.exchange_order_id,
        )
    return None


def _parts(assigned: dict[UUID, list[FillReport]]) -> Iterator[dict[UUID, list[FillReport]]]:
    part: dict[UUID, list[FillReport]] = {}
    count = 0
    for order_id, fills in assigned.items():
        if part and count + len(fills) > _PER_COMMIT:
            yield part
            part, count = {}, 0
        part[order_id] = fills
        count += len(fills)
    if part:
        yield part


def _book(part: dict[UUID, list[FillReport]]) -> int:
    try:
        settled = settle_fills(part, source="fills")
    except (LeviError, IntegrityError) as error:
        if len(part) == 1:
            raise
        log.warning(
            "%d orders could not be settled together (%s): one by one", len(part), type(error).__name__
        )
        settled = {key: settle(key, fills=fills, source="fills") for key, fills in part.items()}
    _wake_unfinished(settled)
    return sum(one.fills_booked for one in settled.values())


def _wake_unfinished(settled: dict[UUID, Settled]) -> None:
    unfinished = [key for key, one in settled.items() if not one.is_complete]
    if unfinished:
        Order.objects.filter(pk__in=unfinished, status__in=AT_RISK).update(next_action_at=timezone.now())
