"""What is said on one connection of MEXC's stream: control texts and their answers, channels, and how long it lasts.

Answers have code 0 whether they grant or refuse, as the venue's do; only the text tells. Public channels are refused.
"""

from __future__ import annotations

import json
from typing import Any

from simulator.core.accounts import SimUser
from simulator.core.events import VenueEvent
from simulator.core.trading import TradingVenue
from simulator.mexc.frames import load_wrapper
from simulator.mexc.listen_keys import End, ListenKey
from simulator.mexc.pushes import CHANNELS, encode_push
from simulator.wire import StreamFrame

SUBSCRIPTIONS_PER_CONNECTION = 30
LONGEST_SECONDS = 24 * 3_600
INVALID_KEY = "Invalid listen key"
TOO_MANY_CONNECTIONS = "Too many connections on this listen key"
UNREADABLE = "msg format invalid"


class MexcTalk:
    """`key` is None on a connection without a listen key: it may talk, but gets no private channel."""

    def __init__(self, venue: TradingVenue, key: ListenKey | None, now: float) -> None:
        load_wrapper()  # now, not in the middle of somebody's first order
        self._venue, self._key = venue, key
        self._unsubscribed_at = now
        self.channels: list[str] = []

    @property
    def user(self) -> SimUser | None:
        return None if self._key is None else self._key.user

    # -- control texts ---------------------------------------------------------------------------------------------

    def answer(self, text: str, now: float) -> list[str]:
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            return [_say(0, UNREADABLE)]
        given = message.get("id", 0)
        number = given if isinstance(given, int) and not isinstance(given, bool) else 0
        method, wanted = message.get("method"), message.get("params")
        if method == "PING":
            return [_say(number, "PONG")]
        if method not in ("SUBSCRIPTION", "UNSUBSCRIPTION") or not _are_texts(wanted):
            return [_say(number, UNREADABLE)]
        if method == "SUBSCRIPTION":
            return [_say(number, answer) for answer in self._subscribe(wanted)]
        self._unsubscribe(wanted, now)
        return [_say(number, ",".join(wanted))]

    def _subscribe(self, wanted: list[str]) -> list[str]:
        is_over = len({*self.channels, *wanted}) > SUBSCRIPTIONS_PER_CONNECTION
        known = () if is_over or self._key is None else tuple(CHANNELS.values())
        granted = [channel for channel in wanted if channel in known]
        refused = [channel for channel in wanted if channel not in known]
        self.channels += [channel for channel in dict.fromkeys(granted) if channel not in self.channels]
        answers = [",".join(granted)] if granted else []
        if refused:
            answers.append(f"Not Subscribed successfully! [{','.join(refused)}].  Reason： Blocked! ")
        return answers

    def _unsubscribe(self, wanted: list[str], now: float) -> None:
        self.channels = [channel for channel in self.channels if channel not in wanted]
        if not self.channels:
            self._unsubscribed_at = now

    # -- events ----------------------------------------------------------------------------------------------------

    def frames(self, events: list[VenueEvent]) -> list[StreamFrame]:
        """One for every event that a subscribed channel carries."""
        now_ms = self._venue.clock.now_ms()
        carried = [event for event in events if CHANNELS[type(event)] in self.channels]
        return [StreamFrame(CHANNELS[type(event)], encode_push(event, now_ms), event) for event in carried]

    # -- how long --------------------------------------------------------------------------------------------------

    def begin(self, end: End) -> None:
        if self._key is not None:
            self._key.ends.append(end)

    def finish(self, end: End) -> None:
        if self._key is not None:
            self._key.ends.remove(end)

    def ping_seconds(self) -> float:
        """It is the client who pings."""
        return 0

    def farewell(self) -> list[str]:
        return []

    def find_end(self, opened_at: float, traffic_at: float) -> tuple[float, str]:
        """When the venue ends this connection if nothing more is said, and why."""
        settings = self._venue.settings
        quiet, unsubscribed = settings.stream_quiet_seconds, settings.stream_unsubscribed_seconds
        ends = [(opened_at + LONGEST_SECONDS, "open for 24 hours")]
        ends.append((traffic_at + float(quiet), f"no traffic for {quiet} s"))  # time spans, not money
        if not self.channels:
            ends.append(
                (self._unsubscribed_at + float(unsubscribed), f"no subscription for {unsubscribed} s")
            )
        if self._key is not None:
            ends.append((self._key.until, "listen key expired"))
        return min(ends)


def _are_texts(wanted: Any) -> bool:
    return isinstance(wanted, list) and bool(wanted) and all(isinstance(text, str) for text in wanted)


def _say(number: int, text: str) -> str:
    return json.dumps({"id": number, "code": 0, "msg": text}, separators=(",", ":"), ensure_ascii=False)
