"""BybitStream: the private stream of one account at Bybit, as PrivateStream promises it.

Signs in with the key itself: a signature that is good for a few seconds goes over the socket, and the venue's clock is
measured for it first. Then the three topics of spot are asked for at once. The venue wants a ping every twenty seconds
and documents no age at which it ends a connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from trading.domain.errors import VenueRefused

from ..base import Connection, Observer
from ..limiter import Limiter
from ..text_stream import REQUEST_SECONDS, Heard, TextStream
from .line import BybitLine
from .stream_talk import AUTH, PING, SUBSCRIBE, auth_text, subscribe_text, understand

_SIGNATURE_LIFE_MS = 10_000


class BybitStream(TextStream):
    """One connection to one account's stream."""

    ping_text = PING

    def __init__(
        self,
        connection: Connection,
        address: str,
        limiter: Limiter,
        observer: Observer,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        patience = min(connection.timeout_seconds, REQUEST_SECONDS)
        line = BybitLine(replace(connection, timeout_seconds=patience), limiter, observer)
        super().__init__(line, address, now)

    def greetings(self) -> Iterable[tuple[str, str]]:
        keys = self._line.connection.credentials
        if keys is None:
            raise VenueRefused("The private stream needs an API key and the connection has none.")
        expires_ms = self._line.venue_time_ms() + _SIGNATURE_LIFE_MS
        return [(auth_text(keys.key, keys.secret, expires_ms), AUTH), (subscribe_text(), SUBSCRIBE)]

    def understand(self, text: str) -> Heard:
        return understand(text)
