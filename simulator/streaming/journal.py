"""What happened to streams: openings, sign-ins, subscriptions, lost frames, endings; the newest rows, in memory.

A row names the connection as the requests' journal does, the user and the channel, never the listen key.
"""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime

from simulator.core.events import BalanceChanged, FillHappened, OrderChanged, VenueEvent

MOST_ROWS = 20_000


class StreamJournal:
    def __init__(self) -> None:
        self.last = 0
        self._rows: deque[dict[str, object]] = deque(maxlen=MOST_ROWS)

    def append(self, happened: str, **details: object) -> None:
        self.last += 1
        wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        at = {"monotonic": time.monotonic(), "wall": wall}
        self._rows.append({"seq": self.last, "at": at, "event": happened, **details})

    def read(self, since: int, limit: int) -> list[dict[str, object]]:
        """Rows with a number above `since`, oldest first, at most `limit`."""
        return [row for row in self._rows if int(str(row["seq"])) > since][:limit]

    def clear(self) -> None:
        """Forget the rows; numbers go on."""
        self._rows.clear()


def describe_event(event: VenueEvent) -> dict[str, object]:
    """What a lost frame would have told."""
    if isinstance(event, OrderChanged):
        order = event.order
        return {
            "order_id": order.order_id,
            "client_order_id": order.client_order_id,
            "status": order.status.value,
        }
    if isinstance(event, FillHappened):
        return {"order_id": event.fill.order_id, "fill_id": event.fill.fill_id}
    assert isinstance(event, BalanceChanged)
    return {"asset": event.asset, "cause": event.cause.value}
