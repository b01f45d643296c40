"""From a venue's documented limits to buckets: what every venue's `limits` module builds with. Pure.

A venue's folder says which limits exist and what a request weighs; here is only how a limit becomes a bucket, who is
closed together, and the pace an operator set. That pace (`rate_limit_rps`) is a bucket for new orders only: no setting
may slow a cancel down.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from .base import Connection
from .endpoint import VenueEndpoint
from .limiter import TOKEN, Bucket, Charge


class VenueLimits(Protocol):
    """The buckets of one connection."""

    scope: str

    def buckets(self) -> list[Bucket]: ...

    def charges(self, endpoint: VenueEndpoint) -> list[Charge]:
        """What a request costs."""
        ...

    def new_order_charges(self, endpoint: VenueEndpoint) -> list[Charge]: ...


def scope_of(connection: Connection) -> str:
    """Who is closed together after 429 or 418: everybody who talks to this installation from our address."""
    host = urlsplit(connection.base_url).netloc
    return f"{connection.venue}:{connection.environment}:{host}"


def window_bucket(
    name: str, key: str, per_window: int, window_seconds: int, *, share_percent: int, reserve_percent: int
) -> Bucket:
    """A third of our share of the window as burst, the rest as rate: together never more than the share.

    New orders can never use the reserve; cancels and questions can.
    """
    share = per_window * TOKEN * share_percent // 100
    capacity = max(TOKEN, share // 3)
    rate = (share - capacity) // window_seconds
    return Bucket(name, f"{key}:{name}", capacity, rate, capacity * reserve_percent // 100)


def pace_bucket(connection: Connection, key: str) -> Bucket:
    """The account's own pace for new orders: a second's worth as burst."""
    pace = max(1, int(connection.rate_limit_rps * TOKEN))
    return Bucket("pace", f"{key}:pace", max(TOKEN, pace), pace)
