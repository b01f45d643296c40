"""The line of venues whose requests carry everything in a signed query string, the key in a header and no body.

A venue adds the names: the key's header, what else it wants in the head, and which parameters are secrets, which are
sent and never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trading.domain.errors import VenueRefused

from .endpoint import Pairs, VenueEndpoint
from .http import WireRequest
from .line import DEFAULT_WINDOW_MS, VenueLine
from .query_string import encode_query, signed_query


class QuerySignedLine(VenueLine):
    """One connection's way to such a venue."""

    key_header: str
    plain_headers: Mapping[str, str] = {}
    secret_parameters: frozenset[str] = frozenset()

    def prepare(
        self,
        endpoint: VenueEndpoint,
        pairs: Pairs,
        *,
        stamp_ms: int | None = None,
        window_ms: int = DEFAULT_WINDOW_MS,
        guard: Callable[[], None] | None = None,
    ) -> WireRequest:
        headers = dict(self.plain_headers)
        shown = [pair for pair in pairs if pair[0] not in self.secret_parameters]
        query = encode_query(pairs)
        if endpoint.is_signed:
            keys = self.connection.credentials
            if keys is None:
                raise VenueRefused(f"{endpoint.name} needs an API key and the connection has none.")
            stamp_ms = self.venue_time_ms() if stamp_ms is None else stamp_ms
            query = signed_query(keys.secret, pairs, timestamp_ms=stamp_ms, window_ms=window_ms)
            shown += [("recvWindow", str(window_ms)), ("timestamp", str(stamp_ms))]
            headers[self.key_header] = keys.key
        tail, shown_tail = (f"?{text}" if text else "" for text in (query, encode_query(shown)))
        return WireRequest(
            method=endpoint.method,
            url=f"{self.connection.base_url}{endpoint.path}{tail}",
            shown_path=self.redact(f"{endpoint.path}{shown_tail}"),
            headers=headers,
            max_bytes=endpoint.max_bytes,
            guard=guard,
        )
