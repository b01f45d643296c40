"""Threads that the Python interface works in: the database and the venues are spoken to synchronously, callers await.

A lane is one daemon thread with one database connection. Orders have theirs and the kill switch has another, so that
stopping never waits for an order. Lanes belong to one process: after a fork new ones are made.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from django.db import close_old_connections, connections

Answer = TypeVar("Answer")
Work = Callable[[], Any]
_CLOSE_SECONDS = 2.0
_lock = threading.Lock()
_lanes: dict[tuple[int, str], Lane] = {}


class Lane:
    """Does one thing after the other, in the order asked for."""

    def __init__(self, name: str) -> None:
        self._waiting: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"sdk-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (entry := self._waiting.get()) is not None:
            work, future = entry
            if not future.set_running_or_notify_cancel():
                continue
            try:
                close_old_connections()
                future.set_result(work())
            except BaseException as error:  # whatever it is belongs to the caller, who waits for it
                future.set_exception(error)
        connections.close_all()

    def submit(self, work: Callable[[], Answer]) -> Future[Answer]:
        future: Future[Answer] = Future()
        self._waiting.put((work, future))
        return future

    def call(self, work: Callable[[], Answer]) -> Answer:
        """For synchronous callers. Inside an event loop it holds the loop up: that is the caller's wish."""
        return self.submit(work).result()

    async def wait(self, work: Callable[[], Answer]) -> Answer:
        """A canceled caller stops waiting; what was begun is finished, because an order cannot be half sent."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(work)))

    def close(self, seconds: float) -> None:
        self._waiting.put(None)
        self._thread.join(seconds)


def lane(name: str) -> Lane:
    with _lock:
        key = (os.getpid(), name)
        if key not in _lanes:
            _lanes[key] = Lane(name)
        return _lanes[key]


def work_aside(name: str, work: Callable[[], Answer]) -> Future[Answer]:
    """In a lane of its own, which ends with the work."""
    aside = lane(name)
    future = aside.submit(work)
    future.add_done_callback(lambda _future: _forget(name))
    return future


def _forget(name: str) -> None:
    with _lock:
        ended = _lanes.pop((os.getpid(), name), None)
    if ended is not None:
        ended.close(0)


@atexit.register
def close_lanes(seconds: float = _CLOSE_SECONDS) -> None:
    """End this process's lanes and their database connections; the next call opens new ones."""
    with _lock:
        mine = [key for key in _lanes if key[0] == os.getpid()]
        ending = [_lanes.pop(key) for key in mine]
    for each in ending:
        each.close(seconds)
