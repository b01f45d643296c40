"""What a symbol's row of exchangeInfo says: its status, precisions, order types and permissions, and its filters."""

from __future__ import annotations

from simulator.binance.filters import filter_rows
from simulator.binance.shapes import Shape
from simulator.core.rows import Listing

PRECISION = 8
CANCEL_ONLY = 4  # both sides closed


def listing_status(listing: Listing) -> str:
    if not listing.online:
        return "BREAK"
    return "CANCEL_ONLY" if listing.side_type == CANCEL_ONLY else "TRADING"


def permission_of(listing: Listing) -> str:
    """What an account must have to trade it."""
    return "SPOT" if listing.api_trading else "MARGIN"


def listing_shape(listing: Listing, *, shows_sets: bool) -> Shape:
    return {
        "symbol": listing.symbol,
        "status": listing_status(listing),
        "baseAsset": listing.base,
        "baseAssetPrecision": PRECISION,
        "quoteAsset": listing.quote,
        "quotePrecision": PRECISION,
        "quoteAssetPrecision": PRECISION,
        "baseCommissionPrecision": PRECISION,
        "quoteCommissionPrecision": PRECISION,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", *(["MARKET"] if listing.allows_market else [])],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": listing.allows_market,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": listing.api_trading,
        "isMarginTradingAllowed": False,
        "filters": filter_rows(listing),
        "permissions": [],
        "permissionSets": [[permission_of(listing)]] if shows_sets else [],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }
