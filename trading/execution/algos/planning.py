"""From a request to a plan on the venue's grid. Asks the venue for candles where a VWAP brings no weights of its own.

What the venue would refuse child by child is refused as a whole here, with the remedy. Never inside a transaction,
never writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.domain.algo_plans import PlanSlice, make_plan, slice_quantities, spread_evenly
from trading.domain.enums import AlgoKind, OrderType
from trading.domain.errors import InvalidInput
from trading.domain.money import ZERO, add, divide, plain, round_to_lot
from trading.models import ExchangeAccount, Instrument, Quote
from trading.volume import fetch_volume_profile

from .parsing import LEAST_SECONDS_PER_SLICE, AlgoRequest

_USUAL_SECONDS_PER_SLICE = 60
_USUAL_SLICES = 60
MOST_CHILDREN = 1000


@dataclass(frozen=True, slots=True)
class AlgoPlan:
    """`largest`: base units of the largest child that the plan means. An iceberg's plan is one slice."""

    quantity: Decimal
    slices: tuple[PlanSlice, ...]
    largest: Decimal
    visible: Decimal | None
    source: str


def least_order(instrument: Instrument, price: Decimal | None, *, is_market: bool) -> Decimal:
    """The least base units that the venue takes in one order at this price, in whole lots."""
    at_least = [instrument.lot_size, instrument.min_quantity or ZERO]
    worth = (instrument.min_notional_market if is_market else None) or instrument.min_notional
    if worth is not None and price:
        at_least.append(divide(worth, price))
    least = max(at_least)
    whole = round_to_lot(least, instrument.lot_size)
    return whole if whole == least else add(whole, instrument.lot_size)


def make_algo_plan(
    request: AlgoRequest, account: ExchangeAccount, instrument: Instrument, start_at: datetime
) -> AlgoPlan:
    """Raises InvalidInput for what cannot be split so."""
    quantity = round_to_lot(request.quantity, instrument.lot_size)
    price = request.child.order.price
    if price is None:
        price = Quote.objects.filter(instrument=instrument).values_list("last", flat=True).first()
    is_market = request.child.order.order_type is OrderType.MARKET
    least = least_order(instrument, price, is_market=is_market)
    if quantity < least:
        raise InvalidInput(
            f"{plain(request.quantity)} is less than the venue takes in one order, {plain(least)}.",
            remedy="Ask for more.",
            field="quantity",
        )
    if request.kind is AlgoKind.ICEBERG:
        return _plan_iceberg(request, instrument, quantity, least)
    weights, source = _weights(request, account, instrument, start_at, most=int(quantity / least))
    slices = make_plan(quantity, weights, seconds=request.duration_seconds or 0, lot_size=instrument.lot_size)
    if request.kind is AlgoKind.TWAP and min(slice_quantities(slices)) < least:
        raise InvalidInput(
            f"A slice would be less than the venue takes in one order, {plain(least)}.",
            remedy=f"Give at most {int(quantity / least)} slices.",
            field="slices",
        )
    return AlgoPlan(quantity, slices, max(slice_quantities(slices)), None, source)


def _plan_iceberg(
    request: AlgoRequest, instrument: Instrument, quantity: Decimal, least: Decimal
) -> AlgoPlan:
    visible = round_to_lot(request.visible_quantity or ZERO, instrument.lot_size)
    if visible < least:
        raise InvalidInput(
            f"The visible quantity is less than the venue takes in one order, {plain(least)}.",
            remedy="Show more.",
            field="visible_quantity",
        )
    if quantity > visible * MOST_CHILDREN:
        raise InvalidInput(
            f"That would be more than {MOST_CHILDREN} children.",
            remedy="Show more.",
            field="visible_quantity",
        )
    return AlgoPlan(quantity, (PlanSlice(ZERO, quantity),), visible, visible, "")


def _weights(
    request: AlgoRequest, account: ExchangeAccount, instrument: Instrument, start_at: datetime, *, most: int
) -> tuple[tuple[Decimal, ...], str]:
    seconds = request.duration_seconds or 0
    slices = request.slices or _usual_slices(seconds, most)
    if request.kind is AlgoKind.TWAP:
        return spread_evenly(slices), ""
    if request.profile is not None:
        return request.profile, "weights of the request"
    profile = fetch_volume_profile(account, instrument, starts_at=start_at, seconds=seconds, slices=slices)
    return profile.weights, profile.source


def _usual_slices(seconds: int, most: int) -> int:
    """A minute each, no more than the quantity allows."""
    longest = max(1, seconds // LEAST_SECONDS_PER_SLICE)
    wanted = max(2, min(_USUAL_SLICES, seconds // _USUAL_SECONDS_PER_SLICE))
    return max(1, min(wanted, most, longest))
