"""What a venue answers is read strictly, and an error names its field."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading.domain.errors import MalformedAnswer
from trading.exchanges import strict_json as reading


def test_numbers_with_a_point_become_decimals() -> None:
    value = reading.load_json(b'{"fee": 0.003000000000000000, "zero": 0E-18, "id": 12345678901234567890}')
    assert value["fee"] == Decimal("0.003")
    assert isinstance(value["zero"], Decimal)
    assert value["id"] == 12345678901234567890


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b'{"a": 1',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'\xff\xfe{"a": 1}',
        b"[" * 200_000,
        b"1" * 5000,
        b"1e99999999999999999999",
    ],
)
def test_what_is_no_plain_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        reading.load_json(body)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with contextlib.suppress(MalformedAnswer):
        reading.load_json(body)


READERS = (
    reading.read_text,
    reading.read_id,
    reading.read_bool,
    reading.read_int,
    reading.read_decimal,
    reading.read_quantity,
    reading.read_rounded,
    reading.read_time,
    reading.find_text,
    reading.find_quantity,
    reading.find_time,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(READERS), json_values)
@example(reading.find_time, Decimal("sNaN"))
def test_a_wrong_value_names_its_field(read, value) -> None:
    try:
        read({"fieldX": value}, "fieldX")
    except MalformedAnswer as error:
        assert "fieldX" in error.message


@pytest.mark.parametrize("value", [None, True, [], {}, "", "1,5", "NaN", "-1", "1e400", "0x1"])
def test_a_quantity_is_a_number_that_is_not_negative(value: object) -> None:
    with pytest.raises(MalformedAnswer, match="qty"):
        reading.read_quantity({"qty": value}, "qty")


def test_a_fee_with_too_many_decimals_is_rounded_not_refused() -> None:
    assert reading.read_rounded({"fee": "0.0003998377369698171"}, "fee") == Decimal("0.000399837736969817")
    assert str(reading.read_rounded({"fee": "100.000"}, "fee")) == "100"


def test_an_id_is_opaque() -> None:
    assert reading.read_id({"id": "C02__385413065019117569043"}, "id") == "C02__385413065019117569043"
    assert reading.read_id({"id": 505979017439002624}, "id") == "505979017439002624"


def test_a_time_is_milliseconds_and_nothing_else() -> None:
    found = reading.read_time({"t": 1707671871001}, "t")
    assert found == datetime(2024, 2, 11, 17, 17, 51, 1000, tzinfo=UTC)
    for wrong in (0, 1707671871, 1707671871000000, True, "x"):
        with pytest.raises(MalformedAnswer):
            reading.read_time({"t": wrong}, "t")
