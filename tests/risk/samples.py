"""One order and one set of facts in which every rule passes, and ways to change a single thing about them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading.domain.denials import DenialCode
from trading.domain.enums import OrderType, Side
from trading.domain.outcomes import InstrumentReport
from trading.risk import Check, LimitsFacts, OrderFacts, PriceFacts, RiskFacts, SymbolExposure, evaluate

INSTRUMENT = InstrumentReport(
    venue_symbol="BTCUSDT",
    base_asset="BTC",
    quote_asset="USDT",
    is_tradable=True,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(100),
    min_notional=Decimal(5),
    max_notional=Decimal(20000),
    min_notional_market=Decimal(6),
    max_notional_market=Decimal(10000),
    order_types=("LIMIT", "MARKET", "LIMIT_MAKER"),
    price_up_factor=Decimal(5),
    price_down_factor=Decimal("0.2"),
)
LIMITS = LimitsFacts(
    version=7,
    max_order_notional=Decimal(5000),
    max_order_quantity=Decimal(90),
    price_collar_pct=Decimal(5),
    max_price_gap_pct=Decimal(2),
    max_price_age_seconds=Decimal(30),
    max_balance_age_seconds=Decimal(60),
    exposure_limit_symbol=Decimal(8000),
    exposure_limit_total=Decimal(9000),
    max_concurrent_positions=3,
    max_open_orders=10,
    max_orders_per_minute=20,
    max_notional_per_minute=Decimal(50000),
    max_order_to_fill_ratio=Decimal(10),
    max_in_doubt_notional=Decimal(3000),
    max_repeated_executions=1000,
    duplicate_window_seconds=Decimal(5),
    max_daily_loss_pct=Decimal(2),
    max_daily_loss_usd=Decimal(1000),
    max_drawdown_pct=Decimal(10),
    allowed_symbols=("BTC/USDT", "ETH/USDT"),
)
FLAT = SymbolExposure(position=Decimal(0), pending_buy=Decimal(0), pending_sell=Decimal(0))
LONG = SymbolExposure(position=Decimal(10), pending_buy=Decimal(0), pending_sell=Decimal(0))
FACTS = RiskFacts(
    account_enabled=True,
    strategy_enabled=True,
    instrument=INSTRUMENT,
    price=PriceFacts(last=Decimal(100), bid=Decimal(99), ask=Decimal(101), age_seconds=Decimal(1)),
    limits=LIMITS,
    quote_rate=Decimal(1),
    symbol_exposure=FLAT,
    others_exposure=Decimal(0),
    open_positions=frozenset(),
    open_orders=0,
    orders_last_minute=0,
    seconds_since_same=None,
    free_balances={"USDT": Decimal(100000), "BTC": Decimal(1000)},
    balance_age_seconds=Decimal(2),
    daily_pnl=Decimal(0),
    day_start_equity=Decimal(10000),
    positions_age_seconds=Decimal(3),
    clock_offset_seconds=Decimal("0.2"),
    clock_age_seconds=Decimal(20),
    notional_last_minute=Decimal(0),
    orders_lately=0,
    filled_lately=0,
    in_doubt_notional=Decimal(0),
    equity=Decimal(10000),
    peak_equity=Decimal(10000),
    executions=0,
)
ORDER = OrderFacts(
    symbol="BTC/USDT",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    type_word="LIMIT",
    quantity=Decimal(1),
    asked_quantity=Decimal(1),
    quote_quantity=None,
    price=Decimal(100),
    asked_price=Decimal(100),
    signal_price=Decimal(100),
    reduce_only=False,
)


def _changed(row: Any, changes: dict[str, Any]) -> Any:
    return replace(row, **changes)


def limit_order(side: Side = Side.BUY, quantity: str = "1", price: str = "100", **changes: Any) -> OrderFacts:
    numbers = {"quantity": Decimal(quantity), "asked_quantity": Decimal(quantity), "price": Decimal(price)}
    return _changed(ORDER, {"side": side, **numbers, "asked_price": Decimal(price), **changes})


def market_order(side: Side = Side.BUY, quantity: str = "1", **changes: Any) -> OrderFacts:
    market = {"order_type": OrderType.MARKET, "type_word": "MARKET", "price": None, "asked_price": None}
    return _changed(limit_order(side, quantity), market | changes)


def quote_order(side: Side = Side.BUY, quote_quantity: str = "100", **changes: Any) -> OrderFacts:
    """As intake makes it at a last price of 100."""
    estimate = {"quote_quantity": Decimal(quote_quantity), "asked_quantity": None}
    return _changed(market_order(side, str(Decimal(quote_quantity) / 100)), estimate | changes)


def facts(**changes: Any) -> RiskFacts:
    return _changed(FACTS, changes)


def facts_with_limits(**changes: Any) -> RiskFacts:
    return facts(limits=replace(LIMITS, **changes))


def facts_with_instrument(**changes: Any) -> RiskFacts:
    return facts(instrument=replace(INSTRUMENT, **changes))


def facts_with_price(**changes: Any) -> RiskFacts:
    return facts(price=replace(FACTS.price, **changes))


def holding(position: str, pending_buy: str = "0", pending_sell: str = "0", **changes: Any) -> RiskFacts:
    exposure = SymbolExposure(Decimal(position), Decimal(pending_buy), Decimal(pending_sell))
    return facts(symbol_exposure=exposure, **changes)


def check(rule: str, order: OrderFacts = ORDER, given: RiskFacts = FACTS) -> Check:
    """The one check of `rule` about `order` in the light of `given`."""
    [found] = [answer for answer in evaluate(order, given) if answer.rule == rule]
    return found


def codes(order: OrderFacts = ORDER, given: RiskFacts = FACTS) -> set[str]:
    """Every denial code of the whole policy."""
    return {answer.denial.code.value for answer in evaluate(order, given) if answer.denial}


def assert_denied(answer: Check, code: DenialCode, observed: str, limit: str) -> None:
    assert not answer.passed
    assert answer.denial is not None
    assert (answer.denial.code, answer.denial.observed, answer.denial.limit) == (code, observed, limit)


def assert_passed(answer: Check, observed: str, limit: str) -> None:
    assert answer.passed
    assert answer.denial is None
    assert (answer.observed, answer.limit) == (observed, limit)


def assert_not_applicable(answer: Check, why: str) -> None:
    assert answer.passed
    assert answer.note == f"not applicable: {why}"
