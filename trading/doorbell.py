"""The doorbell: tells a worker, after commit, that a row waits. Losing a ring costs latency and nothing else.

Owns the names of the bells and their queues. Never raises: a dead broker must not fail a request whose rows are
already committed, and the pollers find what no bell announced. A broker that hangs is worse than a dead one: the bell
waits for it only a moment, and then leaves it alone for another.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery import current_app
from django.db import transaction
from kombu.exceptions import LimitExceeded, OperationalError
from kombu.pools import producers

from trading.failpoints import failpoint

log = logging.getLogger(__name__)

# bell -> queue
BELLS = {
    "dispatch_order": "orders",
    "cancel_order": "orders",
    "follow_order": "resolve",
    "advance_algo": "orders",
    "advance_algo_of": "orders",
    "sync_account": "sync",
    "check_key": "sync",
    "run_exports": "default",
}


# Workers may wait for messages for long; whoever rings has a request to answer or an order to send.
RING_SECONDS = 0.3
REST_SECONDS = 1.0
_OPTIONS = {
    "socket_timeout": RING_SECONDS,
    "socket_connect_timeout": RING_SECONDS,
    "retry_on_timeout": False,
}

_local = threading.local()
_broken_until = 0.0


@contextmanager
def silence() -> Iterator[None]:
    """No bell rings from this thread inside the block: for a process that does the work itself, with no broker to wait
    for."""
    before = getattr(_local, "is_silent", False)
    _local.is_silent = True
    try:
        yield
    finally:
        _local.is_silent = before


def _publish(bell: str, subject: str) -> None:
    if failpoint("doorbell.before_publish"):
        return
    global _broken_until
    if time.monotonic() < _broken_until:
        return
    try:
        line = current_app.connection_for_write(transport_options=_OPTIONS)
        with producers[line].acquire(block=True, timeout=RING_SECONDS) as producer:
            current_app.send_task(
                f"trading.tasks.{bell}", args=[subject], queue=BELLS[bell], retry=False, producer=producer
            )
    except (OperationalError, OSError, LimitExceeded) as error:
        _broken_until = time.monotonic() + REST_SECONDS
        log.warning(
            "the bell %s did not ring (%s); the poller will find %s", bell, type(error).__name__, subject
        )


def ring(bell: str, subject: object) -> None:
    """Ring after the current transaction commits (at once outside of one)."""
    if getattr(_local, "is_silent", False):
        return
    # A function, not a partial: Django names a robust callback that failed, and a partial has no name.
    transaction.on_commit(lambda: _publish(bell, str(subject)), robust=True)
