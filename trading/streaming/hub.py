"""One subscription to the live hints per process, handed to every open stream of it.

Lives in the server's event loop. Begins with the first watcher and ends with the last. A watcher that does not keep up
loses its backlog and is told to read anew; it never slows another one down. With Redis away nothing is heard, which
`is_hearing` says: watchers then look by themselves.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import redis.asyncio as redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
_MOST_WAITING = 200
_REST_SECONDS = 1.0
_LISTEN_SECONDS = 5.0


class Watcher:
    """One stream's letterbox."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_MOST_WAITING)
        self.has_lost = False

    def put(self, hint: dict[str, Any]) -> None:
        try:
            self.waiting.put_nowait(hint)
        except asyncio.QueueFull:
            self.has_lost = True

    def forget_if_lost(self) -> bool:
        """True, and an empty letterbox, if something did not fit in: the rest of it is worth nothing then."""
        if not self.has_lost:
            return False
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.has_lost = False
        return True


class HintHub:
    def __init__(self, redis_url: str, channel: str) -> None:
        self.redis_url, self.channel = redis_url, channel
        self.watchers: set[Watcher] = set()
        self.is_hearing = False
        self._listener: asyncio.Task[None] | None = None

    def join(self) -> Watcher:
        watcher = Watcher()
        self.watchers.add(watcher)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._listen())
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self.watchers.discard(watcher)

    async def _listen(self) -> None:
        while self.watchers:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                log.info("live hints: Redis does not answer (%s)", type(error).__name__)
            self.is_hearing = False
            if self.watchers:
                await asyncio.sleep(_REST_SECONDS)

    async def _hear(self) -> None:
        """Until nobody watches; raises when the connection is lost."""
        client = redis.Redis.from_url(self.redis_url, socket_connect_timeout=2)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(self.channel)
                self.is_hearing = True
                while self.watchers:
                    message = await subscription.get_message(timeout=_LISTEN_SECONDS)
                    if message:
                        self._hand_out(message["data"])
                    else:
                        await subscription.ping()
        finally:
            await client.aclose()

    def _hand_out(self, text: bytes) -> None:
        try:
            hint = json.loads(text)
        except ValueError:
            return
        if (
            isinstance(hint, dict)
            and isinstance(hint.get("kind"), str)
            and isinstance(hint.get("entry"), int)
        ):
            for watcher in self.watchers:
                watcher.put(hint)
