"""What is said on one connection of Binance's WebSocket API: requests about the connection and the user data stream.

A connection belongs to nobody until a signed request subscribes to an account's events; only then do they come. One
account per connection is played; sessions that sign in (with keys of another kind) and orders by WebSocket are not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from simulator.binance.auth import READING, check_right, check_signature, find_caller, socket_text
from simulator.binance.errors import BinanceWireRefusal, missing
from simulator.binance.pushes import CHANNELS, encode_end, encode_events, encode_shutdown
from simulator.binance.quotas import BinanceQuotas
from simulator.core.accounts import SimUser
from simulator.core.events import VenueEvent
from simulator.core.trading import TradingVenue
from simulator.wire import StreamFrame

LONGEST_SECONDS = 24 * 3_600
Parameters = dict[str, str]
Result = dict[str, object] | list[object]


class BinanceTalk:
    def __init__(
        self, venue: TradingVenue, quotas: BinanceQuotas, address: str, *, tells_limits: bool
    ) -> None:
        self._venue, self._quotas, self._address = venue, quotas, address
        self._tells_limits = tells_limits
        self._connected_ms = venue.clock.now_ms()
        self._user: SimUser | None = None
        self._started, self._subscription = 0, -1
        self._ended: list[str] = []
        self.channels: list[str] = []
        # method -> what answers it, and its weight
        self._methods: dict[str, tuple[Callable[[Parameters], Result], int]] = {
            "ping": (self._ping, 1),
            "time": (self._time, 1),
            "session.status": (self._status, 2),
            "session.subscriptions": (self._subscriptions, 2),
            "userDataStream.subscribe.signature": (self._subscribe, 2),
            "userDataStream.unsubscribe": (self._unsubscribe, 2),
        }

    @property
    def user(self) -> SimUser | None:
        return self._user

    # -- requests --------------------------------------------------------------------------------------------------

    def answer(self, text: str, now: float) -> list[str]:
        number, method, parameters = _read_request(text)
        tells_limits = parameters.pop("returnRateLimits", str(self._tells_limits)).lower() == "true"
        answer: dict[str, object] = {"id": number}
        try:
            answer |= {"status": 200, "result": self._do(method, parameters)}
        except BinanceWireRefusal as refused:
            answer |= {"status": refused.status, "error": self._error(refused)}
        if tells_limits:
            answer["rateLimits"] = [self._quotas.weight_row(self._address)]
        ended, self._ended = self._ended, []
        return [json.dumps(answer, separators=(",", ":"), ensure_ascii=False), *ended]

    def _do(self, method: str | None, parameters: Parameters) -> Result:
        if method is None:
            raise BinanceWireRefusal(400, -1135, "Invalid JSON Request")
        self._quotas.check_ban(self._address)
        known = self._methods.get(method.removeprefix("v3/"))
        if known is None:
            raise BinanceWireRefusal(400, -1020, "This operation is not supported.")
        do, weight = known
        self._quotas.check_weight("api", self._address, weight)
        self._quotas.add_weight("api", self._address, weight)
        return do(parameters)

    def _error(self, refused: BinanceWireRefusal) -> dict[str, object]:
        error: dict[str, object] = {"code": refused.code, "msg": refused.message}
        if refused.retry_after is not None:
            now_ms = self._venue.clock.now_ms()
            error["data"] = {"serverTime": now_ms, "retryAfter": now_ms + 1_000 * refused.retry_after}
        return error

    def _ping(self, parameters: Parameters) -> Result:
        return {}

    def _time(self, parameters: Parameters) -> Result:
        return {"serverTime": self._venue.clock.now_ms()}

    def _status(self, parameters: Parameters) -> Result:
        return {
            "apiKey": None,
            "authorizedSince": None,
            "connectedSince": self._connected_ms,
            "returnRateLimits": self._tells_limits,
            "serverTime": self._venue.clock.now_ms(),
            "userDataStream": bool(self.channels),
        }

    def _subscriptions(self, parameters: Parameters) -> Result:
        return [{"subscriptionId": self._subscription}] if self.channels else []

    # -- the user data stream --------------------------------------------------------------------------------------

    def _subscribe(self, parameters: Parameters) -> Result:
        if not parameters.get("apiKey"):
            raise missing("apiKey")
        user = find_caller(parameters["apiKey"], self._venue.users_by_key)
        check_signature(parameters, socket_text(parameters), user, self._venue.clock.now_ms())
        check_right(user, READING)
        if self._user is not None and user.name != self._user.name:
            raise BinanceWireRefusal(400, -1020, "This operation is not supported.")
        if self.channels:
            raise BinanceWireRefusal(400, -2035, "User Data Stream subscription already active.")
        self._user, self.channels = user, list(CHANNELS)
        self._subscription, self._started = self._started, self._started + 1
        return {"subscriptionId": self._subscription}

    def _unsubscribe(self, parameters: Parameters) -> Result:
        wanted = parameters.get("subscriptionId", str(self._subscription))
        if not self.channels or wanted != str(self._subscription):
            raise BinanceWireRefusal(400, -2036, "User Data Stream subscription not active.")
        self.channels = []
        self._ended = [encode_end(self._subscription, self._venue.clock.now_ms())]
        return {}

    def frames(self, events: list[VenueEvent]) -> list[StreamFrame]:
        if not self.channels:
            return []
        return encode_events(events, self._subscription, self._venue.clock.now_ms())

    # -- how long --------------------------------------------------------------------------------------------------

    def begin(self, end: Callable[[str], None]) -> None:
        """No key's end ends a connection."""

    def finish(self, end: Callable[[str], None]) -> None:
        """Nobody was told of it."""

    def ping_seconds(self) -> float:
        return float(self._venue.settings.stream_ping_seconds)  # a time span, not money

    def farewell(self) -> list[str]:
        return [encode_shutdown(self._venue.clock.now_ms())]

    def find_end(self, opened_at: float, traffic_at: float) -> tuple[float, str]:
        """Neither texts nor pongs that nobody asked for keep a connection alive."""
        patience = self._venue.settings.stream_quiet_seconds
        return min(
            (opened_at + LONGEST_SECONDS, "open for 24 hours"),
            (traffic_at + float(patience), f"no pong for {patience} s"),  # a time span, not money
        )


def _read_request(text: str) -> tuple[Any, str | None, Parameters]:
    """Its id, method and parameters; no method if it cannot be read. Numbers stay the texts that were signed."""
    try:
        document, written = json.loads(text), json.loads(text, parse_int=str, parse_float=str)
    except ValueError:
        return None, None, {}
    if not isinstance(document, dict) or not isinstance(document.get("id", []), str | int | None):
        return None, None, {}
    method, given = document.get("method"), written.get("params") or {}
    if not isinstance(method, str) or not isinstance(given, dict):
        return None, None, {}
    return document["id"], method, {name: _as_text(held) for name, held in given.items()}


def _as_text(held: object) -> str:
    return held if isinstance(held, str) else json.dumps(held)
