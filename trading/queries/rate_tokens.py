"""How much of a venue's rate limits is left to an account, for all processes together. Asks Redis, takes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from trading.connections import describe
from trading.domain.money import divide
from trading.exchanges.limiter import TOKEN
from trading.exchanges.registry import get_limiter, limits_of
from trading.models import ExchangeAccount

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class RateTokens:
    """One bucket, in tokens. New orders never use the `reserve`: it is for cancels and the queries of a sweep."""

    bucket: str
    left: Decimal
    capacity: Decimal
    per_second: Decimal
    reserve: Decimal

    @property
    def used_percent(self) -> Decimal:
        return divide((self.capacity - self.left) * 100, self.capacity)


@dataclass(frozen=True, slots=True)
class RateReading:
    """`closed_seconds`: the venue sent us away (429 or 418) for so long, cancels included."""

    tokens: list[RateTokens]
    closed_seconds: float


def _tokens(thousandths: int) -> Decimal:
    return divide(Decimal(thousandths), Decimal(TOKEN)).quantize(_TENTH)


def read_rate_tokens(account: ExchangeAccount) -> RateReading | None:
    """None while Redis is away. Raises ConfigurationError for an account whose venue is not configured."""
    scope, buckets = limits_of(describe(account, None))
    reading = get_limiter(settings.REDIS_URL).look(scope, buckets)
    if reading is None:
        return None
    tokens = [
        RateTokens(b.name, _tokens(level), _tokens(b.capacity), _tokens(b.rate), _tokens(b.reserve))
        for b, level in zip(buckets, reading.levels, strict=True)
    ]
    return RateReading(tokens, reading.blocked_seconds)
