"""When an instrument is usually traded, asked of its venue: the weights of a VWAP, and where they are from.

Outside of any transaction. Always fifteen minutes: what is shorter is noise of single days, so shorter slices share a
candle by time; and seven whole days of them are two requests, where minutes would be twenty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from trading.connections import public_exchange
from trading.domain.errors import InvalidInput, VenueError
from trading.domain.volume_profile import volume_weights
from trading.models import ExchangeAccount, Instrument

DAYS = 7
MINUTES = 15


@dataclass(frozen=True, slots=True)
class VolumeProfile:
    """`weights`: base units usually traded in each slice. `source`: for a person and the audit trail."""

    weights: tuple[Decimal, ...]
    source: str


def fetch_volume_profile(
    account: ExchangeAccount, instrument: Instrument, *, starts_at: datetime, seconds: int, slices: int
) -> VolumeProfile:
    """Raises InvalidInput where the venue does not give its candles, or where they tell nothing."""
    until = timezone.now()
    since = until - timedelta(days=DAYS)
    try:
        candles = public_exchange(account).fetch_candles(
            instrument.venue_symbol, interval_minutes=MINUTES, since=_quarter(since), until=until
        )
    except VenueError as error:
        raise InvalidInput(
            f"The venue's candles cannot be had now: {error.message}",
            remedy="Give profile, one weight for each slice, or ask again in a moment.",
            code="no_volume_profile",
            field="profile",
        ) from error
    weights = volume_weights(candles, starts_at=starts_at, seconds=seconds, slices=slices)
    venue = account.get_venue_display().upper()
    return VolumeProfile(
        weights, f"{MINUTES}-minute candles of {venue}, {since:%Y-%m-%d} to {until:%Y-%m-%d}"
    )


def _quarter(at: datetime) -> datetime:
    """The begin of its candle."""
    return at.replace(minute=at.minute // MINUTES * MINUTES, second=0, microsecond=0)
