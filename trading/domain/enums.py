"""The closed vocabularies of the product, as string enums with the predicates that belong to them.

The values are what the database, the API and the venues' adapters exchange: renaming one is a migration. Sides, types
and times in force are upper case as on every venue; our own states are lower case.
"""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL: what a fill of this side does to a position."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"

    @property
    def needs_price(self) -> bool:
        return self is not OrderType.MARKET


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(StrEnum):
    """Where an order is in its life. The legal moves are in `order_states`."""

    PROPOSED = "proposed"
    DENIED = "denied"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    LAPSED = "lapsed"
    SUBMITTING = "submitting"
    IN_DOUBT = "in_doubt"
    QUARANTINED = "quarantined"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    NOT_ACCEPTED = "not_accepted"
    EXPIRED = "expired"


class CancelState(StrEnum):
    """The cancel's own axis: an order keeps its status until the venue says otherwise."""

    NONE = "none"
    REQUESTED = "requested"
    SENT = "sent"
    CONFIRMED = "confirmed"
    IN_DOUBT = "in_doubt"
    TOO_LATE = "too_late"


class OrderOrigin(StrEnum):
    """How an order came to be in our books."""

    SIGNAL = "signal"
    API = "api"
    PANEL = "panel"
    SDK = "sdk"
    FLATTEN = "flatten"  # closes a position by the flatten verb: the only origin that passes a halt
    ALGO = "algo"  # a child of a TWAP, VWAP or iceberg
    ORPHAN = "orphan"  # carries our prefix, was not in the database: adopted and alarmed
    EXTERNAL = "external"  # somebody else's order on the account: shown and counted, not ours to cancel


class AlgoKind(StrEnum):
    """How a large quantity is split into child orders."""

    TWAP = "twap"  # evenly over time
    VWAP = "vwap"  # over time, in proportion of what the market usually trades
    ICEBERG = "iceberg"  # one small order in the book at a time


class AlgoState(StrEnum):
    """Where an algo is in its life. The legal moves are in `algo_states`."""

    DENIED = "denied"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELING = "canceling"
    COMPLETED = "completed"
    CANCELED = "canceled"
    EXPIRED = "expired"  # its time was over before its quantity was


class TradingMode(StrEnum):
    PAPER = "paper"
    TESTNET = "testnet"
    PRODUCTION = "production"


class TradingState(StrEnum):
    """What a scope allows. Ordered by `restriction`: the most restrictive scope wins."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"

    @property
    def restriction(self) -> int:
        return ("active", "reducing", "halted").index(self.value)


class HaltScope(StrEnum):
    EVERYTHING = "everything"
    ACCOUNT = "account"
    INSTRUMENT = "instrument"
    STRATEGY = "strategy"


class CancelScope(StrEnum):
    """Whose orders a cancel-all touches."""

    OURS = "ours"
    EVERYTHING = "everything"


class QuarantineVerdict(StrEnum):
    """What a person says of an order that nothing could prove."""

    NOT_ACCEPTED = "not_accepted"  # the venue never had it
    CANCELED = "canceled"  # the venue had it, it ended without a fill, and it is not shown any more
    ADOPT = "adopt"  # it is this one at the venue: asked about, and believed only if the venue shows it


class ApprovalKind(StrEnum):
    """What takes a second person in production."""

    RELEASE = "release"
    LIMITS = "limits"
    FLATTEN = "flatten"
    ADJUSTMENT = "adjustment"


class ApprovalState(StrEnum):
    """Where a request for a second person's word stands. Only `pending` moves."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    VOID = "void"  # a halt came in between, or it could not be carried out


class Severity(StrEnum):
    """How much an alert matters. Ordered by `rank`: a channel takes what reaches its own."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"  # waits for a person to acknowledge it, and is repeated until then

    @property
    def rank(self) -> int:
        return ("info", "warning", "critical").index(self.value)


class Environment(StrEnum):
    """Which installation of a venue an account talks to."""

    SIMULATED = "simulated"
    TESTNET = "testnet"
    LIVE = "live"


class VenueName(StrEnum):
    MEXC = "mexc"
    BINANCE = "binance"
    BYBIT = "bybit"


class VenueOrderStatus(StrEnum):
    """A venue's word on an order, in our vocabulary. An unknown word never maps to one of these: it raises."""

    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
