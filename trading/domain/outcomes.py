"""All that a venue can tell us, as frozen values the adapters produce and the execution layer consumes.

A request that may open or close risk has exactly three outcomes: Placed, Refused, Unknown. A fourth, NotSentOutcome, is
the proof that nothing left this process. There is no "failed": a time-out, a disconnect, an unreadable answer or an
unlisted error code is Unknown, and only venue evidence makes it terminal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from .enums import OrderType, Side, TimeInForce, VenueOrderStatus


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What went over the wire, redacted: for the attempt's record. No key, signature or header is in it."""

    method: str = ""
    path: str = ""
    http_status: int | None = None
    venue_code: str = ""
    answer: str = ""  # at most 64 KiB
    sent_at: datetime | None = (
        None  # the moment the transport began to write headers; None: nothing was written
    )
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class OrderReport:
    """One look at one order at the venue. Quantities in base units; `filled_notional` in quote units."""

    client_order_id: str
    exchange_order_id: str
    symbol: str  # the venue's own spelling
    side: Side
    status: VenueOrderStatus
    quantity: Decimal
    filled_quantity: Decimal
    filled_notional: Decimal
    price: Decimal | None = None
    order_type: OrderType | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    reason: str = ""  # why it ended, in the venue's words, where it says so


@dataclass(frozen=True, slots=True)
class FillReport:
    """One execution as the venue reports it. `fee` is positive when we pay and negative for a rebate."""

    venue_fill_id: str
    exchange_order_id: str
    client_order_id: str  # empty where the venue leaves it out
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    filled_at: datetime


@dataclass(frozen=True, slots=True)
class BalanceReport:
    asset: str
    free: Decimal
    locked: Decimal


@dataclass(frozen=True, slots=True)
class TransferReport:
    """A deposit (positive) or a withdrawal (negative) that the venue has not called off. `fee` comes on top, if at all:
    venues differ in whether a withdrawal's quantity contains it.
    """

    venue_transfer_id: str
    asset: str
    quantity: Decimal
    fee: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class CandleReport:
    """What was traded from `open_at` to `close_at`. Prices in quote units, `volume` in base units."""

    open_at: datetime
    close_at: datetime
    first: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    volume: Decimal
    quote_volume: Decimal


@dataclass(frozen=True, slots=True)
class PriceReport:
    """Last price and top of book. `bid`/`ask` are None where the book is empty."""

    symbol: str
    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class InstrumentReport:
    """The rules of one symbol. A limit that the venue does not state is None."""

    venue_symbol: str
    base_asset: str
    quote_asset: str
    is_tradable: bool
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal | None
    max_quantity: Decimal | None
    min_notional: Decimal | None
    max_notional: Decimal | None
    min_notional_market: Decimal | None
    max_notional_market: Decimal | None
    order_types: tuple[str, ...]
    price_up_factor: Decimal | None = None  # a BUY limit may be at most last × this
    price_down_factor: Decimal | None = None  # a SELL limit must be at least last × this
    sides: tuple[Side, ...] = (Side.BUY, Side.SELL)

    @property
    def symbol(self) -> str:
        return f"{self.base_asset}/{self.quote_asset}"


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What the venue says an API key may do. `dangerous` are rights a trading key must not have."""

    rights: tuple[str, ...]
    can_trade: bool
    can_read: bool
    dangerous: tuple[str, ...]
    address_list: tuple[str, ...] = ()
    days_left: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """What an adapter needs to place one order: already judged, rounded and permitted.

    `venue_time_ms` and `window_ms` belong to the permit: the adapter signs with exactly these, so that the venue itself
    refuses a late arrival. `deadline` is a monotonic instant (`time.clock_gettime(CLOCK_BOOTTIME)`, seconds); the
    transport hook refuses to write after it. Exactly one of `quantity` and `quote_quantity` is given.
    """

    client_order_id: str
    venue_symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None
    quote_quantity: Decimal | None
    price: Decimal | None
    venue_time_ms: int
    window_ms: int
    deadline: float
    flattens: bool = False  # closes a position by the flatten verb: the local stop flag lets it pass


@dataclass(frozen=True, slots=True)
class Placed:
    """The venue acknowledged the order. `report` is None when the acknowledgement carries no status (MEXC)."""

    exchange_order_id: str
    report: OrderReport | None = None
    fills: tuple[FillReport, ...] = ()
    exchanged: Exchanged = field(default_factory=Exchanged)


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite no, on the adapter's allow-list. `reached_matching` False means not accepted, True means rejected."""

    venue_code: str
    message: str
    reached_matching: bool = True
    retry_after_seconds: float | None = None
    exchanged: Exchanged = field(default_factory=Exchanged)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything else: the order may or may not exist."""

    reason: str
    exchanged: Exchanged = field(default_factory=Exchanged)


@dataclass(frozen=True, slots=True)
class NotSentOutcome:
    """Proof that zero bytes left: the same attempt may be made again while the intent has not expired."""

    reason: str
    exchanged: Exchanged = field(default_factory=Exchanged)


PlaceOutcome = Placed | Refused | Unknown | NotSentOutcome


@dataclass(frozen=True, slots=True)
class CancelAccepted:
    """The venue took the cancel. It is no proof of the order's end: a query is."""

    exchanged: Exchanged = field(default_factory=Exchanged)


@dataclass(frozen=True, slots=True)
class CancelRefused:
    """A definite no, such as "unknown order": often it is already filled. Query before concluding anything."""

    venue_code: str
    message: str
    exchanged: Exchanged = field(default_factory=Exchanged)


CancelOutcome = CancelAccepted | CancelRefused | Unknown | NotSentOutcome


@dataclass(frozen=True, slots=True)
class OrderFound:
    report: OrderReport


@dataclass(frozen=True, slots=True)
class OrderNotFound:
    """A definite, well-formed "no such order" by the venue. One of these alone proves nothing (see `doubt`)."""

    venue_code: str


@dataclass(frozen=True, slots=True)
class QueryFailed:
    """The question could not be answered. Never means not found."""

    reason: str


QueryOutcome = OrderFound | OrderNotFound | QueryFailed
