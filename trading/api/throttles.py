"""How much one caller may ask: token buckets per caller and kind of request, kept in each web process.

The limits protect against a program that runs wild, not against a busy one: 100 signals a second per token pass. They
live in memory on purpose: no shared store can fail and block an order, and with n web processes the true limit is up to
n times the table's. Engaging a halt is in no bucket.
"""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from .principals import Client

_MAX_CALLERS = 10_000


class Rate(NamedTuple):
    per_second: float
    burst: int


RATES = {
    "read": Rate(200, 1000),
    "order": Rate(200, 400),  # signals, orders, cancels
    "change": Rate(5, 30),  # limits, accounts, releases
    "expensive": Rate(1, 5),  # exports and verification
    "wrong_token": Rate(5, 30),  # per address
}
UNLIMITED = "unlimited"

_levels: dict[tuple[str, str], tuple[float, float]] = {}
_lock = threading.Lock()


def take_token(bucket: str, caller: str, now: float | None = None) -> float:
    """Take one from the caller's bucket. 0 if there was one, else the seconds until there is."""
    rate = RATES[bucket]
    now = time.monotonic() if now is None else now
    with _lock:
        level, since = _levels.get((bucket, caller), (float(rate.burst), now))
        level = min(float(rate.burst), level + (now - since) * rate.per_second)
        if level < 1:
            _levels[bucket, caller] = (level, now)
            return (1 - level) / rate.per_second
        if len(_levels) > _MAX_CALLERS:
            _levels.clear()  # forgetting is generous, never unfair
        _levels[bucket, caller] = (level - 1, now)
        return 0.0


def forget_callers() -> None:
    with _lock:
        _levels.clear()


def caller_of(request: Request) -> str:
    if isinstance(request.user, Client):
        return f"client:{request.user.pk}"
    return f"operator:{request.user.pk}" if request.user.is_authenticated else "public"


class BucketThrottle(BaseThrottle):
    """Reads `view.buckets[method]`; without an entry GETs are "read" and the rest is "change"."""

    seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        method = "GET" if request.method == "HEAD" else request.method
        bucket = view.buckets.get(method, "read" if method == "GET" else "change")
        if bucket == UNLIMITED:
            return True
        self.seconds = take_token(bucket, caller_of(request))
        return self.seconds == 0

    def wait(self) -> float:
        return self.seconds
