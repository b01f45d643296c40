"""Exact money: what the door refuses, and what rounding may never do."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.enums import Side
from trading.domain.errors import InvalidMoney
from trading.domain.money import (
    MAX_DECIMALS,
    divide,
    exact,
    exact_arithmetic,
    multiply,
    notional,
    plain,
    positive,
    round_to_lot,
    round_to_tick,
)

# Everything a NUMERIC(38, 18) column can hold, and steps as venues state them.
column_numbers = st.integers(-(10**38) + 1, 10**38 - 1).map(lambda units: Decimal(f"{units}e-18"))
positive_numbers = st.integers(1, 10**38 - 1).map(lambda units: Decimal(f"{units}e-18"))
steps = st.one_of(
    st.integers(-18, 6).map(lambda exponent: Decimal(1).scaleb(exponent)),
    st.integers(1, 10**20).map(lambda units: Decimal(f"{units}e-18")),
)


@pytest.mark.parametrize(
    ("given_value", "number"),
    [
        ("1", "1"),
        ("0.01", "0.01"),
        (" 2.50 ", "2.50"),
        ("+3", "3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e-7", "0.0000001"),
        ("2E3", "2000"),
        (7, "7"),
        (Decimal("1.5"), "1.5"),
        ("-4", "-4"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ("1.000000000000000000000000", "1"),
    ],
)
def test_exact_takes_plain_numbers(given_value, number):
    assert exact(given_value) == Decimal(number)


@pytest.mark.parametrize(
    "bad",
    [
        0.1,
        1.0,
        float("nan"),
        True,
        None,
        b"1",
        [],
        "",
        " ",
        "abc",
        "1,5",
        "1_000",
        "٣",
        "0x10",
        "NaN",
        "sNaN",
        "nan123",
        "Infinity",
        "-inf",
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        "1e400",
        "-1e400",
        "1e-400",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "1e20",
        10**20,
        10**4000,
        "0.1234567890123456789",
        "1" * 65,
    ],
)
def test_exact_refuses_what_is_not_an_exact_finite_number_and_names_the_field(bad):
    with pytest.raises(InvalidMoney) as refused:
        exact(bad, field="price")
    assert "price" in refused.value.message
    assert refused.value.context["field"] == "price"
    assert refused.value.remedy


@pytest.mark.parametrize("zero", ["0", "-0", "0.000", "0e400", "0e-400", Decimal("0E+999")])
def test_every_zero_is_the_same_zero(zero):
    assert str(exact(zero)) == "0"


@given(st.floats())
def test_no_float_ever_passes(number):
    with pytest.raises(InvalidMoney):
        exact(number)


@given(st.text(max_size=70))
def test_any_text_becomes_a_finite_number_or_an_error(text):
    try:
        number = exact(text)
    except InvalidMoney:
        return
    assert number.is_finite()
    assert abs(number) < Decimal("1e20")
    assert number == number.quantize(Decimal("1e-18"), context=_wide())


@given(column_numbers)
def test_plain_text_reads_back_as_the_same_number(number):
    text = plain(number)
    assert "E" not in text.upper()
    assert exact(text) == number
    assert plain(exact(text)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, ""),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.500"), "1.5"),
        (Decimal("100"), "100"),
        (Decimal("-0.00"), "0"),
        (Decimal("0E-18"), "0"),
    ],
)
def test_plain_text_has_no_exponent_and_no_trailing_zeros(number, text):
    assert plain(number) == text


@pytest.mark.parametrize("bad", ["0", "-1", "-0"])
def test_positive_refuses_zero_and_less(bad):
    with pytest.raises(InvalidMoney, match="quantity must be greater than zero"):
        positive(bad, field="quantity")


@given(positive_numbers, steps)
def test_rounding_to_lots_never_exceeds_what_was_asked(quantity, lot):
    rounded = round_to_lot(quantity, lot)
    with exact_arithmetic():
        assert 0 <= rounded <= quantity
        assert quantity - rounded < lot
        assert rounded % lot == 0
    assert round_to_lot(rounded, lot) == rounded


@given(positive_numbers, steps, st.sampled_from(Side))
def test_rounding_to_ticks_is_always_in_favour_of_the_asker(price, tick, side):
    rounded = round_to_tick(price, tick, side)
    with exact_arithmetic():
        distance = (price - rounded) * side.sign
        assert 0 <= distance < tick
        assert rounded % tick == 0


def test_a_step_of_zero_rounds_nothing():
    assert round_to_lot(Decimal("1.23"), Decimal(0)) == Decimal("1.23")
    assert round_to_tick(Decimal("1.23"), Decimal(0), Side.BUY) == Decimal("1.23")


def test_a_quantity_below_one_lot_rounds_to_nothing():
    assert round_to_lot(Decimal("0.0099"), Decimal("0.01")) == 0


@given(column_numbers, column_numbers)
def test_a_product_is_exact_to_the_last_decimal_of_a_column(left, right):
    with exact_arithmetic():
        error = abs(multiply(left, right) - left * right)
    assert error <= Decimal("0.5e-18")


@given(column_numbers, positive_numbers)
def test_a_quotient_is_exact_to_the_last_decimal_of_a_column(numerator, denominator):
    result = divide(numerator, denominator)
    assert result.as_tuple().exponent >= -MAX_DECIMALS
    with exact_arithmetic():
        assert abs(result - numerator / denominator) <= Decimal("0.500001e-18")


def test_notional_is_quantity_times_price():
    assert notional(Decimal("0.1"), Decimal("0.2")) == Decimal("0.02")


@given(column_numbers, column_numbers)
def test_sums_in_exact_arithmetic_lose_no_digit(left, right):
    with exact_arithmetic():
        assert (left + right) - right == left


def _wide():
    with exact_arithmetic() as context:
        return context.copy()
