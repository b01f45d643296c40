"""From a venue's documented limits to buckets: what every venue's `limits` module builds with. Pure.

A venue's folder says which limits exist and what a request weighs; here is only how a limit becomes a bucket, who is
closed together, and the pace an operator set. That pace (`rate_limit_rps`) is a bucket for new orders only: no setting
may slow a cancel down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from .base import Connection
from .endpoint import VenueEndpoint
from .limiter import TOKEN, Bucket, Charge


class VenueLimits:
    """The buckets of one connection: of the address, which every request weighs on; of the account, which endpoints
    name; and those that new orders alone draw on, so that no cancel ever waits for them."""

    def __init__(
        self, scope: str, address: Bucket, account: Mapping[str, Bucket], new_orders: Sequence[Bucket]
    ) -> None:
        self.scope = scope
        self._address, self._account, self._new_orders = address, account, new_orders

    def buckets(self) -> list[Bucket]:
        return [self._address, *self._account.values(), *self._new_orders]

    def charges(self, endpoint: VenueEndpoint) -> list[Charge]:
        found = [Charge(self._address, endpoint.weight)]
        if endpoint.bucket:
            found.append(Charge(self._account[endpoint.bucket]))
        return found

    def new_order_charges(self, endpoint: VenueEndpoint) -> list[Charge]:
        return [*self.charges(endpoint), *map(Charge, self._new_orders)]


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
