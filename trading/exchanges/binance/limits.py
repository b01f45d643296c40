"""Binance's limits as buckets, with the account and the address they belong to. Pure.

Every request weighs on the address, of which new orders can never use the reserve. The count of orders belongs to the
account and knows new orders only, so that cancels need no share of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..base import Connection
from ..endpoint import VenueEndpoint
from ..limiter import Bucket, Charge
from ..quotas import pace_bucket, scope_of, window_bucket
from .constants import (
    ORDERS_PER_10_SECONDS,
    ORDERS_PER_DAY,
    SHARE_PERCENT,
    WEIGHT_PER_MINUTE,
    WITHDRAWALS_PER_MINUTE,
)


class BinanceLimits:
    """The buckets of one connection."""

    def __init__(self, connection: Connection) -> None:
        self.scope = scope_of(connection)
        account, scale = f"{self.scope}:{connection.account}", connection.limit_scale
        self.orders_scope = f"{account}:orders"  # closed alone when the account has placed too many
        bucket = partial(window_bucket, share_percent=SHARE_PERCENT)
        self._address = bucket("weight", self.scope, WEIGHT_PER_MINUTE * scale, 60, reserve_percent=35)
        self._day = bucket("orders_day", account, ORDERS_PER_DAY * scale, 86_400, reserve_percent=0)
        self._account: Mapping[str, Bucket] = {
            "orders": bucket("orders", account, ORDERS_PER_10_SECONDS * scale, 10, reserve_percent=0),
            "withdrawals": bucket(
                "withdrawals", account, WITHDRAWALS_PER_MINUTE * scale, 60, reserve_percent=0
            ),
        }
        self._pace = pace_bucket(connection, account)

    def buckets(self) -> list[Bucket]:
        return [self._address, *self._account.values(), self._day, self._pace]

    def charges(self, endpoint: VenueEndpoint) -> list[Charge]:
        found = [Charge(self._address, endpoint.weight)]
        if endpoint.bucket:
            found.append(Charge(self._account[endpoint.bucket]))
        return found

    def new_order_charges(self, endpoint: VenueEndpoint) -> list[Charge]:
        return [*self.charges(endpoint), Charge(self._day), Charge(self._pace)]
