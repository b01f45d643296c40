"""One position, one step nearer to flat: what is pending, how much may be ordered, and the order itself.

Answers with a line of the report. Decides from stored rows only; the rules and the permit ask everything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from trading.domain.actors import system_actor
from trading.domain.enums import OrderOrigin, OrderStatus, OrderType, Side, TimeInForce
from trading.domain.money import ZERO, add, divide, multiply, plain, round_to_lot, round_to_tick
from trading.domain.order_states import AT_RISK, TERMINAL, WORKING
from trading.doorbell import silence
from trading.market import ensure_price
from trading.models import Balance, Flattening, Instrument, Order, Position, Quote
from trading.queries.limits import limits_in_force

from .intake import submit
from .poller import advance_order
from .sync import sync_account

ACTOR = system_actor("flatten")
# So long the cancels of the sweep may take before a position is closed with what they leave.
CANCEL_PATIENCE = timedelta(seconds=30)
_BALANCE_AGE = timedelta(seconds=2)
_DEFAULT_COLLAR = Decimal(5)
_SHARE = Decimal(
    "0.9"
)  # of the collar, so that a move between the quote and the check does not void the order
_FAIL_PAUSES = (1, 2, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class ClosingStep:
    """`is_over`: nothing more can be done about this position."""

    state: str  # closing, waiting, flat, dust, or done (as much as was asked for)
    left: Decimal
    is_over: bool
    why: str = ""

    def as_line(self, orders: list[str]) -> dict[str, Any]:
        return {"state": self.state, "left": plain(self.left), "why": self.why, "orders": orders}


def orders_of(row: Flattening, position: Position) -> QuerySet[Order]:
    """Every order that this flattening made for this position."""
    own = Order.objects.filter(
        account=position.account, instrument=position.instrument, origin=OrderOrigin.FLATTEN
    )
    return own.filter(signal__key__startswith=_prefix(row, position)).order_by("created_at", "id")


def _prefix(row: Flattening, position: Position) -> str:
    return f"flatten-{row.id}-{position.pk}-"


def close_step(row: Flattening, position: Position) -> ClosingStep:
    """Advance the order that is on its way, or make the next one."""
    position.refresh_from_db()
    if not position.quantity:
        return ClosingStep("flat", ZERO, is_over=True)
    mine = list(orders_of(row, position))
    alive = [order for order in mine if order.status not in TERMINAL]
    if alive:
        return _advance(alive[0], position)
    if _sweep_goes_first(row, position):
        return ClosingStep(
            "waiting", position.quantity, is_over=False, why="orders of ours are being canceled"
        )
    if pause := _pause_after(mine):
        return ClosingStep("waiting", position.quantity, is_over=False, why=pause)
    room = _room(row, position, mine)
    if row.quantity is not None and room <= ZERO:
        return ClosingStep("done", position.quantity, is_over=True, why="as much as was asked for")
    return _order(row, position, room, len(mine) + 1)


def _advance(order: Order, position: Position) -> ClosingStep:
    with silence():
        advance_order(order.id)
    return ClosingStep(
        "closing", position.quantity, is_over=False, why=f"order {order.client_order_id} is {order.status}"
    )


def _sweep_goes_first(row: Flattening, position: Position) -> bool:
    """While the halt's sweep cancels our orders, what they hold is not free to be sold."""
    if row.sweep is None or timezone.now() > row.requested_at + CANCEL_PATIENCE:
        return False
    open_still = Order.objects.filter(
        account=position.account,
        instrument=position.instrument,
        status__in=WORKING | {OrderStatus.APPROVED, OrderStatus.SUBMITTING},
    ).exclude(origin__in=[OrderOrigin.EXTERNAL, OrderOrigin.FLATTEN])
    return open_still.exists()


def _pause_after(mine: list[Order]) -> str:
    """After an order that came to nothing, wait a little longer each time. Empty: go on."""
    failed = [order for order in mine if order.status != OrderStatus.FILLED and not order.filled_quantity]
    if not failed or mine[-1] is not failed[-1]:
        return ""
    pause = _FAIL_PAUSES[min(len(failed), len(_FAIL_PAUSES)) - 1]
    last = failed[-1]
    if timezone.now() - last.created_at > timedelta(seconds=pause):
        return ""
    return f"order {last.client_order_id} was {last.status}: {last.status_reason}".rstrip(": ")


def closing_side(position: Position) -> Side:
    return Side.SELL if position.quantity > 0 else Side.BUY


def _pending(position: Position) -> Decimal:
    """What waits on the closing side already."""
    orders = Order.objects.filter(
        account=position.account,
        instrument=position.instrument,
        side=closing_side(position),
        status__in=sorted(AT_RISK),
    )
    total = ZERO
    for wanted, filled in orders.values_list("exposure_quantity", "filled_quantity"):
        total = add(total, max(wanted - filled, ZERO))
    return total


def _room(row: Flattening, position: Position, mine: list[Order]) -> Decimal:
    """The position less what already waits on its side, and no more than was asked for."""
    room = add(position.quantity.copy_abs(), -_pending(position))
    if row.quantity is not None:
        done = ZERO
        for order in mine:
            done = add(done, order.filled_quantity)
        room = min(room, add(row.quantity, -done))
    return max(room, ZERO)


def _free_to_sell(position: Position, room: Decimal) -> Decimal:
    """Of a venue without short sales nothing can be sold that is not free. Asks again where a cancel freed it since."""
    if closing_side(position) is Side.BUY:
        return room
    balance = Balance.objects.filter(account=position.account, asset=position.instrument.base_asset)
    row = balance.first()
    if (row is None or row.free < room) and (row is None or timezone.now() - row.observed_at > _BALANCE_AGE):
        with silence():
            sync_account(position.account_id, trigger="flatten")
        row = balance.first()
    return min(room, row.free if row is not None else ZERO)


def _order(row: Flattening, position: Position, room: Decimal, number: int) -> ClosingStep:
    instrument = position.instrument
    ensure_price(position.account, instrument)
    quote = Quote.objects.filter(instrument=instrument).first()
    if quote is None:
        return ClosingStep("waiting", position.quantity, is_over=False, why="no price was ever received")
    whole = round_to_lot(position.quantity.copy_abs(), instrument.lot_size)
    if dust := _why_dust(instrument, whole, quote.last):
        return ClosingStep("dust", position.quantity, is_over=True, why=dust)
    free = _free_to_sell(position, room)
    quantity = _chunk(instrument, free, quote.last)
    if too_little := _why_dust(instrument, quantity, quote.last):
        why = f"only {plain(free)} of it is neither pending nor locked, {too_little}"
        return ClosingStep("waiting", position.quantity, is_over=False, why=why)
    return _submit(row, position, quantity, quote, number)


def _submit(row: Flattening, position: Position, quantity: Decimal, quote: Quote, number: int) -> ClosingStep:
    side = closing_side(position)
    body = {
        "account": position.account.name,
        "symbol": position.instrument.symbol,
        "side": side.value,
        "quantity": plain(quantity),
        "reduce_only": True,
        **_kind(position.instrument, side, quote),
    }
    with silence():  # this process takes every step itself, as it would with Redis dead
        key = f"{_prefix(row, position)}{number}"
        order = submit(body, actor=ACTOR, key=key, origin=OrderOrigin.FLATTEN).order
        if order.status == OrderStatus.APPROVED:
            advance_order(order.id)
    why = f"order {order.client_order_id} over {plain(quantity)}"
    return ClosingStep("closing", position.quantity, is_over=False, why=why)


def _chunk(instrument: Instrument, room: Decimal, last: Decimal) -> Decimal:
    """As much of it as one order may be at this venue."""
    most = [room]
    if instrument.max_quantity is not None:
        most.append(instrument.max_quantity)
    for worth in (instrument.max_notional, instrument.max_notional_market):
        if worth is not None:
            most.append(divide(multiply(worth, _SHARE), last))
    return round_to_lot(min(most), instrument.lot_size)


def _why_dust(instrument: Instrument, quantity: Decimal, last: Decimal) -> str:
    if quantity <= 0:
        return f"less than one lot of {plain(instrument.lot_size)}"
    if instrument.min_quantity is not None and quantity < instrument.min_quantity:
        return f"less than the venue's minimum of {plain(instrument.min_quantity)}"
    market = instrument.min_notional_market if OrderType.MARKET in instrument.order_types else None
    minimum = market or instrument.min_notional
    if minimum is not None and multiply(quantity, last) < minimum:
        return f"worth less than the venue's minimum of {plain(minimum)} {instrument.quote_asset}"
    return ""


def _kind(instrument: Instrument, side: Side, quote: Quote) -> dict[str, Any]:
    """At market; where the venue has no market orders, at once within the collar or not at all."""
    if OrderType.MARKET in instrument.order_types:
        return {"order_type": OrderType.MARKET.value}
    limits = limits_in_force()
    collar = (limits.price_collar_pct if limits else None) or _DEFAULT_COLLAR
    away = divide(multiply(collar, _SHARE), Decimal(100)) * side.sign
    return {
        "order_type": OrderType.LIMIT.value,
        "time_in_force": TimeInForce.IOC.value,
        "price": plain(round_to_tick(multiply(quote.last, 1 + away), instrument.tick_size, side)),
    }
