"""What one venue is born with, where venues differ: listings, first balances, settings, numbering, third fee asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.core.catalogue import DEFAULT_BALANCES, DEFAULT_LISTINGS
from simulator.core.numbering import OPAQUE, Numbering
from simulator.core.rows import Listing


@dataclass(frozen=True, slots=True)
class VenueProfile:
    listings: tuple[Listing, ...] = DEFAULT_LISTINGS
    balances: Mapping[str, Decimal] = field(default_factory=lambda: DEFAULT_BALANCES)
    settings: Mapping[str, object] = field(default_factory=dict)  # unless chosen otherwise at the start
    numbering: Numbering = OPAQUE
    third_asset: str = "MX"
