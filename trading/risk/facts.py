"""RiskFacts: all that a rule may look at, gathered in one transaction under the account's lock, frozen, with ages.

None always means "not known", never zero: a rule that needs an unknown fact denies. Exposure is stated in the reporting
currency (`quote_rate` converts the instrument's quote asset into it). Everything that may become a position counts in
full: approved, submitting, in-doubt, quarantined and open orders, besides the fills.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.enums import OrderType, Side
from trading.domain.outcomes import InstrumentReport


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """Last price in quote units, and its age. All None where no price was ever received."""

    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    age_seconds: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LimitsFacts:
    """One version of the limits in force. None means that this limit is not set, zero is a limit of zero."""

    version: int
    max_order_notional: Decimal | None
    price_collar_pct: Decimal | None
    max_price_age_seconds: Decimal
    max_balance_age_seconds: Decimal
    exposure_limit_symbol: Decimal | None
    exposure_limit_total: Decimal | None
    max_concurrent_positions: int | None
    max_open_orders: int | None
    max_orders_per_minute: int | None
    duplicate_window_seconds: Decimal
    max_daily_loss_pct: Decimal | None
    allowed_symbols: tuple[str, ...] | None  # None: every symbol; empty: none


@dataclass(frozen=True, slots=True)
class SymbolExposure:
    """What one symbol has at risk on the account: signed position and pending quantities, in base units."""

    position: Decimal
    pending_buy: Decimal
    pending_sell: Decimal

    @property
    def worst_quantity(self) -> Decimal:
        """The largest absolute position that the pending orders can still lead to."""
        return max(abs(self.position + self.pending_buy), abs(self.position - self.pending_sell))


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """`others_exposure`: exposure of all other symbols, reporting currency; None if any of them cannot be priced.

    `open_positions`: symbols with a position or a pending order that opens one. `seconds_since_same`: age of the latest
    identical request (account, strategy, symbol, side, quantity, price) that was not denied; None if there is none.
    `free_balances` are the venue's last free balances less what approved, submitting and in-doubt orders will take.
    """

    account_enabled: bool
    strategy_enabled: bool
    instrument: InstrumentReport
    price: PriceFacts
    limits: LimitsFacts | None
    quote_rate: Decimal | None
    symbol_exposure: SymbolExposure
    others_exposure: Decimal | None
    open_positions: frozenset[str]
    open_orders: int
    orders_last_minute: int
    seconds_since_same: Decimal | None
    free_balances: Mapping[str, Decimal] | None
    balance_age_seconds: Decimal | None
    daily_pnl: Decimal | None
    day_start_equity: Decimal | None
    taker_fee_rate: Decimal = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The order as the rules see it: rounded at intake; `quantity` is estimated from the price for a quote order."""

    symbol: str
    side: Side
    order_type: OrderType
    type_word: str  # the venue capability needed: MARKET, LIMIT, LIMIT_MAKER, IOC or FOK
    quantity: Decimal | None
    asked_quantity: Decimal | None
    quote_quantity: Decimal | None
    price: Decimal | None
    asked_price: Decimal | None
    signal_price: Decimal | None
    reduce_only: bool
