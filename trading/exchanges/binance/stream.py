"""BinanceStream: the private stream of one account at Binance, as PrivateStream promises it.

It is a connection to the venue's WebSocket API on which a signed request asks for the account's events; there are no
listen keys any more. One request, weighed like any other; afterwards a ping every twenty seconds, whose answer is the
sign of life. The venue ends a connection after 24 hours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from trading.domain.errors import VenueRefused, VenueThrottled

from ..base import Connection, Observer
from ..limiter import Limiter
from ..text_stream import REQUEST_SECONDS, Heard, TextStream
from .classify import retry_after_seconds
from .constants import SUBSCRIBE
from .line import BinanceLine
from .stream_talk import PING, SUBSCRIBED, find_status, subscribe_text, understand


class BinanceStream(TextStream):
    """One connection to one account's stream."""

    ping_text = PING
    renewal_seconds = 23 * 3600.0

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
        line = BinanceLine(replace(connection, timeout_seconds=patience), limiter, observer)
        super().__init__(line, address, now)

    def greetings(self) -> Iterable[tuple[str, str]]:
        keys = self._line.connection.credentials
        if keys is None:
            raise VenueRefused("The private stream needs an API key and the connection has none.")
        grant = self._line.acquire(
            self._line.limits.charges(SUBSCRIBE), urgent=False, max_wait_seconds=REQUEST_SECONDS
        )
        if not grant.granted:
            raise VenueThrottled(
                "The stream was not opened: our share of the venue's limits is used up or the venue is closed.",
                retry_after_seconds=max(grant.wait_seconds, grant.blocked_seconds),
            )
        return [(subscribe_text(keys.key, keys.secret, self._line.venue_time_ms()), SUBSCRIBED)]

    def understand(self, text: str) -> Heard:
        heard = understand(text)
        if heard.trouble:
            self._heed(text)
        return heard

    def _heed(self, text: str) -> None:
        """Who was refused for weight stays away, and so does everybody else behind our address."""
        status = find_status(text)
        if status in (418, 429):
            self._line.close_venue(retry_after_seconds(status, ""))
