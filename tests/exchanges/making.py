"""Connections, requests and observers for the adapters' tests."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from trading.domain.enums import Environment, OrderType, Side, TimeInForce, VenueName
from trading.domain.outcomes import PlaceRequest
from trading.exchanges.base import Connection, Credentials, Exchange
from trading.exchanges.clock import boot_seconds
from trading.exchanges.limiter import LocalLimiter
from trading.exchanges.registry import connect

KEY, SECRET = "mx0canarykey123", "canary-secret-5f1d"


class CountingObserver:
    """Remembers what an adapter reported."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, str]] = []
        self.tokens: dict[str, float] = {}

    def on_request(self, venue: str, endpoint: str, outcome: str, seconds: float) -> None:
        self.requests.append((venue, endpoint, outcome))

    def on_tokens(self, venue: str, bucket: str, tokens: float) -> None:
        self.tokens[bucket] = tokens

    def outcomes(self, endpoint: str) -> list[str]:
        return [outcome for _, name, outcome in self.requests if name == endpoint]


def generous_limiter() -> LocalLimiter:
    """The real local limiter with shares so large that tests never wait."""
    return LocalLimiter(normal_share=Fraction(1000), urgent_share=Fraction(1000))


def make_exchange(
    base_url: str,
    *,
    venue: VenueName = VenueName.MEXC,
    key: str = KEY,
    secret: str = SECRET,
    **more: Any,
) -> Exchange:
    limiter, observer = more.pop("limiter", None), more.pop("observer", None)
    settings: dict[str, Any] = {"timeout_seconds": 5.0, "max_retries": 1, "retry_backoff_ms": 1} | more
    connection = Connection(
        venue,
        Environment.SIMULATED,
        base_url,
        "main",
        Credentials(key, secret),
        **settings,
    )
    return connect(connection, limiter=limiter or generous_limiter(), observer=observer)


def make_place_request(**changes: Any) -> PlaceRequest:
    """A resting BUY with a permit of a second; `venue_time_ms` must be given where the venue looks at it."""
    fields: dict[str, Any] = {
        "client_order_id": "lvtest0000000000000000000000001",
        "venue_symbol": "BTCUSDT",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": Decimal("0.001"),
        "quote_quantity": None,
        "price": Decimal(49000),
        "venue_time_ms": 1_795_393_478_580,
        "window_ms": 2000,
        "deadline": boot_seconds() + 5,
    }
    return PlaceRequest(**fields | changes)
