"""Bybit's limits as buckets. Pure.

Every request weighs on the address, of whose bucket new orders can never use the reserve. An account has a limit for
each endpoint: orders, cancels and questions never take from each other.
"""

from __future__ import annotations

from functools import partial

from ..base import Connection
from ..quotas import VenueLimits, pace_bucket, scope_of, window_bucket
from .constants import ACCOUNT_LIMITS, REQUESTS_PER_5_SECONDS, SHARE_PERCENT


class BybitLimits(VenueLimits):
    """The buckets of one connection."""

    def __init__(self, connection: Connection) -> None:
        scope, scale = scope_of(connection), connection.limit_scale
        account = f"{scope}:{connection.account}"
        bucket = partial(window_bucket, share_percent=SHARE_PERCENT)
        super().__init__(
            scope,
            bucket("requests", scope, REQUESTS_PER_5_SECONDS * scale, 5, reserve_percent=35),
            {
                name: bucket(name, account, count * scale, seconds, reserve_percent=reserve)
                for name, (count, seconds, reserve) in ACCOUNT_LIMITS.items()
            },
            [pace_bucket(connection, account)],
        )
