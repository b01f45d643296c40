"""Several clients posting signals at once, each over a connection of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from rig.instance import StackInstance
from rig.panel_client import PanelClient

Body = dict[str, Any]


@dataclass(frozen=True)
class Posted:
    """What one post came to. `began` is wall time, as the venue's journal keeps it."""

    key: str
    began: float
    seconds: float
    status: int  # 0: no answer
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def decision(self) -> str:
        return str(self.body.get("decision", ""))


class Load:
    """Posts (key, body) pairs from `posts` until they are used up or `stop` is called."""

    def __init__(self, stack: StackInstance, posts: Iterable[tuple[str, Body]], clients: int = 8) -> None:
        self.answers: list[Posted] = []
        self._stack = stack
        self._posts = iter(posts)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        self.wait()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(timeout=300)
            assert not thread.is_alive(), "a client hangs"

    def _next(self) -> tuple[str, Body] | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._posts, None)

    def _run(self) -> None:
        with self._stack.client() as client:
            while post := self._next():
                self.answers.append(send(client, *post))


def send(client: PanelClient, key: str, body: Body) -> Posted:
    began, clock = time.time(), time.perf_counter()
    try:
        answer = client.post_signal(key, **body)
    except httpx.TransportError as error:
        return Posted(key, began, time.perf_counter() - clock, 0, {"error": repr(error)})
    return Posted(key, began, time.perf_counter() - clock, answer.status_code, answer.json())


def endless(make_body: Callable[[int], Body], pause: float = 0.0) -> Iterator[tuple[str, Body]]:
    """New keys for ever; `pause` seconds between two posts of all clients together."""
    number = 0
    while True:
        yield str(uuid4()), make_body(number)
        number += 1
        time.sleep(pause)
