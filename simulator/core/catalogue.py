"""The symbols a fresh simulated venue lists.

Chosen so that every rule of the venue has a symbol that shows it: ordinary pairs, a tiny price with a long quantity
scale, a listed lot coarser than the scale, a pair without MARKET, a paused one, one closed to API trading, a
sell-only one, and the pair of the third fee asset.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.core.rows import Listing


def _pair(
    base: str, quote: str, price: str, price_decimals: int, quantity_decimals: int, **more: object
) -> Listing:
    return Listing(
        symbol=base + quote,
        base=base,
        quote=quote,
        anchor_price=Decimal(price),
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        full_name=base.title(),
        **more,  # type: ignore[arg-type]
    )


DEFAULT_LISTINGS: tuple[Listing, ...] = (
    _pair("BTC", "USDT", "50000", 2, 6, lot_step=Decimal("0.000001")),
    _pair("ETH", "USDT", "3000", 2, 5, lot_step=Decimal("0.00001")),
    _pair("SOL", "USDT", "150", 2, 4),
    _pair("XRP", "USDT", "0.6", 4, 2),
    _pair("DOGE", "USDT", "0.12", 5, 1, lot_step=Decimal(1)),
    _pair("MX", "USDT", "2.5", 4, 2),
    _pair("METAL", "USDT", "0.08", 5, 2, lot_step=Decimal("0.1")),
    _pair("PEPE", "USDT", "0.00000812", 10, 12),
    _pair("BTC", "USDC", "50000", 2, 8, taker_rate=Decimal(0)),
    _pair("ETH", "USDC", "3000", 2, 6, taker_rate=Decimal(0), allows_market=False),
    _pair(
        "ETH",
        "BTC",
        "0.06",
        6,
        4,
        min_notional=Decimal("0.0001"),
        min_notional_market=Decimal("0.0001"),
        max_notional=Decimal(40),
        max_notional_market=Decimal(20),
        depth_notional=Decimal("0.08"),
    ),
    _pair("PAUSED", "USDT", "1", 4, 2, online=False),
    _pair("NOAPI", "USDT", "1", 4, 2, api_trading=False),
    _pair("SELLONLY", "USDT", "1", 4, 2, side_type=3),
)

DEFAULT_BALANCES: dict[str, Decimal] = {"USDT": Decimal(100_000), "USDC": Decimal(10_000), "MX": Decimal(100)}
