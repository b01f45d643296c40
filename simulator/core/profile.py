"""What one venue is born with, where venues differ beneath their formats.

Listings, first balances, settings, numbering, the third fee asset, rights, and what becomes of some orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.core.accounts import TRADE_RIGHTS
from simulator.core.catalogue import DEFAULT_BALANCES, DEFAULT_LISTINGS
from simulator.core.money import ZERO
from simulator.core.numbering import OPAQUE, Numbering
from simulator.core.rows import Listing


@dataclass(frozen=True, slots=True)
class VenueProfile:
    listings: tuple[Listing, ...] = DEFAULT_LISTINGS
    balances: Mapping[str, Decimal] = field(default_factory=lambda: DEFAULT_BALANCES)
    settings: Mapping[str, object] = field(default_factory=dict)  # unless chosen otherwise at the start
    numbering: Numbering = OPAQUE
    third_asset: str = "MX"
    third_discount: Decimal = ZERO  # the share of a fee that is let off when it is paid in the third asset
    third_falls_back_to: str = "quote"  # the policy of a fee that the third asset does not suffice for
    rights: tuple[str, ...] = TRADE_RIGHTS  # of a new key, in the venue's own words
    refuses_taking_makers: bool = False  # a post-only order that would take: refused, or canceled untouched
    most_open_orders: int = 500
    counts_open_by_symbol: bool = False
