"""RiskFacts: all that a rule may look at, gathered in one transaction under the account's lock, frozen, with ages.

None always means "not known", never zero: a rule that needs an unknown fact denies. Exposure is stated in the reporting
currency (`quote_rate` converts the instrument's quote asset into it). Everything that may become a position counts in
full: approved, submitting, in-doubt, quarantined and open orders, besides the fills.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.enums import HaltScope, OrderType, Side
from trading.domain.outcomes import InstrumentReport


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """Last price in quote units, and its age. All None where no price was ever received."""

    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    age_seconds: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ScopeUse:
    """What one scope has in use already, before the order that is judged. Amounts in the reporting currency.

    `symbol_elsewhere` and `total_elsewhere`: exposure beside the order's own account, in its symbol and altogether; the
    account's own is in RiskFacts, because the order changes it. All else is the whole scope's, the account included.
    `orders_lately` of the last ten minutes, `filled_lately` those of them with a fill.
    """

    symbol_elsewhere: Decimal | None
    total_elsewhere: Decimal | None
    positions: int | None
    open_orders: int | None
    orders_last_minute: int | None
    notional_last_minute: Decimal | None
    orders_lately: int | None
    filled_lately: int | None
    in_doubt_notional: Decimal | None
    daily_pnl: Decimal | None
    day_start_equity: Decimal | None
    equity: Decimal | None
    peak_equity: Decimal | None


@dataclass(frozen=True, slots=True)
class LimitsFacts:
    """One version of the limits in force for one scope. None: not set here. Zero is a limit of zero.

    `use` is what its scope has in use; left out where that is what the order's own account has in use.
    """

    version: int
    max_order_notional: Decimal | None = None
    max_order_quantity: Decimal | None = None
    price_collar_pct: Decimal | None = None
    max_price_gap_pct: Decimal | None = None
    max_price_age_seconds: Decimal | None = None
    max_balance_age_seconds: Decimal | None = None
    exposure_limit_symbol: Decimal | None = None
    exposure_limit_total: Decimal | None = None
    max_concurrent_positions: int | None = None
    max_open_orders: int | None = None
    max_orders_per_minute: int | None = None
    max_notional_per_minute: Decimal | None = None
    max_order_to_fill_ratio: Decimal | None = None
    max_in_doubt_notional: Decimal | None = None
    max_repeated_executions: int | None = None
    duplicate_window_seconds: Decimal | None = None
    max_daily_loss_pct: Decimal | None = None
    max_daily_loss_usd: Decimal | None = None
    max_drawdown_pct: Decimal | None = None
    allowed_symbols: tuple[str, ...] | None = None  # None: every symbol; empty: none
    scope: HaltScope = HaltScope.EVERYTHING
    target: str = ""
    use: ScopeUse | None = None

    @property
    def source(self) -> str:
        """The words by which a decision names this version."""
        return f"{self.scope} {self.target}".strip() + f" v{self.version}"


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
    """`limits`: the version for everything, None if none is in force; `narrower`: those of the order's own account,
    instrument and strategy. Every one of them must hold.

    `others_exposure`: exposure of all other symbols, reporting currency; None if any of them cannot be priced.
    `open_positions`: symbols with a position or a pending order that opens one. `seconds_since_same`: age of the latest
    identical request (account, strategy, symbol, side, quantity, price) that was not denied; None if there is none.
    `free_balances` are the venue's last free balances less what approved, submitting and in-doubt orders will take.
    `executions`: orders of the strategy since a person last enabled it; None without a strategy. Counts and amounts are
    the account's; what wider and narrower scopes have in use stands with their limits.
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
    positions_age_seconds: Decimal | None = None
    clock_offset_seconds: Decimal | None = None
    clock_age_seconds: Decimal | None = None
    notional_last_minute: Decimal | None = None
    orders_lately: int | None = None
    filled_lately: int | None = None
    in_doubt_notional: Decimal | None = None
    equity: Decimal | None = None
    peak_equity: Decimal | None = None
    executions: int | None = None
    narrower: tuple[LimitsFacts, ...] = ()
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
    flattens: bool = False  # closes a position by the flatten verb
    is_child: bool = False  # one of many equal ones that an algo makes on purpose
