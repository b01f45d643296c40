"""Order requests: shape errors are caught at the door, with the field and the remedy."""

from decimal import Decimal

import pytest

from trading.domain.enums import OrderType, Side, TimeInForce
from trading.domain.errors import InvalidInput
from trading.domain.order_request import OrderRequest

ONE = Decimal(1)


def a_request(**changes) -> OrderRequest:
    shape = {
        "symbol": "BTC/USDT",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": ONE,
        "price": Decimal(100),
    }
    return OrderRequest(**(shape | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"order_type": OrderType.LIMIT_MAKER},
        {"order_type": OrderType.MARKET, "price": None},
        {"order_type": OrderType.MARKET, "price": None, "quantity": None, "quote_quantity": ONE},
        {"time_in_force": TimeInForce.IOC},
        {"time_in_force": TimeInForce.FOK},
        {"last_price": Decimal("99.5"), "reduce_only": True},
    ],
)
def test_well_formed_requests_are_taken(changes):
    assert a_request(**changes).symbol == "BTC/USDT"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": None}, "quantity"),
        ({"order_type": OrderType.MARKET, "price": None, "quote_quantity": ONE}, "quantity"),
        ({"quantity": None, "quote_quantity": ONE}, "quote_quantity"),
        ({"price": None}, "price"),
        ({"order_type": OrderType.LIMIT_MAKER, "price": None}, "price"),
        ({"order_type": OrderType.MARKET}, "price"),
        ({"order_type": OrderType.MARKET, "price": None, "time_in_force": TimeInForce.IOC}, "time_in_force"),
        ({"order_type": OrderType.LIMIT_MAKER, "time_in_force": TimeInForce.FOK}, "time_in_force"),
    ],
)
def test_a_shape_that_makes_no_order_is_refused_with_field_and_remedy(changes, field):
    with pytest.raises(InvalidInput) as refused:
        a_request(**changes)
    assert refused.value.context["field"] == field
    assert refused.value.remedy


@pytest.mark.parametrize("bad", ["0", "-1", "NaN", "Infinity", "1e400", "0.0000000000000000001"])
@pytest.mark.parametrize("field", ["quantity", "price", "last_price"])
def test_numbers_that_are_not_positive_and_exact_are_refused(field, bad):
    with pytest.raises(InvalidInput) as refused:
        a_request(**{field: Decimal(bad)})
    assert refused.value.context["field"] == field


def test_a_float_is_refused():
    with pytest.raises(InvalidInput, match="not a float"):
        a_request(quantity=0.1)


def test_a_bad_quote_quantity_is_refused():
    with pytest.raises(InvalidInput) as refused:
        a_request(order_type=OrderType.MARKET, price=None, quantity=None, quote_quantity=Decimal(-5))
    assert refused.value.context["field"] == "quote_quantity"


def test_a_request_is_frozen():
    with pytest.raises(AttributeError):
        a_request().quantity = Decimal(2)
