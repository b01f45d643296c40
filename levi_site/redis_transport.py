"""A Redis transport that drops what is no message, where kombu's own would end the worker.

Whoever can write to Redis can put anything into a queue. A message that cannot even be taken apart raises inside the
event loop, and Celery ends the worker for it, one restart per piece of garbage. Here it is logged without its content
and dropped; what can be taken apart goes on to Celery, which refuses unknown tasks by itself.
"""

from __future__ import annotations

import logging
from json import JSONDecodeError
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis

log = logging.getLogger(__name__)


def _say_dropped(queue: str, error: Exception) -> None:
    log.warning("something in the queue %s is no message and was dropped (%s)", queue, type(error).__name__)


class TolerantChannel(kombu_redis.Channel):
    def _brpop_read(self, **options: Any) -> bool:
        try:
            return bool(super()._brpop_read(**options))
        except (UnicodeDecodeError, JSONDecodeError) as error:
            _say_dropped("of a worker", error)
            return True


class TolerantTransport(kombu_redis.Transport):
    Channel = TolerantChannel

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            self._take_apart(message)
        except Exception as error:  # a stranger's message may be broken in any way
            _say_dropped(queue, error)
            return
        super()._deliver(message, queue)

    def _take_apart(self, message: Any) -> None:
        """What the consumer will do with it before Celery sees it."""
        channels: list[Any] = self.channels or []
        for channel in channels[:1]:
            taken = channel.Message(message, channel=channel)
            routing = dict(taken.delivery_info or {})
            str(routing["exchange"]) + str(routing["routing_key"])
            dict(taken.headers)


def use_tolerant_transport() -> None:
    """For every `redis://` and `rediss://` of this process."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{TolerantTransport.__name__}"
