"""Requests to MEXC: how they are stamped and signed, and on which answers the venue is closed for everybody.

After 429 and 418, and after a code that means the same, nothing is sent until the pause is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trading.domain.errors import VenueError, VenueRefused

from ..base import Connection, Observer
from ..endpoint import Pairs, VenueEndpoint
from ..http import WireAnswer, WireRequest
from ..limiter import Limiter
from ..line import DEFAULT_WINDOW_MS, VenueLine
from ..query_string import encode_query, signed_query
from .classify import find_read_error, retry_after_seconds
from .codes import CLOCK_CODES
from .constants import TIME
from .limits import MexcLimits
from .parse import parse_server_time

_SECRET_PARAMETERS = frozenset({"accessKey", "listenKey"})


class MexcLine(VenueLine):
    """One connection's way to MEXC."""

    time_endpoint = TIME
    clock_codes = CLOCK_CODES

    def __init__(self, connection: Connection, limiter: Limiter, observer: Observer) -> None:
        super().__init__(connection, MexcLimits(connection), limiter, observer)

    def prepare(
        self,
        endpoint: VenueEndpoint,
        pairs: Pairs,
        *,
        stamp_ms: int | None = None,
        window_ms: int = DEFAULT_WINDOW_MS,
        guard: Callable[[], None] | None = None,
    ) -> WireRequest:
        headers = {
            "Content-Type": "application/json"
        }  # MEXC wants it with the empty body (code 700013 otherwise)
        shown = [pair for pair in pairs if pair[0] not in _SECRET_PARAMETERS]
        query = encode_query(pairs)
        if endpoint.is_signed:
            keys = self.connection.credentials
            if keys is None:
                raise VenueRefused(f"{endpoint.name} needs an API key and the connection has none.")
            stamp_ms = self.venue_time_ms() if stamp_ms is None else stamp_ms
            query = signed_query(keys.secret, pairs, timestamp_ms=stamp_ms, window_ms=window_ms)
            shown += [("recvWindow", str(window_ms)), ("timestamp", str(stamp_ms))]
            headers["X-MEXC-APIKEY"] = keys.key
        tail, shown_tail = (f"?{text}" if text else "" for text in (query, encode_query(shown)))
        return WireRequest(
            method=endpoint.method,
            url=f"{self.connection.base_url}{endpoint.path}{tail}",
            shown_path=self.redact(f"{endpoint.path}{shown_tail}"),
            headers=headers,
            max_bytes=endpoint.max_bytes,
            guard=guard,
        )

    def find_error(self, answer: WireAnswer) -> VenueError | None:
        return find_read_error(answer.http_status, self.cleaned(answer.body), answer.retry_after)

    def parse_time(self, value: Any) -> int:
        return parse_server_time(value)

    def heed(self, endpoint: VenueEndpoint, answer: WireAnswer) -> None:
        if answer.http_status in (418, 429):
            self.close_venue(retry_after_seconds(answer.http_status, answer.retry_after))
