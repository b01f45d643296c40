"""The way to the venue and back: delay and loss per direction, refused connections, outages of the venue's front.

Records the instant at which each new-order request begins to leave: what has begun to leave may arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trading.domain.outcomes import Unknown

from .kernel import Kernel, Process, Steps, Waiter
from .scenario import Event, Tunables

TIMED_OUT = Unknown("read time-out")
SERVER_ERROR = Unknown("HTTP 502")


@dataclass(frozen=True, slots=True)
class Written:
    """A new-order request that began to leave. `was_stalled`: its process was stopped between check and write."""

    at: float
    client_order_id: str
    attempt: int
    was_stalled: bool


class Network:
    __slots__ = ("_events", "_kernel", "_tunables", "under_way", "written")

    def __init__(self, kernel: Kernel, tunables: Tunables, events: list[Event]) -> None:
        self._kernel, self._tunables = kernel, tunables
        self._events = [event for event in events if event.kind in ("lose", "slow", "refuse", "outage")]
        self.written: list[Written] = []
        self.under_way = 0

    @property
    def longest_question(self) -> float:
        return self._tunables.timeout + 1.0

    def is_healthy(self, since: float, until: float) -> bool:
        """Nothing stood in the way of a question between the two instants."""
        return all(event.at > until or event.at + event.seconds < since for event in self._events)

    def is_refused(self) -> bool:
        """No connection can be had now."""
        return any(True for _ in self._active("refuse"))

    def ask(
        self, process: Process, kind: str, handler: Callable[..., None], *arguments: Any, timeout: float = 0.0
    ) -> Steps:
        """Generator: the venue's answer, or TIMED_OUT. `kind`: place, cancel or read."""
        waiter = Waiter()
        delay = self._travel("out", kind)
        if delay is not None:
            self.under_way += 1
            self._kernel.call_later(delay, self._arrive, kind, handler, arguments, waiter)
        self._kernel.call_later(timeout or self._tunables.timeout, self._kernel.settle, waiter, TIMED_OUT)
        answer = yield waiter
        return answer

    def _arrive(
        self, kind: str, handler: Callable[..., None], arguments: tuple[Any, ...], waiter: Waiter
    ) -> None:
        self.under_way -= 1
        outage = next(self._active("outage"), None)

        def answer(value: Any) -> None:
            self._answer(kind, waiter, value)

        if outage is None:
            handler(answer, *arguments)
            return
        if outage.what == "does it and errs":
            handler(lambda _value: None, *arguments)
        answer(SERVER_ERROR)

    def _answer(self, kind: str, waiter: Waiter, value: Any) -> None:
        delay = self._travel("back", kind)
        if delay is not None:
            self._kernel.call_later(delay, self._kernel.settle, waiter, value)

    def _travel(self, direction: str, kind: str) -> float | None:
        """Seconds on the way; None if it is lost."""
        delay = self._tunables.trip * (0.5 + self._kernel.random())
        if self._events:
            wanted = (f"{direction} {kind}", f"{direction} all")
            if any(event.what in wanted for event in self._active("lose")):
                return None
            delay += sum(event.amount for event in self._active("slow") if event.what in wanted)
        return delay

    def _active(self, kind: str) -> Any:
        now = self._kernel.now
        return (e for e in self._events if e.kind == kind and e.at <= now < e.at + e.seconds)
