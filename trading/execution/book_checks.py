"""What a sync looks for besides balances: orders, fills and positions in which the venue and our books differ.

Nothing is concluded from a list alone. An order that is missing from the list of open orders, or in it although it
ended, and a fill of ours that the venue does not list, are asked for by name first; only a definite answer makes a
break, and what could not be asked keeps the break it had. A position must be the sum of its fills.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Q

from trading.domain.evidence import status_of
from trading.domain.money import ZERO, add
from trading.domain.order_states import TERMINAL, WORKING
from trading.domain.outcomes import FillReport, OrderFound, OrderNotFound, OrderReport, QueryOutcome
from trading.exchanges.base import Exchange
from trading.models import Break, BreakKind, BreakState, ExchangeAccount, Fill, Instrument, Order
from trading.queries.valuation import PriceTable

from .breaks import keep_breaks, note_break
from .settlement import settle

QUESTIONS = 20  # targeted questions of one kind in one pass: the rest have their turn at the next
# What was filled so shortly ago may not be listed yet; what was filled at the very start of the window may be cut off.
_SETTLING, _EDGE = timedelta(seconds=30), timedelta(seconds=5)


def check_orders(
    account: ExchangeAccount, exchange: Exchange, listed: Sequence[OrderReport], unlisted: Sequence[Order]
) -> None:
    """`unlisted`: orders that work by our books and are not in the venue's list of open ones."""
    prices = PriceTable(account)
    missing = {order.client_order_id: order for order in unlisted}
    for name in _take_turns(account, BreakKind.ORDER, missing):
        _look_for(missing[name], _query(exchange, missing[name]), prices)
    ended = {order.client_order_id: order for order in _ended_but_listed(account, listed)}
    for name in _take_turns(account, BreakKind.ORDER, ended):
        _look_at_ended(ended[name], _query(exchange, ended[name]), prices)


def _take_turns(account: ExchangeAccount, kind: BreakKind, subjects: Iterable[str]) -> list[str]:
    """Those to be asked about in this pass: first what no break names yet, so that each has its turn. What has none now
    keeps the break it had."""
    turns = list(subjects)
    if len(turns) <= QUESTIONS:
        return turns
    noted = Break.objects.filter(account=account, kind=kind).exclude(state=BreakState.RESOLVED)
    known = set(noted.values_list("subject", flat=True))
    turns.sort(key=lambda name: name in known)  # stable: the oldest first
    keep_breaks(account, kind, turns[QUESTIONS:])
    return turns[:QUESTIONS]


def _query(exchange: Exchange, order: Order) -> QueryOutcome:
    return exchange.query_order(
        order.instrument.venue_symbol,
        client_order_id="" if order.exchange_order_id else order.client_order_id,
        exchange_order_id=order.exchange_order_id,
    )


def _look_for(order: Order, answer: QueryOutcome, prices: PriceTable) -> None:
    if isinstance(answer, OrderFound):
        settle(order.id, report=answer.report, source="query")
    elif isinstance(answer, OrderNotFound):
        _note_order(order, ours=_remaining(order), theirs=ZERO, prices=prices)
    else:
        keep_breaks(order.account, BreakKind.ORDER, [order.client_order_id])


def _ended_but_listed(account: ExchangeAccount, listed: Sequence[OrderReport]) -> list[Order]:
    ids = [report.exchange_order_id for report in listed]
    ended = Order.objects.filter(account=account, exchange_order_id__in=ids, status__in=TERMINAL)
    return list(ended.select_related("instrument", "account"))


def _look_at_ended(order: Order, answer: QueryOutcome, prices: PriceTable) -> None:
    if not isinstance(answer, OrderFound):
        keep_breaks(order.account, BreakKind.ORDER, [order.client_order_id])
        return
    settle(order.id, report=answer.report, source="query")
    order.refresh_from_db()
    if order.status in TERMINAL and status_of(answer.report) in WORKING:
        theirs = add(answer.report.quantity, -answer.report.filled_quantity)
        _note_order(order, ours=ZERO, theirs=theirs, prices=prices)


def _note_order(order: Order, *, ours: Decimal, theirs: Decimal, prices: PriceTable) -> None:
    symbol = order.instrument.symbol
    note_break(
        order.account,
        BreakKind.ORDER,
        order.client_order_id,
        ours=ours,
        theirs=theirs,
        value=prices.worth(symbol, add(theirs, -ours)),
        symbol=symbol,
        order=str(order.id),
        status=order.status,
    )


def _remaining(order: Order) -> Decimal:
    return max(add(order.exposure_quantity, -order.filled_quantity), ZERO)


def check_fills(
    account: ExchangeAccount,
    exchange: Exchange,
    instrument: Instrument,
    listed: Sequence[FillReport],
    window: tuple[datetime, datetime],
) -> None:
    """Fills of ours, inside the window the list was asked for, that the venue does not know."""
    since, until = window
    known = {fill.venue_fill_id for fill in listed}
    noted = Break.objects.filter(account=account, kind=BreakKind.FILL, ours__isnull=False, theirs=0)
    again = noted.exclude(state=BreakState.RESOLVED).values("subject")
    recent = Q(filled_at__gt=since + _EDGE, filled_at__lt=until - _SETTLING)
    ours = Fill.objects.filter(recent | Q(venue_fill_id__in=again), account=account, instrument=instrument)
    missing = {
        fill.venue_fill_id: fill
        for fill in ours.select_related("order").order_by("id")
        if fill.venue_fill_id not in known
    }
    for name in _take_turns(account, BreakKind.FILL, missing):
        _look_for_fill(account, exchange, instrument, missing[name])


def _look_for_fill(account: ExchangeAccount, exchange: Exchange, instrument: Instrument, fill: Fill) -> None:
    found = exchange.fetch_fills(
        instrument.venue_symbol,
        since=fill.filled_at - _EDGE,
        exchange_order_id=fill.order.exchange_order_id or None,
    )
    if any(one.venue_fill_id == fill.venue_fill_id for one in found):
        return
    note_break(
        account,
        BreakKind.FILL,
        fill.venue_fill_id,
        ours=fill.quantity,
        theirs=ZERO,
        value=PriceTable(account).worth(instrument.symbol, fill.quantity),
        symbol=instrument.symbol,
        order=str(fill.order_id),
    )


_SUMS = """
SELECT i.symbol, p.quantity, coalesce(f.quantity, 0)
  FROM trading_position p JOIN trading_instrument i ON i.id = p.instrument_id
  LEFT JOIN (SELECT g.instrument_id, sum(CASE g.side WHEN 'BUY' THEN g.quantity ELSE -g.quantity END
                    - CASE WHEN g.fee_asset = b.base_asset THEN g.fee ELSE 0 END) AS quantity
               FROM trading_fill g JOIN trading_instrument b ON b.id = g.instrument_id
              WHERE g.account_id = %(account)s GROUP BY 1) f ON f.instrument_id = p.instrument_id
 WHERE p.account_id = %(account)s AND p.quantity <> coalesce(f.quantity, 0)
"""


def check_positions(account: ExchangeAccount) -> None:
    """In one statement, so that a fill that is being booked is in both numbers or in none."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"account": account.pk})
        wrong: list[tuple[str, Decimal, Decimal]] = cursor.fetchall()
    prices: Mapping[str, Decimal | None] = {}
    if wrong:
        table = PriceTable(account)
        prices = {symbol: table.worth(symbol, add(sums, -stored)) for symbol, stored, sums in wrong}
    for symbol, stored, sums in wrong:
        note_break(
            account,
            BreakKind.POSITION,
            symbol,
            ours=stored,
            theirs=sums,
            value=prices[symbol],
            symbol=symbol,
            note="the position that is stored, and the sum of its fills",
        )
