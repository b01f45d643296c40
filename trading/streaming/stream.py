"""The ASGI part of GET /api/v1/stream: asks the ordinary view who may watch what, then keeps the connection open.

The view is asked again every `RECHECK_SECONDS` (every `ALONE_SECONDS` while Redis is away): an answer that is not 200
ends the stream. At most `MOST_STREAMS` at a time per process; the next one gets a 503 and the poll. A stream holds no
thread while it waits, and ends by itself after `LONGEST_SECONDS`; clients come back with Last-Event-ID.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from trading.live import topics_of

from .hub import HintHub, Watcher

MOST_STREAMS = 64
RECHECK_SECONDS = 15.0
ALONE_SECONDS = 2.0
LONGEST_SECONDS = 3600.0
_SEND_SECONDS = 20.0
_REMEMBERED = 500
Reply = tuple[int, list[tuple[bytes, bytes]], bytes]  # status, headers, body
Ask = Callable[[int | None], Awaitable[Reply]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_GRANT = b"x-levi-stream"
_FULL = {
    "code": "too_many_streams",
    "message": f"This server holds {MOST_STREAMS} streams already.",
    "context": {"remedy": "Poll the other endpoints, or try again in a while."},
}


def find_grant(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, Any] | None:
    found = next((value for name, value in headers if name == _GRANT), None)
    return json.loads(found) if found else None


def outer_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The grant stays inside; a stream has no length."""
    return [(name, value) for name, value in headers if name not in (_GRANT, b"content-length")]


class EventStream:
    """One watcher's connection, from its first answer to its end."""

    def __init__(self, watcher: Watcher, hub: HintHub, ask: Ask, send: Send, grant: dict[str, Any]) -> None:
        self.watcher, self.hub, self.ask, self.send = watcher, hub, ask, send
        self.topics = frozenset(grant["topics"])
        self.newest = int(grant["newest"])
        self.told: OrderedDict[int, None] = OrderedDict()

    async def run(self, first: bytes) -> None:
        await self._write(first)
        began = time.monotonic()
        while time.monotonic() - began < LONGEST_SECONDS:
            await self._tell_for(RECHECK_SECONDS if self.hub.is_hearing else ALONE_SECONDS)
            if not await self._look():
                return

    async def _tell_for(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                hint = await asyncio.wait_for(self.watcher.waiting.get(), left)
            except TimeoutError:
                return
            if self.watcher.forget_if_lost():
                await self._write(b"event: reset\ndata: {}\n\n")
            else:
                await self._write(self._tell(hint).encode())

    def _tell(self, hint: dict[str, Any]) -> str:
        if not self._is_news(hint["entry"]):
            return ""
        data, topics = json.dumps(hint), self.topics.intersection(topics_of(hint["kind"]))
        return "".join(f"event: {topic}\nid: {self.newest}\ndata: {data}\n\n" for topic in sorted(topics))

    def _is_news(self, entry: int) -> bool:
        if entry in self.told:
            return False
        self.told[entry] = None
        if len(self.told) > _REMEMBERED:
            self.told.popitem(last=False)
        self.newest = max(self.newest, entry)
        return True

    async def _look(self) -> bool:
        """Ask the door again: still allowed, and was anything missed? The answer is also the sign of life."""
        status, headers, body = await self.ask(self.newest)
        grant = find_grant(headers)
        if status != 200 or grant is None:
            return False
        self.topics = frozenset(grant["topics"])
        self.newest = max(self.newest, int(grant["newest"]))
        await self._write(b": still here\n\n" + self._unheard(body))
        return True

    def _unheard(self, body: bytes) -> bytes:
        """Without what this stream has told already."""
        fresh: dict[bytes, bool] = {}
        kept = []
        for block in body.split(b"\n\n"):
            number = next((line[4:] for line in block.split(b"\n") if line.startswith(b"id: ")), b"")
            if not number or block.startswith((b"event: hello", b"retry:")):
                continue
            if number not in fresh:
                fresh[number] = block.startswith(b"event: reset") or self._is_news(int(number))
            if fresh[number]:
                kept.append(block + b"\n\n")
        return b"".join(kept)

    async def _write(self, text: bytes) -> None:
        if text:
            step = self.send({"type": "http.response.body", "body": text, "more_body": True})
            await asyncio.wait_for(step, _SEND_SECONDS)


class StreamDoor:
    """Decides between holding a connection open and passing the view's answer on as it is."""

    def __init__(self, hub: HintHub) -> None:
        self.hub = hub
        self.count = 0

    async def answer(self, ask: Ask, receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
        # Before the question: what is announced between the answer and the listening would be missed.
        watcher = self.hub.join()
        try:
            await self._answer(watcher, ask, receive, send)
        finally:
            self.hub.leave(watcher)

    async def _answer(self, watcher: Watcher, ask: Ask, receive: Any, send: Send) -> None:
        status, headers, body = await ask(None)
        grant = find_grant(headers)
        if grant is not None and self.count >= MOST_STREAMS:
            status, headers, body, grant = 503, [(b"retry-after", b"10")], json.dumps(_FULL).encode(), None
            headers.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": status, "headers": outer_headers(headers)})
        if grant is None:
            await send({"type": "http.response.body", "body": body})
            return
        self.count += 1
        try:
            await self._hold(EventStream(watcher, self.hub, ask, send, grant), body, receive)
        finally:
            self.count -= 1
        await send({"type": "http.response.body", "body": b""})

    async def _hold(self, stream: EventStream, first: bytes, receive: Any) -> None:
        """Until the stream ends or the reader leaves."""
        telling = asyncio.ensure_future(stream.run(first))
        leaving = asyncio.ensure_future(_wait_until_gone(receive))
        _, pending = await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(telling, leaving, return_exceptions=True)


async def _wait_until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
