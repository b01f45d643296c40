"""A tiny event-driven kernel: a virtual clock and processes whose threads are generators.

A thread yields None (a step of work: the scheduler may interleave here, and a fault may strike), a number of seconds (a
timer), or a Waiter. A crash drops every thread of a process at once, with no clean-up code run; a pause, like SIGSTOP,
delays whatever it would do next. All randomness comes from the scenario's one generator.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Any

START = datetime(2030, 1, 1, tzinfo=UTC)
Steps = Generator[Any, Any, Any]


def as_time(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def as_seconds(at: datetime) -> float:
    return (at - START).total_seconds()


class StoreError(Exception):
    """The database did not do it, or nobody knows whether it did."""


class LockTimeout(StoreError):
    """Nothing was written: somebody else held a lock for too long."""


class Waiter:
    """Something that one thread waits for and that somebody else settles, once."""

    __slots__ = ("is_settled", "thread", "value")

    def __init__(self) -> None:
        self.thread: Thread | None = None
        self.value: Any = None
        self.is_settled = False


class Thread:
    __slots__ = ("generator", "is_dead", "process")

    def __init__(self, process: Process, generator: Steps) -> None:
        self.process, self.generator, self.is_dead = process, generator, False


class Process:
    """One operating-system process. `faults` maps the number of a step to what strikes there."""

    __slots__ = (
        "commit_faults",
        "commits",
        "faults",
        "hold_before_outcome",
        "hold_in_permit",
        "host",
        "is_alive",
        "kernel",
        "lost_alarms",
        "name",
        "on_restart",
        "paused_until",
        "skew",
        "stall_before_write",
        "steps",
        "threads",
        "transactions",
    )

    def __init__(self, kernel: Kernel, name: str, host: int = 0, skew: float = 0.0) -> None:
        self.kernel, self.name, self.host, self.skew = kernel, name, host, skew
        self.is_alive, self.paused_until, self.steps, self.commits = True, -1.0, 0, 0
        self.faults: dict[int, tuple[str, float]] = {}
        self.commit_faults: dict[int, str] = {}
        self.stall_before_write: list[float] = []
        self.hold_in_permit: list[float] = []
        self.hold_before_outcome: list[float] = []
        self.lost_alarms: list[str] = []
        self.threads: list[Thread] = []
        self.transactions: dict[Any, None] = {}  # in the order of their beginning
        self.on_restart: Callable[[], None] = lambda: None

    @property
    def now(self) -> float:
        """This host's wall clock."""
        return self.kernel.now + self.skew

    def crash(self, back_after: float) -> None:
        self.kernel.tell(self.name, "is killed")
        self.is_alive = False
        self.drop_threads()
        for transaction in tuple(self.transactions):
            transaction.abort()
        self.kernel.call_later(back_after, self._come_back)

    def drop_threads(self) -> None:
        """Forget what every thread was doing. No step has clean-up code, so nothing of it runs."""
        for thread in self.threads:
            thread.is_dead = True
            thread.generator.close()
        self.threads = []

    def _come_back(self) -> None:
        self.kernel.tell(self.name, "starts again")
        self.is_alive = True
        self.on_restart()

    def pause(self, seconds: float) -> None:
        self.kernel.tell(self.name, f"is stopped for {seconds:.2f} s")
        self.paused_until = self.kernel.now + seconds
        for transaction in self.transactions:
            transaction.watch_idleness()


class Kernel:
    __slots__ = ("_heap", "_sequence", "now", "random", "step_delay", "story")

    def __init__(self, generator: random.Random, step_delay: float, story: list[str] | None = None) -> None:
        self.now = 0.0
        self.random = generator.random
        self.step_delay = step_delay
        self.story = story
        self._heap: list[tuple[float, int, Any, Any]] = []
        self._sequence = 0

    def tell(self, who: str, what: str) -> None:
        if self.story is not None:
            self.story.append(f"t={self.now:.3f}s {who} {what}")

    def spawn(self, process: Process, generator: Steps, delay: float = 0.0) -> Thread:
        thread = Thread(process, generator)
        process.threads.append(thread)
        self._push(self.now + delay, thread, None)
        return thread

    def call_later(self, seconds: float, function: Callable[..., None], *arguments: Any) -> None:
        self._push(self.now + seconds, function, arguments)

    def settle(self, waiter: Waiter, value: Any) -> None:
        """Give the waiter its value; later ones are ignored."""
        if waiter.is_settled:
            return
        waiter.is_settled, waiter.value = True, value
        if waiter.thread is not None:
            self._push(self.now, waiter.thread, value)

    def _push(self, at: float, what: Any, argument: Any) -> None:
        self._sequence += 1
        heappush(self._heap, (at, self._sequence, what, argument))

    def run(self, until: float) -> None:
        heap = self._heap
        while heap and heap[0][0] <= until:
            at, _sequence, what, argument = heappop(heap)
            self.now = at
            if type(what) is Thread:
                self._resume(what, argument)
            else:
                what(*argument)
        self.now = max(self.now, until)

    def _resume(self, thread: Thread, value: Any) -> None:
        if thread.is_dead:
            return
        process = thread.process
        if process.paused_until > self.now:
            self._push(process.paused_until, thread, value)
            return
        try:
            wanted = thread.generator.send(value)
        except StopIteration:
            process.threads.remove(thread)
            return
        if wanted is None:
            self._step(thread)
        elif type(wanted) is Waiter:
            if wanted.is_settled:
                self._push(self.now, thread, wanted.value)
            else:
                wanted.thread = thread
        else:
            self._push(self.now + wanted, thread, None)

    def _step(self, thread: Thread) -> None:
        process = thread.process
        process.steps += 1
        if process.faults:
            fault = process.faults.pop(process.steps, None)
            if fault is not None:
                kind, seconds = fault
                if kind == "crash":
                    process.crash(seconds)
                    return
                process.pause(seconds)
        self._push(self.now + self.random() * self.step_delay, thread, None)
