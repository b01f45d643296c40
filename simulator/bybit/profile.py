"""What the simulated Bybit lists and is born with: the common pairs with Bybit's fees, bands and minimums."""

from __future__ import annotations

from decimal import Decimal

from simulator.core.catalogue import DEFAULT_LISTINGS
from simulator.core.numbering import WHOLE_NUMBERS
from simulator.core.profile import VenueProfile
from simulator.core.rows import Listing

MNT = Listing(
    symbol="MNTUSDT",
    base="MNT",
    quote="USDT",
    anchor_price=Decimal("1.2"),
    price_decimals=4,
    quantity_decimals=2,
    full_name="Mantle",
)
FEE_RATE = Decimal("0.001")
PRICE_LIMIT = Decimal("0.1")
BUDGET_DECIMALS = 7
LEAST_IN_DOLLARS = Decimal(5)
SPOT_TRADE, READ_ONLY = (
    "SpotTrade",
    "ReadOnly",
)  # the first is a right of a key, the second takes away from all


def _as_listed(listing: Listing) -> Listing:
    in_dollars = listing.quote in ("USDT", "USDC")
    return listing.changed(
        maker_rate=FEE_RATE,
        taker_rate=FEE_RATE,
        bid_multiplier_up=PRICE_LIMIT,
        ask_multiplier_down=PRICE_LIMIT,
        budget_decimals=BUDGET_DECIMALS,
        min_notional=LEAST_IN_DOLLARS if in_dollars else listing.min_notional,
        min_notional_market=LEAST_IN_DOLLARS if in_dollars else listing.min_notional_market,
    )


PROFILE = VenueProfile(
    listings=tuple(_as_listed(MNT if listing.base == "MX" else listing) for listing in DEFAULT_LISTINGS),
    balances={"USDT": Decimal(100_000), "USDC": Decimal(10_000), "MNT": Decimal(100)},
    settings={"fee_asset": "base", "duplicate_client_ids": "reject", "stream_quiet_seconds": "600"},
    numbering=WHOLE_NUMBERS,
    third_asset="MNT",
    rights=(SPOT_TRADE,),
)
