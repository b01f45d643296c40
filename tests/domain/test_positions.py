"""Positions: whatever the fills, the sums add up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.enums import Side
from trading.domain.money import ZERO, exact_arithmetic
from trading.domain.positions import PositionState, shrinks

sides = st.sampled_from(Side)
fees = st.tuples(st.decimals("-1", "1", places=8), st.sampled_from(["USDT", "BTC", "MX"]))


def fills_of(quantities, prices):
    return st.lists(st.tuples(sides, quantities, prices, fees), max_size=12)


ordinary = fills_of(st.decimals("0.00000001", "1000", places=8), st.decimals("0.01", "100000", places=2))
# As wide as a column, where 28-digit arithmetic would already round.
wide = fills_of(
    st.integers(1, 10**36).map(lambda units: Decimal(f"{units}e-18")),
    st.integers(1, 10**30).map(lambda units: Decimal(f"{units}e-18")),
)


BASE = "BTC"


def base_fee(fill) -> Decimal:
    _, _, _, (fee, asset) = fill
    return fee if asset == BASE else ZERO


def book(fills, base_asset=BASE) -> PositionState:
    state = PositionState()
    for side, quantity, price, (fee, asset) in fills:
        state = state.after(side, quantity, price, fee, asset, base_asset=base_asset)
    return state


@given(st.one_of(ordinary, wide))
def test_quantity_is_the_signed_sum_of_the_fills_less_what_they_cost_in_the_base_asset(fills):
    with exact_arithmetic():
        traded = sum((quantity * side.sign for side, quantity, _, _ in fills), ZERO)
        assert book(fills).quantity == traded - sum(map(base_fee, fills), ZERO)


@given(ordinary, st.decimals("0.01", "100000", places=2))
def test_realized_and_unrealized_add_up_to_cash_flow_and_market_value(fills, last):
    state = book(fills, base_asset="ETH")
    with exact_arithmetic():
        cash = sum((-side.sign * quantity * price for side, quantity, price, _ in fills), ZERO)
        wealth = cash + state.quantity * last
        pnl = state.realized_pnl + state.unrealized_pnl(last)
        # An average price is off by at most half of its last decimal per fill, times all that was ever held.
        held = sum((quantity for _, quantity, _, _ in fills), ZERO)
        tolerance = Decimal("1e-18") * (len(fills) + 1) * (held + 1)
        assert abs(pnl - wealth) <= tolerance


@given(ordinary)
def test_fees_are_summed_per_asset_and_others_than_in_base_touch_nothing_else(fills):
    state = book(fills, base_asset="ETH")
    for asset in ("USDT", "BTC", "MX"):
        paid = sum((fee for _, _, _, (fee, fee_asset) in fills if fee_asset == asset), ZERO)
        assert state.fees.get(asset, ZERO) == paid
    free = book([(side, quantity, price, (ZERO, asset)) for side, quantity, price, (_, asset) in fills])
    assert (free.quantity, free.average_price, free.realized_pnl) == (
        state.quantity,
        state.average_price,
        state.realized_pnl,
    )


@given(ordinary, st.randoms(use_true_random=False))
def test_quantity_and_fees_do_not_depend_on_the_order_of_fills(fills, random):
    shuffled = random.sample(fills, len(fills))
    first, second = book(fills), book(shuffled)
    assert first.quantity == second.quantity
    assert {k: v for k, v in first.fees.items() if v} == {k: v for k, v in second.fees.items() if v}


@given(ordinary)
def test_a_flat_position_has_no_average_price(fills):
    state = book(fills)
    assert (state.quantity == 0) == (state.average_price == 0)


def after(state: PositionState, side: Side, quantity: str, price: str) -> PositionState:
    return state.after(side, Decimal(quantity), Decimal(price), ZERO, "USDT", base_asset=BASE)


def figures(state: PositionState) -> tuple[Decimal, Decimal, Decimal]:
    return state.quantity, state.average_price, state.realized_pnl


def test_buying_more_moves_the_average_and_realizes_nothing():
    state = after(after(PositionState(), Side.BUY, "1", "100"), Side.BUY, "3", "200")
    assert figures(state) == (4, 175, 0)


def test_selling_a_part_realizes_the_difference_and_keeps_the_average():
    state = after(after(PositionState(), Side.BUY, "2", "100"), Side.SELL, "0.5", "160")
    assert figures(state) == (Decimal("1.5"), 100, 30)


def test_selling_through_zero_opens_the_rest_at_the_new_price():
    state = after(after(PositionState(), Side.BUY, "1", "100"), Side.SELL, "3", "90")
    assert figures(state) == (-2, 90, -10)
    assert figures(after(state, Side.BUY, "2", "80")) == (0, 0, 10)


def test_unrealized_pnl_and_notional_of_long_and_short():
    long, short = PositionState(Decimal(2), Decimal(100)), PositionState(Decimal(-2), Decimal(100))
    assert (long.unrealized_pnl(Decimal(110)), short.unrealized_pnl(Decimal(110))) == (20, -20)
    assert long.notional(Decimal(110)) == short.notional(Decimal(110)) == 220


def test_a_fee_in_the_base_asset_leaves_what_can_be_sold_and_realizes_nothing():
    bought = PositionState().after(
        Side.BUY, Decimal(1), Decimal(100), Decimal("0.001"), BASE, base_asset=BASE
    )
    assert figures(bought) == (Decimal("0.999"), 100, 0)
    assert bought.fees == {BASE: Decimal("0.001")}
    assert figures(after(bought, Side.SELL, "0.999", "110")) == (0, 0, Decimal("9.99"))


def test_a_fee_in_the_base_asset_that_nothing_covers_is_a_debt_at_its_price():
    flat = after(PositionState(), Side.BUY, "1", "100")
    sold = flat.after(Side.SELL, Decimal(1), Decimal(90), Decimal("0.001"), BASE, base_asset=BASE)
    assert figures(sold) == (Decimal("-0.001"), 90, -10)


def test_a_fill_of_nothing_only_books_its_fee():
    state = PositionState().after(Side.BUY, ZERO, Decimal(1), Decimal("0.1"), "MX", base_asset=BASE)
    assert figures(state) == (0, 0, 0)
    assert state.fees == {"MX": Decimal("0.1")}


def test_the_state_before_is_not_touched():
    before = after(PositionState(), Side.BUY, "1", "100")
    before.after(Side.SELL, Decimal(1), Decimal(120), Decimal(1), "USDT", base_asset=BASE)
    assert figures(before) == (1, 100, 0)
    assert before.fees == {}


@pytest.mark.parametrize(
    ("position", "side", "quantity", "answer"),
    [
        ("2", Side.SELL, "1", True),
        ("2", Side.SELL, "2", True),
        ("2", Side.SELL, "2.000000000000000001", False),
        ("2", Side.BUY, "1", False),
        ("-2", Side.BUY, "2", True),
        ("-2", Side.BUY, "3", False),
        ("-2", Side.SELL, "1", False),
        ("0", Side.SELL, "1", False),
        ("0", Side.BUY, "1", False),
        (
            "12345678901234567890.123456789012345678",
            Side.SELL,
            "12345678901234567890.123456789012345679",
            False,
        ),
    ],
)
def test_an_order_shrinks_only_if_it_cannot_pass_zero(position, side, quantity, answer):
    assert shrinks(Decimal(position), side, Decimal(quantity)) is answer
