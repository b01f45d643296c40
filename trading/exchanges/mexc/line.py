"""Requests to MEXC: how they are stamped and signed, and on which answers the venue is closed for everybody.

After 429 and 418, and after a code that means the same, nothing is sent until the pause is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.domain.errors import VenueError

from ..base import Connection, Observer
from ..endpoint import VenueEndpoint
from ..http import WireAnswer
from ..limiter import Limiter
from ..query_line import QuerySignedLine
from .classify import find_read_error, retry_after_seconds
from .codes import CLOCK_CODES
from .constants import TIME
from .limits import MexcLimits
from .parse import parse_server_time


class MexcLine(QuerySignedLine):
    """One connection's way to MEXC."""

    time_endpoint = TIME
    clock_codes = CLOCK_CODES
    key_header = "X-MEXC-APIKEY"
    # MEXC wants it with the empty body (code 700013 otherwise).
    plain_headers: Mapping[str, str] = {"Content-Type": "application/json"}
    secret_parameters = frozenset({"accessKey", "listenKey"})

    def __init__(self, connection: Connection, limiter: Limiter, observer: Observer) -> None:
        super().__init__(connection, MexcLimits(connection), limiter, observer)

    def find_error(self, answer: WireAnswer) -> VenueError | None:
        return find_read_error(answer.http_status, self.cleaned(answer.body), answer.retry_after)

    def parse_time(self, value: Any) -> int:
        return parse_server_time(value)

    def heed(self, endpoint: VenueEndpoint, answer: WireAnswer) -> None:
        if answer.http_status in (418, 429):
            self.close_venue(retry_after_seconds(answer.http_status, answer.retry_after))
