"""MEXC's limits as buckets, with the account and the address they belong to. Pure.

Every request weighs on the address; place and cancel also share the account's order bucket, of which new orders can
never use the reserve. The pace an operator set for an account (`rate_limit_rps`) is a bucket more, for new orders only:
no setting may slow a cancel down.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..base import Connection
from ..endpoint import VenueEndpoint
from ..limiter import Bucket, Charge
from ..quotas import pace_bucket, scope_of, window_bucket
from .constants import (
    ACCOUNT_PER_SECOND,
    ORDERS_PER_SECOND,
    SHARE_PERCENT,
    WEIGHT_PER_10_SECONDS,
)


class MexcLimits:
    """The buckets of one connection."""

    def __init__(self, connection: Connection) -> None:
        self.scope = scope_of(connection)
        account, scale = f"{self.scope}:{connection.account}", connection.limit_scale
        bucket = partial(window_bucket, share_percent=SHARE_PERCENT)
        self._address = bucket("weight", self.scope, WEIGHT_PER_10_SECONDS * scale, 10, reserve_percent=35)
        self._account: Mapping[str, Bucket] = {
            "orders": bucket("orders", account, ORDERS_PER_SECOND * scale, 1, reserve_percent=40),
            "account": bucket("account", account, ACCOUNT_PER_SECOND * scale, 1, reserve_percent=0),
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
