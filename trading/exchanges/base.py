"""The Exchange protocol, and the policy every adapter follows.

Outcome policy (for `place_order`, `test_order`, `cancel_order`, `cancel_all`): these never raise an Exception for
anything that happens on the way; they return an outcome.

* Before the first byte of the request's headers was written (pool, connect, DNS, TLS, a permit that ran out, the local
  stop flag): `NotSentOutcome`. The transport's trace hook is the proof.
* After it: only an answer on the adapter's allow-list is definite. 2xx, valid by schema and with the expected echo, is
  `Placed`; a 4xx with a code on the definite list is `Refused`; everything else (time-out, disconnect, 5xx, HTML,
  truncated or mistyped JSON, unlisted code, duplicate client id) is `Unknown`.
* A time limit or signal that arrives as an Exception while a request is under way is an outcome as well. What is no
  Exception (SystemExit, KeyboardInterrupt) is counted as unknown for the observer and raised again, because a process
  that was told to die must die: the order's durable permit is then the only record, and its lease ends in doubt.
* Nothing is ever sent twice by an adapter on these. Reads may be retried with back-off, freshly stamped.

Rates: a new order waits for its share of the venue's limits in `acquire_place_slot`, before the permit is taken, and
`place_order` never waits. Cancels, and reads with `urgent=True`, may use the reserve that new orders cannot touch.

Reads raise the VenueError family, except `query_order`, which returns a QueryOutcome, because "could not ask" and "does
not exist" must never be confused.

Adapters are synchronous, thread-safe, hold one httpx client each, and must be created after fork.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from trading.domain.enums import Environment, VenueName
from trading.domain.outcomes import (
    BalanceReport,
    CancelOutcome,
    CandleReport,
    FillReport,
    InstrumentReport,
    KeyRights,
    OrderReport,
    PlaceOutcome,
    PlaceRequest,
    PriceReport,
    QueryOutcome,
    TransferReport,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key. Its repr shows neither part."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return "Credentials(***)"


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and how to reach one account at a venue. `account` names it in metrics and in the limiter's buckets."""

    venue: VenueName
    environment: Environment
    base_url: str
    account: str
    credentials: Credentials | None = None
    timeout_seconds: float = 10.0
    rate_limit_rps: Decimal = Decimal(5)
    max_retries: int = 3
    retry_backoff_ms: int = 500
    # A factor on the venue's documented request limits: 1 for every real venue; a simulated one may allow more.
    limit_scale: int = 1
    # Asked by the transport hook at the moment before headers are written: True stops a new order (never a cancel).
    stop_requested: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a venue offers, so that callers ask instead of comparing names."""

    test_order: bool
    cancel_all_account: bool
    cancel_all_symbol: bool
    market_by_quote: bool
    dead_man_timer: bool
    reports_status_on_place: bool
    private_stream: bool  # see `streams`; without one an order's fills are heard of when they are asked about
    max_client_order_id: int
    # The venue may still be working on a request this long after its window closed.
    processing_bound_seconds: float


class Observer(Protocol):
    """What the process wants to know about every request; called in line, so it must be quick and must not raise."""

    def on_request(self, venue: str, endpoint: str, outcome: str, seconds: float) -> None:
        """`outcome`: ok, refused, unknown or not_sent; for reads also throttled, unavailable or malformed."""
        ...

    def on_tokens(self, venue: str, bucket: str, tokens: float) -> None: ...


class NullObserver:
    """For callers that do not count."""

    def on_request(self, venue: str, endpoint: str, outcome: str, seconds: float) -> None: ...

    def on_tokens(self, venue: str, bucket: str, tokens: float) -> None: ...


class Exchange(Protocol):
    """One account at one venue. Symbols are the venue's own spelling (`BTCUSDT`)."""

    connection: Connection
    capabilities: Capabilities

    # -- clock and connection ---------------------------------------------------------------------------------
    def sync_clock(self) -> float:
        """Measure and store the venue clock's offset; returns it in milliseconds (venue minus ours)."""
        ...

    def venue_time_ms(self) -> int:
        """The venue's clock now by the stored offset, with the safety margin; measures first if never measured."""
        ...

    def clock_age_seconds(self) -> float | None:
        """How old the measured offset is; None if never measured."""
        ...

    def clock_uncertainty_seconds(self) -> float | None:
        """Half the round trip of the measurement; stamps are late by this much. None if never measured."""
        ...

    def refresh_clock(self) -> None:
        """Measure again if the offset is older than half a minute. A failure leaves the one before in force; raises
        VenueError if that is too old for a new order."""
        ...

    def warm_up(self) -> None:
        """Make sure a live connection and a fresh offset stand, so that neither eats the permit's second.

        Raises VenueError if one cannot be had: then there is no point in taking a permit.
        """
        ...

    # -- public ------------------------------------------------------------------------------------------------
    def fetch_instruments(self, symbols: Sequence[str] | None = None) -> list[InstrumentReport]: ...

    def fetch_prices(self, symbols: Sequence[str]) -> list[PriceReport]: ...

    def fetch_candles(
        self, symbol: str, *, interval_minutes: int, since: datetime, until: datetime
    ) -> list[CandleReport]:
        """Closed candles of 1, 5, 15, 30 or 60 minutes that opened since the one instant and closed by the other, the
        oldest first and without a hole: complete, or an error. Fewer only at the ends, where the venue has none."""
        ...

    # -- account -----------------------------------------------------------------------------------------------
    def fetch_key_rights(self) -> KeyRights: ...

    def fetch_balances(self) -> list[BalanceReport]: ...

    def fetch_open_orders(self, symbol: str | None = None, *, urgent: bool = False) -> list[OrderReport]:
        """The complete list, or an error: never a part of it. `urgent` is for the kill sweep."""
        ...

    def fetch_fills(
        self, symbol: str, *, since: datetime | None = None, exchange_order_id: str | None = None
    ) -> list[FillReport]:
        """All fills of the symbol since the instant (paged to the end), oldest first, without duplicates."""
        ...

    def fetch_transfers(self, since: datetime) -> list[TransferReport]:
        """Deposits and withdrawals since the instant, oldest first. VenueRefused where the key may not ask."""
        ...

    def query_order(
        self, symbol: str, *, client_order_id: str = "", exchange_order_id: str = "", urgent: bool = False
    ) -> QueryOutcome: ...

    # -- acting ------------------------------------------------------------------------------------------------
    def acquire_place_slot(self, max_wait_seconds: float) -> bool:
        """Wait for the right to send one new order now; False if it cannot be had in time or the venue is closed to us.

        Call it before the permit. The slot keeps for a few seconds, counts for one `place_order` of any thread, and is
        lost when not used.
        """
        ...

    def place_order(self, request: PlaceRequest) -> PlaceOutcome:
        """Send now, never wait. Uses a slot; without one it asks the limiter once and is NotSentOutcome on a no."""
        ...

    def test_order(self, request: PlaceRequest) -> PlaceOutcome:
        """The venue's own validation without an order; `Placed` with an empty id means it would be taken."""
        ...

    def cancel_order(
        self, symbol: str, *, client_order_id: str = "", exchange_order_id: str = ""
    ) -> CancelOutcome: ...

    def cancel_all(self, symbol: str | None = None) -> CancelOutcome:
        """Everything on the account (or of one symbol), ours and foreign: only for the scope "everything"."""
        ...

    def close(self) -> None: ...
