"""MEXC's limits as buckets, with the account and the address they belong to. Pure.

Every request weighs on the address; place and cancel also share the account's order bucket, of which new orders can
never use the reserve. The pace an operator set for an account (`rate_limit_rps`) is a bucket more, for new orders only:
no setting may slow a cancel down.
"""

from __future__ import annotations

from functools import partial

from ..base import Connection
from ..quotas import VenueLimits, pace_bucket, scope_of, window_bucket
from .constants import (
    ACCOUNT_PER_SECOND,
    ORDERS_PER_SECOND,
    SHARE_PERCENT,
    WEIGHT_PER_10_SECONDS,
)


class MexcLimits(VenueLimits):
    """The buckets of one connection."""

    def __init__(self, connection: Connection) -> None:
        scope, scale = scope_of(connection), connection.limit_scale
        account = f"{scope}:{connection.account}"
        bucket = partial(window_bucket, share_percent=SHARE_PERCENT)
        super().__init__(
            scope,
            bucket("weight", scope, WEIGHT_PER_10_SECONDS * scale, 10, reserve_percent=35),
            {
                "orders": bucket("orders", account, ORDERS_PER_SECOND * scale, 1, reserve_percent=40),
                "account": bucket("account", account, ACCOUNT_PER_SECOND * scale, 1, reserve_percent=0),
            },
            [pace_bucket(connection, account)],
        )
