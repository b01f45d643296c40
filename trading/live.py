"""Live hints: after a commit, one line on a Redis channel says what changed, for screens and clients that watch.

A hint is (topic, kind, id) and never the state itself: whoever hears it reads the rows. Losing one costs latency only,
because watchers also look by themselves. Announcing never waits and never raises: a thread of this process publishes,
drops what it cannot publish, and rests after a failure. Never in the way of trading.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)
_REDIS_SECONDS = 0.5
_REST_SECONDS = 2.0
_MOST_WAITING = 500

# topic -> the right that shows it
TOPICS: dict[str, str] = {
    "orders": "trading.view_order",
    "fills": "trading.view_fill",
    "positions": "trading.view_position",
    "halts": "trading.view_haltstate",
    "algos": "trading.view_algo",
    "alerts": "trading.view_order",
    "breaks": "trading.view_break",
    "limits": "trading.view_limitsversion",
    "audit": "trading.view_auditentry",
}
# The family of an audit kind (up to the dot) -> the topics it belongs to; every entry belongs to `audit` as well.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "order": ("orders",),
    "cancel": ("orders",),
    "quarantine": ("orders",),
    "fill": ("fills", "positions"),
    "position": ("positions",),
    "adjustment": ("positions",),
    "halt": ("halts",),
    "sweep": ("halts",),
    "drill": ("halts",),
    "algo": ("algos",),
    "alarm": ("alerts",),
    "alert": ("alerts",),
    "break": ("breaks",),
    "limits": ("limits",),
}
_SHOWN = ("status", "symbol", "side", "client_order_id", "scope", "target", "after")


def hint_channel() -> str:
    """Channels belong to the whole Redis server, whichever database: the installation's mark tells neighbours apart."""
    return f"levi:live:{settings.INSTANCE_ID}"


def topics_of(kind: str) -> tuple[str, ...]:
    return (*_FAMILIES.get(kind.partition(".")[0], ()), "audit")


def describe_hint(
    entry_id: int, kind: str, object_id: str, at: datetime, data: Mapping[str, Any]
) -> dict[str, Any]:
    """What a watcher hears. `entry` is the audit entry that tells all of it."""
    shown = {name: data[name] for name in _SHOWN if isinstance(data.get(name), str)}
    return {"entry": entry_id, "kind": kind, "id": object_id, "at": at.isoformat(), **shown}


class HintPublisher:
    """The thread of one process. Made after fork, at the first hint."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.waiting: deque[str] = deque(maxlen=_MOST_WAITING)
        self.bell = threading.Event()
        threading.Thread(target=self._run, name="live-hints", daemon=True).start()

    def put(self, hint: str) -> None:
        self.waiting.append(hint)
        self.bell.set()

    def _run(self) -> None:
        client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_REDIS_SECONDS,
            socket_connect_timeout=_REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        while True:
            self.bell.wait()
            self.bell.clear()
            if not self._publish_all(client):
                threading.Event().wait(_REST_SECONDS)
                self.waiting.clear()

    def _publish_all(self, client: redis.Redis) -> bool:
        channel = hint_channel()
        try:
            while self.waiting:
                client.publish(channel, self.waiting.popleft())
        except (redis.RedisError, OSError, ValueError) as error:
            log.debug("live hints rest for %s s: %s", _REST_SECONDS, type(error).__name__)
            return False
        return True


_lock = threading.Lock()
_publisher: HintPublisher | None = None


def _get_publisher() -> HintPublisher:
    global _publisher
    with _lock:
        if _publisher is None or _publisher.pid != os.getpid():
            _publisher = HintPublisher()
        return _publisher


def announce(entry_id: int, kind: str, object_id: str, at: datetime, data: Mapping[str, Any]) -> None:
    """Called after the commit of what it announces."""
    _get_publisher().put(json.dumps(describe_hint(entry_id, kind, object_id, at, data)))
