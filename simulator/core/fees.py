"""Fees of one fill: how much, and in which asset they are taken.

Policies: ``quote`` (default), ``base`` (what a buyer receives; a seller still pays in quote) and ``third`` (the venue's
own coin; what the venue's profile says when the user has too little of it). Fees are rounded down to the listing's fee
scale, so the sum over many fills never exceeds what was reserved.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from simulator.core.accounts import SimUser
from simulator.core.money import ZERO, round_down, step_of
from simulator.core.profile import VenueProfile
from simulator.core.rows import Listing, SimOrder, SimSide

FEE_POLICIES = ("quote", "base", "third")
PriceInThird = Callable[[str], Decimal | None]


def fee_headroom(listing: Listing, side: SimSide, policy: str, profile: VenueProfile) -> Decimal:
    """The share a buyer must hold beyond the notional so that the fee can always be paid."""
    policy = profile.third_falls_back_to if policy == "third" else policy
    if side is SimSide.SELL or policy == "base":
        return ZERO
    return max(listing.maker_rate, listing.taker_rate)


def fee_of_fill(
    order: SimOrder,
    listing: Listing,
    user: SimUser,
    price: Decimal,
    quantity: Decimal,
    is_maker: bool,
    profile: VenueProfile,
    third_price: PriceInThird,
) -> tuple[Decimal, str]:
    rate = listing.maker_rate if is_maker else listing.taker_rate
    step, policy = step_of(listing.fee_decimals), order.fee_policy
    if policy == "third":
        quote_in_third = third_price(listing.quote)
        discounted = price * quantity * rate * (1 - profile.third_discount)
        in_third = round_down(discounted * quote_in_third, step) if quote_in_third else ZERO
        if ZERO < in_third <= user.find_free(profile.third_asset):
            return in_third, profile.third_asset
        policy = profile.third_falls_back_to
    if policy == "base" and order.side is SimSide.BUY:
        return round_down(quantity * rate, step), listing.base
    return round_down(price * quantity * rate, step), listing.quote
