"""Binance's limits as buckets, with the account and the address they belong to. Pure.

Every request weighs on the address, of which new orders can never use the reserve. The count of orders belongs to the
account and knows new orders only, so that cancels need no share of it.
"""

from __future__ import annotations

from functools import partial

from ..base import Connection
from ..quotas import VenueLimits, pace_bucket, scope_of, window_bucket
from .constants import (
    ORDERS_PER_10_SECONDS,
    ORDERS_PER_DAY,
    SHARE_PERCENT,
    WEIGHT_PER_MINUTE,
    WITHDRAWALS_PER_MINUTE,
)


class BinanceLimits(VenueLimits):
    """The buckets of one connection."""

    def __init__(self, connection: Connection) -> None:
        scope, scale = scope_of(connection), connection.limit_scale
        account = f"{scope}:{connection.account}"
        self.orders_scope = f"{account}:orders"  # closed alone when the account has placed too many
        bucket = partial(window_bucket, share_percent=SHARE_PERCENT)
        of_account = partial(bucket, reserve_percent=0)
        super().__init__(
            scope,
            bucket("weight", scope, WEIGHT_PER_MINUTE * scale, 60, reserve_percent=35),
            {
                "orders": of_account("orders", account, ORDERS_PER_10_SECONDS * scale, 10),
                "withdrawals": of_account("withdrawals", account, WITHDRAWALS_PER_MINUTE * scale, 60),
            },
            [
                of_account("orders_day", account, ORDERS_PER_DAY * scale, 86_400),
                pace_bucket(connection, account),
            ],
        )
