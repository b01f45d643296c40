"""A private stream that says what a test tells it to: no venue, no socket, the same interface."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from trading.domain.enums import OrderStatus
from trading.exchanges.streams import StreamEvent, StreamEventKind
from trading.models import AccountStream, ExchangeAccount, Order
from trading.stream_listener import AccountSync

WAIT_SECONDS = 20.0
FOLLOWER = "follower"


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every venue offers a private stream."""
    for module in ("trading.streams", "trading.queries.streams"):
        monkeypatch.setattr(f"{module}.offers_stream", lambda _account: True)


class ScriptedStream:
    """`say` an event, or an exception that reading raises. `trouble` is raised by opening."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.is_open = False
        self.opened = threading.Event()
        self.closed = threading.Event()
        self._script: queue.Queue[StreamEvent | Exception] = queue.Queue()
        self._heard_at: float | None = None

    def say(self, *events: StreamEvent | Exception) -> None:
        for event in events:
            self._script.put(event)

    def open(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        self._heard_at = time.monotonic()
        self.opened.set()

    def read(self, timeout_seconds: float) -> StreamEvent | None:
        try:
            event = self._script.get(timeout=timeout_seconds)
        except queue.Empty:
            return None
        if isinstance(event, Exception):
            raise event
        self._heard_at = time.monotonic()
        return event

    @property
    def heard_at(self) -> float | None:
        return self._heard_at

    def close(self) -> None:
        self.closed.set()


def order_event(
    order: Order, filled: str = "0", status: OrderStatus | None = None, **more: Any
) -> StreamEvent:
    return StreamEvent(
        StreamEventKind.ORDER,
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id,
        filled_quantity=Decimal(filled),
        status=status,
        **more,
    )


def stream_row(
    account: ExchangeAccount, state: str = "live", heard: float = 1, lease: float = 15, **more: Any
) -> None:
    """As a listener left it: heard of so many seconds ago, listened to for so many more."""
    now = timezone.now()
    said = {
        "state": state,
        "since": now,
        "live_since": now - timedelta(hours=1),
        "created_at": now - timedelta(hours=1),
        "heard_at": now - timedelta(seconds=heard),
        "leased_until": now + timedelta(seconds=lease),
        "process": "streams@here:1",
    }
    AccountStream.objects.update_or_create(account=account, defaults={**said, **more})


def wait_until(is_true: Callable[[], object], what: str = "it", seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def join_syncs() -> None:
    """What a listener began, or a bell of its, may outlive it; no test leaves it to the next."""
    for thread in threading.enumerate():
        if isinstance(thread, AccountSync) or thread.name == FOLLOWER:
            thread.join(WAIT_SECONDS)
            assert not thread.is_alive()
