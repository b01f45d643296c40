"""The symbols that a fresh simulated Binance lists, one for every rule that a client must know, and its first balances.

Nothing is finer than eight decimals, a value in quote included.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.binance.auth import RIGHTS
from simulator.binance.filters import OPEN_ORDERS
from simulator.core.numbering import WHOLE_BY_SYMBOL
from simulator.core.profile import VenueProfile
from simulator.core.rows import Listing

RATE = Decimal("0.001")


def _pair(
    base: str, quote: str, price: str, price_decimals: int, quantity_decimals: int, **more: object
) -> Listing:
    usual: dict[str, object] = {
        "min_notional": Decimal(5),
        "min_notional_market": Decimal(5),
        "max_notional": Decimal(9_000_000),
        "max_notional_market": Decimal(9_000_000),
        "maker_rate": RATE,
        "taker_rate": RATE,
        "fee_decimals": 8,
        "budget_decimals": 8,
    }
    return Listing(
        symbol=base + quote,
        base=base,
        quote=quote,
        anchor_price=Decimal(price),
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        full_name=base.title(),
        **{**usual, **more},  # type: ignore[arg-type]
    )


LISTINGS: tuple[Listing, ...] = (
    _pair("BTC", "USDT", "50000", 2, 5),
    _pair("ETH", "USDT", "3000", 2, 4),
    _pair("SOL", "USDT", "150", 2, 3),
    _pair("BNB", "USDT", "600", 2, 3),
    _pair("XRP", "USDT", "0.6", 4, 1, max_notional=Decimal(10**12), max_notional_market=Decimal(10**12)),
    _pair("DOGE", "USDT", "0.12", 5, 0),
    _pair("PEPE", "USDT", "0.00000812", 8, 0),
    _pair("BTC", "USDC", "50000", 2, 5, maker_rate=Decimal(0)),
    _pair("ETH", "USDC", "3000", 2, 4, maker_rate=Decimal(0), allows_market=False),
    _pair(
        "ETH",
        "BTC",
        "0.06",
        5,
        3,
        min_notional=Decimal("0.0001"),
        min_notional_market=Decimal("0.0001"),
        max_notional=Decimal(46),
        max_notional_market=Decimal(46),
        depth_notional=Decimal("0.08"),
    ),
    _pair("币测", "USDT", "1", 4, 1),
    _pair("PAUSED", "USDT", "1", 4, 1, online=False),
    _pair("NOAPI", "USDT", "1", 4, 1, api_trading=False),
    _pair("CANCELONLY", "USDT", "1", 4, 1, side_type=4),
)

PROFILE = VenueProfile(
    listings=LISTINGS,
    balances={"USDT": Decimal(100_000), "USDC": Decimal(10_000), "BNB": Decimal(10)},
    settings={"fee_asset": "base", "duplicate_client_ids": "open"},
    numbering=WHOLE_BY_SYMBOL,
    third_asset="BNB",
    third_discount=Decimal("0.25"),
    third_falls_back_to="base",
    rights=RIGHTS,
    refuses_taking_makers=True,
    most_open_orders=OPEN_ORDERS,
    counts_open_by_symbol=True,
)
