"""How single numbers look."""

from __future__ import annotations

from decimal import Decimal

from trading.admin import cells


def test_an_average_is_shown_in_ten_digits_and_keeps_all_of_them_in_its_tooltip():
    shown = str(cells.average(Decimal("50024.867727272727272727"), "USDT"))
    assert ">50024.86773 " in shown and 'title="50024.867727272727272727"' in shown
    assert ">0.00001234567891 " in str(cells.average(Decimal("0.0000123456789123"), "USDT"))
    assert ">50000 " in str(cells.average(Decimal("50000.000000000000000000"), "USDT"))
