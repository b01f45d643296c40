"""What is said on one connection of Bybit's private stream: signing in, topics, pings, and how long it lasts.

Everything is JSON text. Nothing is told before the client has signed in, and nothing of what was before is repeated.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from typing import Any

from simulator.bybit.auth import sign
from simulator.bybit.pushes import TOPICS, list_frames
from simulator.core.accounts import SimUser
from simulator.core.events import VenueEvent
from simulator.core.trading import TradingVenue
from simulator.wire import StreamFrame

TOPICS_PER_REQUEST = 10
ALIVE = re.compile(r"([0-9]{1,3})([sm])")
SHORTEST_SECONDS, LONGEST_SECONDS = 30, 600
End = Callable[[str], None]


class BybitTalk:
    def __init__(self, venue: TradingVenue, number: int, max_active_time: str | None = None) -> None:
        self._venue = venue
        self._conn_id = f"simulated-{number}"
        self._alive_seconds = _read_alive_time(max_active_time)
        self.channels: list[str] = []
        self.user: SimUser | None = None

    # -- control texts ---------------------------------------------------------------------------------------------

    def answer(self, text: str, now: float) -> list[str]:
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            return [self._say("", {}, "error:the message is not a JSON object")]
        op, args = message.get("op"), message.get("args")
        if op == "ping":
            pong = {"op": "pong", "args": [str(self._venue.clock.now_ms())], "conn_id": self._conn_id}
            return [_as_text(_named(message) | pong)]
        if op == "auth":
            return [self._say(op, message, self._sign_in(args))]
        if op in ("subscribe", "unsubscribe"):
            return [self._say(op, message, self._change_topics(op, args))]
        return [self._say(str(op or ""), message, "error:invalid op")]

    def _sign_in(self, args: Any) -> str | None:
        """None when it is done, else why not. Whoever has signed in stays who it is."""
        if not isinstance(args, list) or len(args) != 3 or self.user is not None:
            return "error:auth needs key, expires and signature, once"
        key, expires, signature = (str(content) for content in args)
        user = self._venue.users_by_key.get(key)
        if user is None:
            return "error:API key is invalid."
        if not expires.isascii() or not expires.isdigit() or int(expires) <= self._venue.clock.now_ms():
            return "error:Params Error: expires is over"
        if not hmac.compare_digest(
            sign(user.secret, b"GET/realtime" + expires.encode()).encode(), signature.encode()
        ):
            return "error:sign error"
        self.user = user
        return None

    def _change_topics(self, op: str, args: Any) -> str | None:
        """All topics of a request, or none of them."""
        if self.user is None:
            return "error:Request not authorized"
        if not isinstance(args, list) or not 0 < len(args) <= TOPICS_PER_REQUEST:
            return f"error:args must be a list of 1 to {TOPICS_PER_REQUEST} topics"
        unknown = [str(topic) for topic in args if topic not in TOPICS]
        if unknown:
            return f"error:handler not found,topic:{','.join(unknown)}"
        after = [topic for topic in self.channels if op == "subscribe" or topic not in args]
        if op == "subscribe":
            after += [topic for topic in dict.fromkeys(args) if topic not in after]
        mixed = [topic for topic in after if topic.partition(".")[0] in after and "." in topic]
        if mixed:
            return f"error:{mixed[0]} and the same topic of all categories exclude each other"
        self.channels = after
        return None

    def _say(self, op: str, message: dict[str, Any], error: str | None) -> str:
        return _as_text(
            {"success": error is None, "ret_msg": error or "", "op": op, "conn_id": self._conn_id}
            | _named(message)
        )

    # -- events ----------------------------------------------------------------------------------------------------

    def frames(self, events: list[VenueEvent]) -> list[StreamFrame]:
        return [] if self.user is None else list_frames(self._venue, self.user, self.channels, events)

    # -- how long --------------------------------------------------------------------------------------------------

    def begin(self, end: End) -> None:
        """Nothing but silence ends it from here."""

    def finish(self, end: End) -> None:
        """Nothing is left behind."""

    def ping_seconds(self) -> float:
        """It is the client who pings."""
        return 0

    def farewell(self) -> list[str]:
        return []

    def find_end(self, opened_at: float, traffic_at: float) -> tuple[float, str]:
        """It lasts as long as something is said, by either side."""
        quiet = self._alive_seconds or float(
            self._venue.settings.stream_quiet_seconds
        )  # a time span, not money
        return traffic_at + quiet, f"no traffic for {quiet:g} s"


def _read_alive_time(text: str | None) -> float | None:
    """Seconds or minutes, within what the venue allows; anything else counts as not given."""
    given = ALIVE.fullmatch(text or "")
    if given is None:
        return None
    seconds = int(given[1]) * (60 if given[2] == "m" else 1)
    return float(min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS))


def _named(message: dict[str, Any]) -> dict[str, object]:
    return {"req_id": message["req_id"]} if message.get("req_id") else {}


def _as_text(document: dict[str, object]) -> str:
    return json.dumps(document, separators=(",", ":"))
