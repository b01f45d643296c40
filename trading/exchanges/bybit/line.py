"""Requests to Bybit: how they are stamped and signed, and on which answers the venue is closed for everybody.

A read has its parameters in the query string, everything else in a JSON body of which exactly the bytes that are sent
are signed. The account's own limits (code 10006 and its like) hold up nobody else; an address that is told to stay
away stays away, with everybody who shares it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from trading.domain.errors import VenueError, VenueRefused

from ..base import Connection, Observer
from ..endpoint import Pairs, VenueEndpoint
from ..http import WireAnswer, WireRequest
from ..limiter import Limiter
from ..line import DEFAULT_WINDOW_MS, VenueLine
from ..query_string import encode_query
from .classify import find_read_error, pause_after, seconds_until_reset
from .codes import CLOCK_CODES
from .constants import TIME
from .limits import BybitLimits
from .parse import parse_server_time
from .signing import signed_headers

_INTEGERS = frozenset({"isLeverage"})  # all else in a body is a text
_LEFT = "x-bapi-limit-status"


class BybitLine(VenueLine):
    """One connection's way to Bybit."""

    time_endpoint = TIME
    clock_codes = CLOCK_CODES
    closes_when_throttled = False  # `heed` closes on what closes the address

    def __init__(self, connection: Connection, limiter: Limiter, observer: Observer) -> None:
        super().__init__(connection, BybitLimits(connection), limiter, observer)

    def prepare(
        self,
        endpoint: VenueEndpoint,
        pairs: Pairs,
        *,
        stamp_ms: int | None = None,
        window_ms: int = DEFAULT_WINDOW_MS,
        guard: Callable[[], None] | None = None,
    ) -> WireRequest:
        is_read = endpoint.method == "GET"
        payload = encode_query(pairs) if is_read else encode_body(pairs)
        headers: dict[str, str] = {} if is_read else {"Content-Type": "application/json"}
        shown = f"{endpoint.path}?{payload}" if is_read and payload else endpoint.path
        if not is_read:
            shown += f" {payload}"
        if endpoint.is_signed:
            keys = self.connection.credentials
            if keys is None:
                raise VenueRefused(f"{endpoint.name} needs an API key and the connection has none.")
            stamp_ms = self.venue_time_ms() if stamp_ms is None else stamp_ms
            headers |= signed_headers(
                keys.key, keys.secret, payload, timestamp_ms=stamp_ms, window_ms=window_ms
            )
            shown += f" at {stamp_ms} for {window_ms} ms"
        tail = f"?{payload}" if is_read and payload else ""
        return WireRequest(
            method=endpoint.method,
            url=f"{self.connection.base_url}{endpoint.path}{tail}",
            shown_path=self.redact(shown),
            headers=headers,
            content=None if is_read else payload.encode(),
            max_bytes=endpoint.max_bytes,
            guard=guard,
        )

    def find_error(self, answer: WireAnswer) -> VenueError | None:
        return find_read_error(answer.http_status, self.cleaned(answer.body), self.code_pause(answer))

    def parse_time(self, value: Any) -> int:
        return parse_server_time(value)

    def heed(self, endpoint: VenueEndpoint, answer: WireAnswer) -> None:
        pause = pause_after(answer.http_status, answer.body)
        if pause:
            self.close_venue(pause)
        left = answer.headers.get(_LEFT, "")
        if endpoint.bucket and left.isdecimal() and len(left) <= 6:
            # What the venue itself counts, of all who use the account: less than our own when somebody else does.
            self.note_tokens(f"{endpoint.bucket}_at_venue", int(left))

    def code_pause(self, answer: WireAnswer) -> float:
        now_ms = self.clock.now_ms() if self.clock.age_seconds() is not None else None
        return seconds_until_reset(answer.headers, now_ms)


def encode_body(pairs: Pairs) -> str:
    values: dict[str, Any] = {name: int(text) if name in _INTEGERS else text for name, text in pairs}
    return json.dumps(values, separators=(",", ":"))
