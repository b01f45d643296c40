"""The private stream of one account: the protocol and its values, for every venue alike.

The stream rings, REST tells. An event says which order is worth a look now; it is no evidence, its status least of all:
streams have no snapshot and no gap detection, and their fill ids may be others than those of the venue's REST answers.
Losing an event costs time and never truth. Whoever cannot trust a connection any more gets StreamLost, opens a new one
and compares the account by REST before it counts as live.

Streams are synchronous and serve one reading thread; `close` may come from any thread. This module opens no socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from trading.domain.enums import OrderStatus
from trading.domain.errors import VenueError


class StreamEventKind(StrEnum):
    ORDER = "order"
    FILL = "fill"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """Something happened to an order or a balance. What a field's default means: the venue did not say."""

    kind: StreamEventKind
    symbol: str = ""  # the venue's spelling; none for balances
    client_order_id: str = ""  # none for orders that are not ours, or where the venue leaves it out
    exchange_order_id: str = ""
    filled_quantity: Decimal | None = None  # of the whole order so far; for ORDER
    status: OrderStatus | None = None  # what the venue's word would mean; None when unknown or not told
    asset: str = ""
    at_ms: int = 0  # the venue's time of the event


class StreamLost(VenueError):
    """The connection is not trusted any more; the message says why, and never names a listen key."""

    code = "stream_lost"
    remedy = "Nothing to do: it is opened again, and the account is compared with the venue's books."


class PrivateStream(Protocol):
    """One connection to one account's stream. Used once: after StreamLost or `close` take a new one."""

    def open(self) -> None:
        """Connect, subscribe, and wait until the venue has acknowledged every channel.

        Raises VenueError, or StreamLost once a connection stood; what was half open is closed. Takes about ten seconds
        at the most, whatever the venue does.
        """
        ...

    def read(self, timeout_seconds: float) -> StreamEvent | None:
        """The next event, or None when none came in time. Also keeps the connection alive. Raises StreamLost."""
        ...

    @property
    def heard_at(self) -> float | None:
        """`time.monotonic()` when the venue was last heard, be it only a sign of life; None before `open`."""
        ...

    def close(self) -> None:
        """From any thread, as often as one likes; never raises. A `read` under way ends with StreamLost."""
        ...
