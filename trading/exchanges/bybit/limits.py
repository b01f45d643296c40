"""Bybit's limits as buckets. Pure.

Every request weighs on the address, of whose bucket new orders can never use the reserve. An account has a limit for
each endpoint: orders, cancels and questions never take from each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..base import Connection
from ..endpoint import VenueEndpoint
from ..limiter import Bucket, Charge
from ..quotas import pace_bucket, scope_of, window_bucket
from .constants import ACCOUNT_LIMITS, REQUESTS_PER_5_SECONDS, SHARE_PERCENT


class BybitLimits:
    """The buckets of one connection."""

    def __init__(self, connection: Connection) -> None:
        self.scope = scope_of(connection)
        account, scale = f"{self.scope}:{connection.account}", connection.limit_scale
        bucket = partial(window_bucket, share_percent=SHARE_PERCENT)
        self._address = bucket("requests", self.scope, REQUESTS_PER_5_SECONDS * scale, 5, reserve_percent=35)
        self._account: Mapping[str, Bucket] = {
            name: bucket(name, account, count * scale, seconds, reserve_percent=reserve)
            for name, (count, seconds, reserve) in ACCOUNT_LIMITS.items()
        }
        self._pace = pace_bucket(connection, account)

    def buckets(self) -> list[Bucket]:
        return [self._address, *self._account.values(), self._pace]

    def charges(self, endpoint: VenueEndpoint) -> list[Charge]:
        found = [Charge(self._address, endpoint.weight)]
        if endpoint.bucket:
            found.append(Charge(self._account[endpoint.bucket]))
        return found

    def new_order_charges(self, endpoint: VenueEndpoint) -> list[Charge]:
        return [*self.charges(endpoint), Charge(self._pace)]
