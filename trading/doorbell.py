"""The doorbell: tells a worker, after commit, that a row waits. Losing a ring costs latency and nothing else.

Owns the names of the bells and their queues. Never raises: a dead broker must not fail a request whose rows are
already committed, and the pollers find what no bell announced.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from trading.failpoints import failpoint

log = logging.getLogger(__name__)

# bell -> queue
BELLS = {
    "dispatch_order": "orders",
    "cancel_order": "orders",
    "follow_order": "resolve",
    "sync_account": "sync",
}


_local = threading.local()


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
    try:
        current_app.send_task(f"trading.tasks.{bell}", args=[subject], queue=BELLS[bell], retry=False)
    except (OperationalError, OSError) as error:
        log.warning(
            "the bell %s did not ring (%s); the poller will find %s", bell, type(error).__name__, subject
        )


def ring(bell: str, subject: object) -> None:
    """Ring after the current transaction commits (at once outside of one)."""
    if getattr(_local, "is_silent", False):
        return
    # A function, not a partial: Django names a robust callback that failed, and a partial has no name.
    transaction.on_commit(lambda: _publish(bell, str(subject)), robust=True)
