"""Requests to Binance: how they are signed, and on which answers the venue is closed for whom.

429 and 418 speak of our address: nothing is sent until the pause is over. 429 with the code of too many new orders
speaks of the account's orders alone, and so does our own caution when the venue's count of the address's weight comes
near its limit: both hold back new orders only, never a cancel.
"""

from __future__ import annotations

from typing import Any

from trading.domain.errors import VenueError

from ..base import Connection, Observer
from ..endpoint import VenueEndpoint
from ..http import WireAnswer
from ..limiter import Limiter
from ..query_line import QuerySignedLine
from .classify import find_code, find_read_error, retry_after_seconds
from .codes import CLOCK_CODES, ORDERS_CODE
from .constants import TIME, USED_WEIGHT_HEADER, WEIGHT_OF_CALM, WEIGHT_PER_MINUTE
from .limits import BinanceLimits
from .parse import parse_server_time

_MINUTE_MS = 60_000


class BinanceLine(QuerySignedLine):
    """One connection's way to Binance."""

    time_endpoint = TIME
    clock_codes = CLOCK_CODES
    key_header = "X-MBX-APIKEY"

    def __init__(self, connection: Connection, limiter: Limiter, observer: Observer) -> None:
        limits = BinanceLimits(connection)
        self._orders_scope = limits.orders_scope
        super().__init__(connection, limits, limiter, observer)

    def find_error(self, answer: WireAnswer) -> VenueError | None:
        return find_read_error(answer.http_status, self.cleaned(answer.body), answer.retry_after)

    def parse_time(self, value: Any) -> int:
        return parse_server_time(value)

    # -- limits ------------------------------------------------------------------------------------------------
    def order_pause_seconds(self) -> float:
        return self._limiter.blocked_seconds(self._orders_scope)

    def heed(self, endpoint: VenueEndpoint, answer: WireAnswer) -> None:
        self._heed_used_weight(answer)
        if answer.http_status not in (418, 429):
            return
        code = find_code(answer.body)
        pause = retry_after_seconds(answer.http_status, answer.retry_after, code)
        if answer.http_status == 429 and code == ORDERS_CODE:
            self._limiter.block(self._orders_scope, pause)
        else:
            self.close_venue(pause)

    def _heed_used_weight(self, answer: WireAnswer) -> None:
        """The venue counts the whole address, also what others send from it."""
        used = answer.headers.get(USED_WEIGHT_HEADER, "")
        if not used.isdecimal() or len(used) > 9:
            return
        scale = self.connection.limit_scale
        self.note_tokens("venue_weight", WEIGHT_PER_MINUTE * scale - int(used))
        if int(used) >= WEIGHT_OF_CALM * scale and self.clock.is_known:
            self._limiter.block(self._orders_scope, (_MINUTE_MS - self.clock.now_ms() % _MINUTE_MS) / 1000)
