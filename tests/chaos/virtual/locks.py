"""Locks of transactions, as PostgreSQL grants them: first come, first served, shared beside shared only.

A shared request waits behind an exclusive one that waits, so that a stream of permits cannot starve an engagement.
Locks end with their transaction.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from .kernel import Kernel, Steps, Waiter


class Lock:
    __slots__ = ("_kernel", "_queue", "holders", "is_exclusive")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.holders: set[Any] = set()
        self.is_exclusive = False
        self._queue: deque[tuple[Any, bool, Waiter]] = deque()

    def take(self, transaction: Any, exclusive: bool, timeout: float) -> Steps:
        """Generator: True once granted, False after `timeout`."""
        if transaction in self.holders:
            return True
        if not self._queue and self._is_free_for(exclusive):
            self._grant(transaction, exclusive)
            return True
        waiter = Waiter()
        entry = (transaction, exclusive, waiter)
        self._queue.append(entry)
        transaction.waits_for = self
        self._kernel.call_later(timeout, self._give_up, entry)
        granted = yield waiter
        transaction.waits_for = None
        return granted

    def release(self, transaction: Any) -> None:
        self.holders.discard(transaction)
        for entry in [entry for entry in self._queue if entry[0] is transaction]:
            self._queue.remove(entry)
        self._serve()

    def _is_free_for(self, exclusive: bool) -> bool:
        return not self.holders or (not exclusive and not self.is_exclusive)

    def _grant(self, transaction: Any, exclusive: bool) -> None:
        self.holders.add(transaction)
        self.is_exclusive = exclusive
        transaction.locks.append(self)

    def _serve(self) -> None:
        while self._queue and self._is_free_for(self._queue[0][1]):
            transaction, exclusive, waiter = self._queue.popleft()
            self._grant(transaction, exclusive)
            self._kernel.settle(waiter, True)

    def _give_up(self, entry: tuple[Any, bool, Waiter]) -> None:
        if entry in self._queue:
            self._queue.remove(entry)
            self._kernel.settle(entry[2], False)
            self._serve()
