"""One connection of a private stream: passes control texts to the venue's talk and events to the client, with faults.

A frame that is not sent is lost for good: there is no snapshot and no repetition. Answers meet only the faults that
meet the whole connection.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.core.accounts import SimUser
from simulator.core.events import VenueEvent
from simulator.core.faults import FaultRule
from simulator.streaming.journal import describe_event
from simulator.wire import StreamFrame, StreamOffer

if TYPE_CHECKING:
    from simulator.http.websocket import WebSocketLine
    from simulator.streaming.hub import StreamHub

CONNECTION_KINDS = frozenset({"stream_drop", "stream_stall"})
NORMAL, GOING_AWAY = 1000, 1001
FOR_EVER = float("inf")


class StreamConnection:
    def __init__(self, hub: StreamHub, venue: str, offer: StreamOffer, number: int) -> None:
        self._hub, self._offer, self.venue, self.number = hub, offer, venue, number
        self.talk, self.user = offer.talk, _name_of(offer.talk.user)
        self._is_listening = False
        self.opened_at = self._traffic_at = self._pinged_at = self._ponged_at = time.monotonic()
        self._ping = b""
        self.opened_ms = time.time_ns() // 1_000_000
        self.sent: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.answers = 0
        self.ended_because: str | None = None
        self._line: WebSocketLine | None = None
        self._timer: asyncio.TimerHandle | None = None

    # -- from the client -------------------------------------------------------------------------------------------

    def opened(self, line: WebSocketLine) -> None:
        self._line = line
        self.opened_at = self._traffic_at = self._pinged_at = self._ponged_at = time.monotonic()
        self._hub.add(self)
        self.talk.begin(self.end)
        self._listen()
        if self._offer.refusal is not None:
            line.send_text(self._offer.refusal)
            self.end(self._offer.refusal)
            return
        self.watch()

    def heard(self, text: str) -> None:
        if self.ended_because is not None:
            return
        self._traffic_at = time.monotonic()
        before = list(self.talk.channels)
        for answer in self.talk.answer(text, self._traffic_at):
            self._answer(answer)
        self._listen()
        if self.talk.channels != before:
            self.note("subscribed", channels=list(self.talk.channels))
        self.watch()

    def ponged(self, payload: bytes) -> None:
        """Only the answer to the last ping proves that somebody is there."""
        if payload == self._ping:
            self._ponged_at = time.monotonic()
            self.watch()

    def _listen(self) -> None:
        """From the moment on at which it is known whose connection this is."""
        user = self.talk.user
        if self._is_listening or user is None or self.ended_because is not None:
            return
        self._is_listening = True
        self._offer.feed.listen(user, self._tell)
        if not self.user:
            self.user = user.name
            self.note("signed in")
            if self._hub.is_refused(self.venue, self.user):
                self.end("refused for a while", GOING_AWAY)

    def ended(self, reason: str) -> None:
        """Nothing is sent any more, whatever the socket still does."""
        if self.ended_because is not None:
            return
        self.ended_because = reason
        if self._timer is not None:
            self._timer.cancel()
        if self._line is not None:
            self.talk.finish(self.end)
            if self._is_listening:
                self._offer.feed.stop_listening(self.user, self._tell)
            self._hub.remove(self)

    # -- endings ---------------------------------------------------------------------------------------------------

    def end(self, reason: str, code: int = NORMAL) -> None:
        """The venue closes it, politely."""
        self.ended(reason)
        if self._line is not None:
            for text in self.talk.farewell() if code == GOING_AWAY else ():
                self._line.send_text(text)
            self._line.close(code, reason)

    def drop(self, rule: FaultRule) -> None:
        self._hub.refuse_for(self, float(rule.parameters.get("refuse_seconds", 0)))  # a time span, not money
        if rule.parameters.get("polite"):
            self.end(rule.kind, GOING_AWAY)
        else:
            self.ended(rule.kind)
            if self._line is not None:
                self._line.abort()

    def watch(self) -> None:
        """Ping, and end this connection, when it is time for it; a stalled one is left alone."""
        if self._timer is not None:
            self._timer.cancel()
        if self.ended_because is not None or self._line is None:
            return
        silent = self._line.find_silence()
        every, now = self.talk.ping_seconds(), time.monotonic()
        end, reason = self.talk.find_end(self.opened_at, self._ponged_at if every else self._traffic_at)
        left = silent or end - now
        if left <= 0:
            self.end(reason)
            return
        if every and not silent:
            if now >= self._pinged_at + every:
                self._pinged_at, self._ping = now, str(time.time_ns() // 1_000_000).encode()
                self._line.ping(self._ping)
            left = min(left, self._pinged_at + every - now)
        if left < FOR_EVER:
            self._timer = asyncio.get_running_loop().call_later(left, self.watch)

    def is_stalled(self) -> bool:
        return self._line is not None and self._line.find_silence() > 0

    def resume(self) -> None:
        """A stall is over; what came meanwhile is lost."""
        if self._line is not None:
            self._line.fall_silent(0)
            self._traffic_at = self._ponged_at = time.monotonic()
            self.watch()

    def meet(self, rule: FaultRule) -> None:
        """A fault of the whole connection; other kinds are for frames."""
        if self.ended_because is not None or self._line is None:
            return
        if rule.kind == "stream_drop":
            self.drop(rule)
        elif rule.kind == "stream_stall" and not self.is_stalled():
            seconds = rule.parameters.get("seconds")
            self.note("stalled", seconds=seconds)
            self._line.fall_silent(FOR_EVER if seconds is None else float(seconds))
            self.watch()

    # -- to the client ---------------------------------------------------------------------------------------------

    def _answer(self, text: str) -> None:
        for rule in self._hub.draw(self, None, CONNECTION_KINDS):
            self.meet(rule)
        if self.ended_because is None and self._line is not None:
            self.answers += not self.is_stalled()
            self._line.send_text(text)

    def _tell(self, events: list[VenueEvent]) -> None:
        """What one commit changed; frames drawn to go out of order go last, in the reverse order."""
        late: list[tuple[StreamFrame, list[FaultRule]]] = []
        for frame in self.talk.frames(events):
            rules = [] if self.ended_because is not None else self._hub.draw(self, frame.channel)
            for rule in rules:
                self.meet(rule)
            if any(rule.kind == "stream_out_of_order" for rule in rules):
                late.append((frame, rules))
            else:
                self._push(frame, rules)
        for frame, rules in reversed(late):
            self._push(frame, rules)

    def _push(self, frame: StreamFrame, rules: list[FaultRule]) -> None:
        kinds = {rule.kind for rule in rules}
        if "stream_gap" in kinds:
            self._lose(frame, "stream_gap")
            return
        if "stream_malformed" in kinds:
            frame = replace(frame, data=frame.data[:-1])  # without its end, no format can be read
        delay = sum(float(rule.parameters["seconds"]) for rule in rules if rule.kind == "stream_latency")
        for _ in range(2 if "stream_duplicate" in kinds else 1):
            if delay:  # time spans, not money
                asyncio.get_running_loop().call_later(delay, self._send, frame)
            else:
                self._send(frame)

    def _send(self, frame: StreamFrame) -> None:
        if self.ended_because is not None or self.is_stalled() or self._line is None:
            self._lose(frame, self.ended_because or "stream_stall")
            return
        self._traffic_at = time.monotonic()
        self.sent[frame.channel] += 1
        if isinstance(frame.data, str):
            self._line.send_text(frame.data)
        else:
            self._line.send_binary(frame.data)

    def _lose(self, frame: StreamFrame, reason: str) -> None:
        self.lost[frame.channel] += 1
        self.note("lost", channel=frame.channel, reason=reason, **describe_event(frame.event))

    def note(self, happened: str, **details: object) -> None:
        self._hub.journal.append(
            happened, venue=self.venue, user=self.user, connection=self.number, **details
        )


def _name_of(user: SimUser | None) -> str:
    return "" if user is None else user.name
