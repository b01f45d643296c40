"""Orders and facts that nobody in their right mind would make: every field may be unknown, absurd or contradictory."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import strategies as st

from tests.risk.samples import INSTRUMENT
from trading.domain.enums import HaltScope, OrderType, Side
from trading.risk import LimitsFacts, OrderFacts, PriceFacts, RiskFacts, ScopeUse, SymbolExposure

any_number = st.one_of(
    st.none(),
    st.decimals(),
    st.decimals("-1000", "1000", places=4),
    st.sampled_from(
        [Decimal("1e400"), Decimal("-1e999999"), Decimal("1e-999999"), Decimal("sNaN"), Decimal(0)]
    ),
)
any_count = st.none() | st.integers()
any_symbol = st.sampled_from(["BTC/USDT", "ETH/USDT", ""])
any_limits = st.builds(
    LimitsFacts,
    version=any_count,
    max_order_notional=any_number,
    max_order_quantity=any_number,
    max_price_gap_pct=any_number,
    max_notional_per_minute=any_number,
    max_order_to_fill_ratio=any_number,
    max_in_doubt_notional=any_number,
    max_repeated_executions=any_count,
    max_daily_loss_usd=any_number,
    max_drawdown_pct=any_number,
    price_collar_pct=any_number,
    max_price_age_seconds=any_number,
    max_balance_age_seconds=any_number,
    exposure_limit_symbol=any_number,
    exposure_limit_total=any_number,
    max_concurrent_positions=any_count,
    max_open_orders=any_count,
    max_orders_per_minute=any_count,
    duplicate_window_seconds=any_number,
    max_daily_loss_pct=any_number,
    allowed_symbols=st.none() | st.lists(any_symbol).map(tuple),
    scope=st.sampled_from(HaltScope),
    target=any_symbol,
    use=st.none()
    | st.builds(
        ScopeUse,
        symbol_elsewhere=any_number,
        total_elsewhere=any_number,
        positions=any_count,
        open_orders=any_count,
        orders_last_minute=any_count,
        notional_last_minute=any_number,
        orders_lately=any_count,
        filled_lately=any_count,
        in_doubt_notional=any_number,
        daily_pnl=any_number,
        day_start_equity=any_number,
        equity=any_number,
        peak_equity=any_number,
    ),
)
any_instrument = st.builds(
    replace,
    st.just(INSTRUMENT),
    is_tradable=st.sampled_from([True, False, None]),
    tick_size=any_number,
    lot_size=any_number,
    min_quantity=any_number,
    max_quantity=any_number,
    min_notional=any_number,
    max_notional=any_number,
    min_notional_market=any_number,
    max_notional_market=any_number,
    order_types=st.sampled_from([(), ("LIMIT",), ("LIMIT", "MARKET"), None]),
    price_up_factor=any_number,
    price_down_factor=any_number,
    sides=st.sampled_from([(), (Side.BUY,), (Side.BUY, Side.SELL), None]),
)
any_facts = st.builds(
    RiskFacts,
    account_enabled=st.sampled_from([True, False, None]),
    strategy_enabled=st.sampled_from([True, False, None]),
    instrument=st.none() | any_instrument,
    price=st.none() | st.builds(PriceFacts, any_number, any_number, any_number, any_number),
    limits=st.none() | any_limits,
    quote_rate=any_number,
    symbol_exposure=st.none() | st.builds(SymbolExposure, any_number, any_number, any_number),
    others_exposure=any_number,
    open_positions=st.none() | st.frozensets(any_symbol),
    open_orders=any_count,
    orders_last_minute=any_count,
    seconds_since_same=any_number,
    free_balances=st.none() | st.dictionaries(st.sampled_from(["BTC", "USDT"]), any_number),
    balance_age_seconds=any_number,
    daily_pnl=any_number,
    day_start_equity=any_number,
    positions_age_seconds=any_number,
    clock_offset_seconds=any_number,
    clock_age_seconds=any_number,
    notional_last_minute=any_number,
    orders_lately=any_count,
    filled_lately=any_count,
    in_doubt_notional=any_number,
    equity=any_number,
    peak_equity=any_number,
    executions=any_count,
    narrower=st.lists(any_limits, max_size=3).map(tuple),
    taker_fee_rate=any_number,
)
any_order = st.builds(
    OrderFacts,
    symbol=any_symbol,
    side=st.sampled_from([*Side, None]),
    order_type=st.sampled_from([*OrderType, None]),
    type_word=st.sampled_from(["LIMIT", "MARKET", "IOC", "", None]),
    quantity=any_number,
    asked_quantity=any_number,
    quote_quantity=any_number,
    price=any_number,
    asked_price=any_number,
    signal_price=any_number,
    reduce_only=st.sampled_from([True, False, None]),
)
