"""All connections of the private streams: who is connected, what faults meet them, and how all of them end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection

from simulator.core.faults import STREAM_KINDS, FaultRule, FaultTable
from simulator.streaming.connection import CONNECTION_KINDS, GOING_AWAY, StreamConnection
from simulator.streaming.journal import StreamJournal
from simulator.wire import StreamOffer

ENDED_KEPT = 200


class StreamHub:
    def __init__(self, faults: FaultTable) -> None:
        self._faults = faults
        self.journal = StreamJournal()
        self.open: dict[int, StreamConnection] = {}
        self.ended: deque[StreamConnection] = deque(maxlen=ENDED_KEPT)
        self._refused_until: dict[tuple[str, str], float] = {}

    def connect(self, venue: str, offer: StreamOffer, number: int) -> StreamConnection:
        return StreamConnection(self, venue, offer, number)

    def add(self, connection: StreamConnection) -> None:
        self.open[connection.number] = connection
        connection.note("opened")

    def remove(self, connection: StreamConnection) -> None:
        del self.open[connection.number]
        self.ended.append(connection)
        connection.note("ended", reason=connection.ended_because)

    # -- faults ----------------------------------------------------------------------------------------------------

    def draw(
        self, connection: StreamConnection, channel: str | None, kinds: Collection[str] = STREAM_KINDS
    ) -> list[FaultRule]:
        if not self._faults.rules:
            return []
        return self._faults.draw_stream(connection.venue, connection.user, channel, kinds)

    def meet_new_rules(self) -> None:
        """A drop or a stall that waits for nothing meets the open connections at once, not at their next frame."""
        for connection in list(self.open.values()):
            for rule in self._faults.draw_at_once(connection.venue, connection.user, CONNECTION_KINDS):
                connection.meet(rule)

    def refuse_for(self, connection: StreamConnection, seconds: float) -> None:
        self._refused_until[connection.venue, connection.user] = time.monotonic() + seconds

    def is_refused(self, venue: str, user: str) -> bool:
        return time.monotonic() < self._refused_until.get((venue, user), 0)

    def lift(self) -> None:
        """The faults are cleared: whoever was refused may connect, and stalled connections go on."""
        self._refused_until.clear()
        for connection in list(self.open.values()):
            if connection.is_stalled():
                connection.resume()

    # -- all of them -----------------------------------------------------------------------------------------------

    def watch_all(self) -> None:
        """The venue's limits have changed."""
        for connection in list(self.open.values()):
            connection.watch()

    def end_all(self, reason: str) -> None:
        for connection in list(self.open.values()):
            connection.resume()
            connection.end(reason, GOING_AWAY)

    def clear(self) -> None:
        self.end_all("the venue was reset")
        self._refused_until.clear()
        self.ended.clear()
        self.journal.clear()
