"""The rows of the simulated ledger: listings, orders, fills.

Orders are mutable and owned by the matching engine alone; fills never change once written.
Statuses are the venue-neutral words below; each wire module maps them to its venue's words.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from simulator.core.money import ZERO, step_of


class SimSide(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> SimSide:
        return SimSide.SELL if self is SimSide.BUY else SimSide.BUY


class SimOrderType(StrEnum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    IMMEDIATE_OR_CANCEL = "IMMEDIATE_OR_CANCEL"
    FILL_OR_KILL = "FILL_OR_KILL"


class SimOrderStatus(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    PARTIALLY_CANCELED = "PARTIALLY_CANCELED"
    REJECTED = "REJECTED"

    @property
    def is_open(self) -> bool:
        return self in (SimOrderStatus.NEW, SimOrderStatus.PARTIALLY_FILLED)


class EndCause(StrEnum):
    """Why an order ended with something left of it."""

    ASKED = "asked"  # by whoever placed it
    WOULD_TAKE = "would_take"  # it was to make only
    NO_DEPTH = "no_depth"  # it was to take at once, and nothing was left to take
    NOT_WHOLE = "not_whole"  # it was to be filled whole or not at all
    PRICE_LIMIT = "price_limit"  # found out after it had been acknowledged
    NO_FUNDS = "no_funds"  # gone between the acknowledgement and the decision


@dataclass(frozen=True, slots=True)
class Listing:
    """What the venue lists: the pair, its scales, its notional bounds and what is allowed on it."""

    symbol: str
    base: str
    quote: str
    anchor_price: Decimal
    price_decimals: int
    quantity_decimals: int
    lot_step: Decimal = ZERO
    budget_decimals: int | None = None  # of a MARKET order by quote; as the price's unless given
    min_notional: Decimal = Decimal(1)
    min_notional_market: Decimal = Decimal(1)
    max_notional: Decimal = Decimal(2_000_000)
    max_notional_market: Decimal = Decimal(1_000_000)
    bid_multiplier_up: Decimal = Decimal(5)
    ask_multiplier_down: Decimal = Decimal("0.2")
    maker_rate: Decimal = ZERO
    taker_rate: Decimal = Decimal("0.0005")
    fee_decimals: int = 12
    depth_notional: Decimal = Decimal(4_000)
    allows_market: bool = True
    api_trading: bool = True
    online: bool = True
    side_type: int = 1
    full_name: str = ""

    @property
    def tick(self) -> Decimal:
        return step_of(self.price_decimals)

    @property
    def budget_step(self) -> Decimal:
        return self.tick if self.budget_decimals is None else step_of(self.budget_decimals)

    @property
    def step(self) -> Decimal:
        """The coarser of the listed lot and the quantity's decimals."""
        return max(self.lot_step, step_of(self.quantity_decimals))

    def changed(self, **changes: object) -> Listing:
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(slots=True)
class SimOrder:
    sequence: int
    order_id: str
    user: str
    symbol: str
    side: SimSide
    type: SimOrderType
    price: Decimal
    quantity: Decimal
    received_ms: int
    client_order_id: str | None = None
    quote_quantity: Decimal = ZERO
    filled: Decimal = ZERO
    filled_quote: Decimal = ZERO
    fee_policy: str = "quote"
    fee_headroom: Decimal = ZERO
    reserved: Decimal = ZERO
    status: SimOrderStatus = SimOrderStatus.NEW
    updated_ms: int = 0
    end_cause: EndCause | None = None
    decides_at_ms: int = 0  # acknowledged only, until then; 0: decided
    cancel_id: str | None = None  # the name of the cancel, where cancels have one
    fill_sequences: list[int] = field(default_factory=list)

    @property
    def is_undecided(self) -> bool:
        return self.decides_at_ms > 0

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled


@dataclass(frozen=True, slots=True)
class SimFill:
    sequence: int
    fill_id: str
    order_id: str
    client_order_id: str | None
    user: str
    symbol: str
    side: SimSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    is_self_trade: bool
    at_ms: int

    @property
    def notional(self) -> Decimal:
        return self.price * self.quantity
