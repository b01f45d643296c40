"""From a Connection to the adapter of its venue: the only place that knows which venues have one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache

from trading.domain.enums import VenueName
from trading.domain.errors import ConfigurationError

from .base import Connection, Exchange, NullObserver, Observer
from .binance.client import BinanceExchange
from .binance.limits import BinanceLimits
from .binance.stream import BinanceStream
from .bybit.client import BybitExchange
from .bybit.limits import BybitLimits
from .bybit.stream import BybitStream
from .limiter import Bucket, Limiter, LocalLimiter
from .mexc.client import MexcExchange
from .mexc.limits import MexcLimits
from .mexc.rehearsal import MexcRehearsal
from .mexc.stream import MexcStream
from .quotas import VenueLimits
from .shared_limiter import SharedLimiter
from .streams import PrivateStream
from .venues import check_base_url, is_rehearsal, stream_address

_ADAPTERS: Mapping[VenueName, Callable[[Connection, Limiter, Observer], Exchange]] = {
    VenueName.MEXC: MexcExchange,
    VenueName.BINANCE: BinanceExchange,
    VenueName.BYBIT: BybitExchange,
}
# For testnet accounts that look at the real venue: validation only, nothing placed.
_REHEARSALS: Mapping[VenueName, Callable[[Connection, Limiter, Observer], Exchange]] = {
    VenueName.MEXC: MexcRehearsal,
}
# Venues that tell of an account's changes by themselves; to each the address of its stream is given.
_STREAMS: Mapping[VenueName, Callable[[Connection, str, Limiter, Observer], PrivateStream]] = {
    VenueName.MEXC: MexcStream,
    VenueName.BINANCE: BinanceStream,
    VenueName.BYBIT: BybitStream,
}

_LIMITS: Mapping[VenueName, Callable[[Connection], VenueLimits]] = {
    VenueName.MEXC: MexcLimits,
    VenueName.BINANCE: BinanceLimits,
    VenueName.BYBIT: BybitLimits,
}
_ALONE = Fraction(1, 2)


@cache
def get_limiter(redis_url: str | None = None) -> Limiter:
    """The process's one limiter: shared through Redis, or alone where there is none (a single tool, a test)."""
    return SharedLimiter(redis_url) if redis_url else LocalLimiter(normal_share=_ALONE)


def limits_of(connection: Connection) -> tuple[str, list[Bucket]]:
    """What a connection is limited by: who is closed together, and its buckets. Opens nothing."""
    limits = _LIMITS[connection.venue](connection)
    return limits.scope, limits.buckets()


def connect(
    connection: Connection, *, limiter: Limiter | None = None, observer: Observer | None = None
) -> Exchange:
    """An adapter for the connection; opens no socket yet. Raises ConfigurationError for an address not on the list."""
    address = check_base_url(connection.venue, connection.environment, connection.base_url)
    rehearsal = is_rehearsal(connection.venue, connection.environment, address)
    adapter = (_REHEARSALS if rehearsal else _ADAPTERS)[connection.venue]
    return adapter(
        replace(connection, base_url=address), limiter or get_limiter(), observer or NullObserver()
    )


def connect_stream(
    connection: Connection, *, limiter: Limiter | None = None, observer: Observer | None = None
) -> PrivateStream:
    """A private stream for the connection; opens no socket yet. Raises ConfigurationError for an address not on the
    list and where there is none to be had (`Capabilities.private_stream`)."""
    address = check_base_url(connection.venue, connection.environment, connection.base_url)
    make = _STREAMS.get(connection.venue)
    if make is None or is_rehearsal(connection.venue, connection.environment, address):
        raise ConfigurationError(
            f"{connection.venue} ({connection.environment}) has no private stream here.",
            remedy="Nothing to do: its orders are followed by asking.",
            code="no_private_stream",
        )
    return make(
        replace(connection, base_url=address),
        stream_address(connection.venue, connection.environment, address),
        limiter or get_limiter(),
        observer or NullObserver(),
    )
