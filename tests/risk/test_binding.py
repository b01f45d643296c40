"""Most restrictive wins: an order passes under several versions exactly if it passes under each of them alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.risk.samples import FACTS, LIMITS, check, codes, limit_order
from trading.domain.enums import HaltScope, Side
from trading.risk import LimitsFacts, ScopeUse
from trading.risk.limit_fields import FIELDS, LIMIT_TABLE, Stricter, loosens, stricter_of

amounts = st.none() | st.decimals("0", "20000", places=2)
percents = st.none() | st.decimals("0", "20", places=1)
counts = st.none() | st.integers(0, 30)
uses = st.none() | st.builds(
    ScopeUse,
    symbol_elsewhere=st.decimals("0", "9000", places=0),
    total_elsewhere=st.decimals("0", "9000", places=0),
    positions=st.integers(0, 6),
    open_orders=st.integers(0, 30),
    orders_last_minute=st.integers(0, 30),
    notional_last_minute=st.decimals("0", "20000", places=0),
    orders_lately=st.integers(0, 60),
    filled_lately=st.integers(0, 10),
    in_doubt_notional=st.decimals("0", "5000", places=0),
    daily_pnl=st.decimals("-2000", "100", places=0),
    day_start_equity=st.just(Decimal(10000)),
    equity=st.just(Decimal(9500)),
    peak_equity=st.just(Decimal(10000)),
)
versions = st.builds(
    LimitsFacts,
    version=st.integers(8, 20),
    max_order_notional=amounts,
    max_order_quantity=amounts,
    price_collar_pct=percents,
    exposure_limit_symbol=amounts,
    exposure_limit_total=amounts,
    max_concurrent_positions=counts,
    max_open_orders=counts,
    max_orders_per_minute=counts,
    max_notional_per_minute=amounts,
    max_order_to_fill_ratio=percents,
    max_in_doubt_notional=amounts,
    max_repeated_executions=counts,
    max_daily_loss_pct=percents,
    max_daily_loss_usd=amounts,
    max_drawdown_pct=percents,
    allowed_symbols=st.none() | st.sampled_from([("BTC/USDT",), ("ETH/USDT",), ()]),
    scope=st.sampled_from([HaltScope.ACCOUNT, HaltScope.INSTRUMENT, HaltScope.STRATEGY]),
    target=st.just("one"),
    use=uses,
)
WIDEST = LimitsFacts(
    7,
    max_price_age_seconds=Decimal(30),
    max_balance_age_seconds=Decimal(60),
    duplicate_window_seconds=Decimal(0),
)
orders = st.builds(
    limit_order,
    st.sampled_from(Side),
    st.sampled_from(["0.01", "1", "40"]),
    st.sampled_from(["95", "100", "112"]),
)


@given(orders, st.lists(versions, max_size=4))
def test_all_versions_together_deny_exactly_what_one_of_them_denies_alone(order, narrower):
    facts = replace(
        FACTS, limits=WIDEST, executions=12, daily_pnl=Decimal(-300), symbol_exposure=FACTS.symbol_exposure
    )
    together = codes(order, replace(facts, narrower=tuple(narrower)))
    alone = [codes(order, replace(facts, narrower=(version,))) for version in narrower]
    assert together == set().union(codes(order, facts), *alone)


@given(orders, st.lists(versions, min_size=1, max_size=4))
def test_a_broken_limit_names_the_version_it_came_from(order, narrower):
    facts = replace(FACTS, limits=WIDEST, executions=12, narrower=tuple(narrower))
    for rule in ("maximum_order_notional", "open_orders", "symbol_exposure", "daily_loss"):
        answer = check(rule, order, facts)
        if not answer.passed:
            found = [version for version in narrower if version.source == answer.source]
            assert any(
                not check(rule, order, replace(facts, narrower=(version,))).passed for version in found
            )


def test_the_least_room_is_told_and_ties_go_to_the_widest():
    narrow = LimitsFacts(9, max_open_orders=3, scope=HaltScope.ACCOUNT, target="paper")
    facts = replace(FACTS, narrower=(narrow,))
    assert (check("open_orders", given=facts).source, check("open_orders", given=facts).limit) == (
        "account paper v9",
        "3",
    )
    same = replace(narrow, max_open_orders=LIMITS.max_open_orders)
    assert check("open_orders", given=replace(FACTS, narrower=(same,))).source == "everything v7"


values = st.none() | st.decimals("0", "100", places=1)
symbol_sets = st.none() | st.sets(st.sampled_from("ABC")).map(sorted)


@given(st.sampled_from(LIMIT_TABLE), st.data())
def test_the_stricter_of_two_never_loosens_either(limit, data):
    kind = symbol_sets if limit.stricter is Stricter.FEWER else values
    one, other = data.draw(kind), data.draw(kind)
    stricter = stricter_of(limit.name, one, other)
    assert not loosens(limit.name, one, stricter) and not loosens(limit.name, other, stricter)
    assert not loosens(limit.name, one, one)


@given(st.sampled_from(LIMIT_TABLE), st.data())
def test_of_two_different_values_going_there_or_back_loosens(limit, data):
    kind = symbol_sets if limit.stricter is Stricter.FEWER else values
    one, other = data.draw(kind), data.draw(kind)
    off = (None, 0, Decimal(0))
    same = one == other or (FIELDS[limit.name].stricter is Stricter.HIGHER and one in off and other in off)
    assert same or loosens(limit.name, one, other) or loosens(limit.name, other, one)
