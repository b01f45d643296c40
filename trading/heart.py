"""The heart of a process that serves and has no loop of its own: a thread that says every few seconds that it lives.

Only a process that was started in a role beats; a command, a test and a development server do not. It outlives the
database, holds no connection between two beats, and is never in the way of a request.
"""

from __future__ import annotations

import logging
import threading
import time

from django.db import DatabaseError, connection

from trading.execution.jobs import beat_heart
from trading.process_name import process_role

log = logging.getLogger(__name__)
HEART_SECONDS = 10.0


def keep_beating(role: str) -> threading.Thread | None:
    """Start the thread if this process runs in that role."""
    if process_role() != role:
        return None
    thread = threading.Thread(target=_beat_for_ever, name="heart", daemon=True)
    thread.start()
    return thread


def _beat_for_ever() -> None:
    while True:
        beat_once()
        time.sleep(HEART_SECONDS)


def beat_once() -> None:
    try:
        beat_heart()
    except DatabaseError as error:
        log.warning("no sign of life could be given: %s", type(error).__name__)
    finally:
        connection.close()
