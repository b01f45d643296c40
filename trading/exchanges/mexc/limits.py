"""MEXC's limits as buckets, with the account and the address they belong to. Pure.

Every request weighs on the address; place and cancel also share the account's order bucket, of which new orders can
never use the reserve. The pace an operator set for an account (`rate_limit_rps`) is a bucket more, for new orders only:
no setting may slow a cancel down.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from ..base import Connection
from ..limiter import TOKEN, Bucket, Charge
from .constants import (
    ACCOUNT_PER_SECOND,
    ORDERS_PER_SECOND,
    SHARE_PERCENT,
    WEIGHT_PER_10_SECONDS,
    MexcEndpoint,
)


def scope_of(connection: Connection) -> str:
    """Who is closed together after 429 or 418: everybody who talks to this installation from our address."""
    host = urlsplit(connection.base_url).netloc
    return f"{connection.venue}:{connection.environment}:{host}"


def _bucket(name: str, key: str, per_window: int, window_seconds: int, reserve_percent: int) -> Bucket:
    """A third of our share of the window as burst, the rest as rate: together never more than the share."""
    share = per_window * TOKEN * SHARE_PERCENT // 100
    capacity = max(TOKEN, share // 3)
    rate = (share - capacity) // window_seconds
    return Bucket(name, f"{key}:{name}", capacity, rate, capacity * reserve_percent // 100)


class MexcLimits:
    """The buckets of one connection."""

    def __init__(self, connection: Connection) -> None:
        self.scope = scope_of(connection)
        account, scale = f"{self.scope}:{connection.account}", connection.limit_scale
        self._address = _bucket("weight", self.scope, WEIGHT_PER_10_SECONDS * scale, 10, reserve_percent=35)
        self._account: Mapping[str, Bucket] = {
            "orders": _bucket("orders", account, ORDERS_PER_SECOND * scale, 1, reserve_percent=40),
            "account": _bucket("account", account, ACCOUNT_PER_SECOND * scale, 1, reserve_percent=0),
        }
        pace = max(1, int(connection.rate_limit_rps * TOKEN))
        self._pace = Bucket("pace", f"{account}:pace", max(TOKEN, pace), pace)

    def buckets(self) -> list[Bucket]:
        return [self._address, *self._account.values(), self._pace]

    def charges(self, endpoint: MexcEndpoint) -> list[Charge]:
        found = [Charge(self._address, endpoint.weight)]
        if endpoint.bucket:
            found.append(Charge(self._account[endpoint.bucket]))
        return found

    def new_order_charges(self, endpoint: MexcEndpoint) -> list[Charge]:
        return [*self.charges(endpoint), Charge(self._pace)]
