"""Rules about what the account holds and may come to hold."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.risk.samples import (
    LIMITS,
    ORDER,
    check,
    codes,
    facts,
    facts_with_limits,
    facts_with_price,
    holding,
    limit_order,
    market_order,
    quote_order,
)
from trading.domain.denials import DenialCode
from trading.domain.enums import Side
from trading.risk import SymbolExposure

NOT_NUMBERS = [Decimal("NaN"), Decimal("Infinity"), Decimal("-1e400")]


def free(**balances: str):
    return facts(free_balances={asset: Decimal(balance) for asset, balance in balances.items()})


@pytest.mark.parametrize(
    ("order", "asset", "needed"),
    [
        # 100 and the taker fee of 0.1 percent
        (limit_order(), "USDT", "100.1"),
        # at the best ask of 101, one percent worse, and the fee
        (market_order(), "USDT", "102.11201"),
        (quote_order(quote_quantity="100"), "USDT", "100.1"),
        (limit_order(Side.SELL), "BTC", "1"),
        (market_order(Side.SELL), "BTC", "1"),
        # one coin by the last price; one percent more, because the price may fall
        (quote_order(Side.SELL, quote_quantity="100"), "BTC", "1.01"),
    ],
)
def test_the_free_balance_must_cover_the_order(order, asset, needed):
    exactly = check("free_balance", order, free(**{asset: needed}))
    assert (exactly.passed, exactly.observed, exactly.limit) == (True, needed, needed)
    assert (exactly.note, exactly.age_seconds) == (f"{asset} needed against free", "2")
    less = str(Decimal(needed) - Decimal("1e-18"))
    short = check("free_balance", order, free(**{asset: less}))
    assert (short.passed, short.code) == (False, DenialCode.INSUFFICIENT_BALANCE)
    assert (short.denial.observed, short.denial.limit) == (needed, less)


def test_a_market_buy_is_priced_at_the_last_price_where_it_is_worse_or_alone():
    for ask in (None, Decimal(90)):
        answer = check("free_balance", market_order(), facts_with_price(ask=ask))
        assert answer.observed == "101.101"


def test_an_asset_that_a_known_account_does_not_list_is_not_there():
    answer = check("free_balance", ORDER, free(BTC="5"))
    assert (answer.passed, answer.code) == (False, DenialCode.INSUFFICIENT_BALANCE)
    assert answer.limit == "0"


def test_what_is_reserved_already_may_make_the_free_balance_negative():
    answer = check("free_balance", ORDER, free(USDT="-3"))
    assert (answer.passed, answer.limit) == (False, "-3")


def test_a_rebate_is_not_counted_before_it_is_paid():
    answer = check("free_balance", ORDER, facts(taker_fee_rate=Decimal("-0.01")))
    assert answer.observed == "100"


@pytest.mark.parametrize(
    "unknown",
    [
        {"free_balances": None},
        {"balance_age_seconds": None},
        {"balance_age_seconds": Decimal("60.1")},
        {"balance_age_seconds": Decimal(-61)},
        {"balance_age_seconds": Decimal("NaN")},
        {"free_balances": {"USDT": Decimal("NaN")}},
        {"free_balances": {"USDT": Decimal("Infinity")}},
        {"free_balances": {"USDT": None}},
        {"taker_fee_rate": Decimal("NaN")},
    ],
)
def test_unknown_or_old_balances_deny(unknown):
    assert codes(ORDER, facts(**unknown)) == {"balance_unknown"}


def test_balances_may_be_as_old_as_the_limit():
    assert check("free_balance", ORDER, facts(balance_age_seconds=Decimal(60))).passed
    old = check("free_balance", ORDER, facts(balance_age_seconds=Decimal("60.5")))
    assert (old.observed, old.limit, old.age_seconds) == ("60.5", "60", "60.5")


def test_the_symbol_exposure_counts_position_pending_and_this_order():
    given = holding("60", pending_buy="19", others_exposure=Decimal(0))
    at_limit = check("symbol_exposure", limit_order(quantity="1"), given)
    assert (at_limit.passed, at_limit.observed, at_limit.limit) == (True, "8000", "8000")
    above = check("symbol_exposure", limit_order(quantity="1.001"), given)
    assert (above.passed, above.code) == (False, DenialCode.EXPOSURE_SYMBOL)
    assert (above.observed, above.limit) == ("8000.1", "8000")


def test_exposure_is_counted_in_the_reporting_currency():
    answer = check("symbol_exposure", limit_order(quantity="50"), facts(quote_rate=Decimal(2)))
    assert (answer.passed, answer.observed, answer.note) == (False, "10000", "in the reporting currency")


def test_a_short_position_counts_like_a_long_one():
    answer = check("symbol_exposure", limit_order(Side.SELL, quantity="1"), holding("-60", pending_sell="20"))
    assert (answer.passed, answer.observed) == (False, "8100")


def test_the_total_exposure_counts_the_other_symbols_too():
    given = facts(others_exposure=Decimal(8900))
    assert check("total_exposure", limit_order(quantity="1"), given).observed == "9000"
    above = check("total_exposure", limit_order(quantity="1.001"), given)
    assert (above.passed, above.code) == (False, DenialCode.EXPOSURE_TOTAL)
    assert (above.observed, above.limit) == ("9000.1", "9000")


@pytest.mark.parametrize("rule", ["symbol_exposure", "total_exposure"])
@pytest.mark.parametrize(
    ("order", "given"),
    [
        (limit_order(Side.SELL, quantity="5"), holding("500")),
        (limit_order(Side.SELL, quantity="500"), holding("500")),
        (limit_order(Side.SELL, quantity="100"), holding("500", pending_sell="400")),
        (limit_order(Side.BUY, quantity="100"), holding("-500", pending_buy="400")),
        (market_order(Side.SELL, quantity="5"), holding("500", pending_buy="50")),
    ],
)
def test_an_order_that_adds_nothing_passes_above_the_limit(rule, order, given):
    given = replace(given, others_exposure=Decimal(10**6), quote_rate=None)
    answer = check(rule, order, given)
    assert answer.passed
    assert answer.note == "not applicable: the order adds nothing to the largest possible position"


def test_an_order_that_adds_is_denied_above_the_limit_however_small():
    assert codes(limit_order(quantity="0.1"), holding("500")) == {"exposure_symbol", "exposure_total"}


@pytest.mark.parametrize("others", [None, *NOT_NUMBERS, Decimal(-1)])
def test_unknown_exposure_of_the_others_denies_what_adds(others):
    assert codes(ORDER, facts(others_exposure=others)) == {"exposure_unknown"}
    shrinking = replace(holding("10"), others_exposure=others)
    assert codes(limit_order(Side.SELL), shrinking) == set()


@pytest.mark.parametrize("field", ["position", "pending_buy", "pending_sell"])
@pytest.mark.parametrize("bad", [None, *NOT_NUMBERS])
def test_unknown_exposure_of_the_symbol_denies(field, bad):
    exposure = replace(SymbolExposure(Decimal(0), Decimal(0), Decimal(0)), **{field: bad})
    assert codes(ORDER, facts(symbol_exposure=exposure)) == {"exposure_unknown"}


def test_pending_orders_never_count_as_less_than_nothing():
    assert codes(ORDER, holding("0", pending_buy="-5")) == {"exposure_unknown"}
    assert codes(ORDER, holding("0", pending_sell="-5")) == {"exposure_unknown"}


def test_one_position_more_than_allowed_is_denied():
    two = facts(open_positions=frozenset({"A/USDT", "B/USDT"}))
    third = check("concurrent_positions", ORDER, two)
    assert (third.passed, third.observed, third.limit) == (True, "3", "3")
    three = facts(open_positions=frozenset({"A/USDT", "B/USDT", "C/USDT"}))
    fourth = check("concurrent_positions", ORDER, three)
    assert (fourth.passed, fourth.code) == (False, DenialCode.MAX_CONCURRENT_POSITIONS)
    assert (fourth.observed, fourth.limit) == ("4", "3")


def test_a_position_that_is_open_already_may_grow_at_the_limit_of_positions():
    full = facts(open_positions=frozenset({"A/USDT", "B/USDT", "C/USDT", "BTC/USDT"}))
    answer = check("concurrent_positions", ORDER, full)
    assert (answer.passed, answer.observed, answer.limit) == (True, "4", "3")


def test_closing_never_counts_as_a_new_position():
    full = replace(holding("10"), open_positions=frozenset({"A/USDT", "B/USDT", "C/USDT"}))
    assert check("concurrent_positions", limit_order(Side.SELL), full).passed
    assert not check("concurrent_positions", limit_order(Side.SELL, quantity="10.001"), full).passed


@pytest.mark.parametrize(
    ("order", "given", "passes", "room"),
    [
        (limit_order(Side.SELL, quantity="10"), holding("10"), True, "10"),
        (limit_order(Side.SELL, quantity="10.001"), holding("10"), False, "10"),
        (limit_order(Side.SELL, quantity="6"), holding("10", pending_sell="4"), True, "6"),
        (limit_order(Side.SELL, quantity="6.001"), holding("10", pending_sell="4"), False, "6"),
        (limit_order(Side.SELL, quantity="10"), holding("10", pending_buy="4"), True, "10"),
        (limit_order(Side.BUY, quantity="10"), holding("-10"), True, "10"),
        (limit_order(Side.BUY, quantity="1"), holding("-10", pending_buy="10"), False, "0"),
        (limit_order(Side.BUY, quantity="1"), holding("10"), False, "0"),
        (limit_order(Side.SELL, quantity="1"), holding("0"), False, "0"),
        (limit_order(Side.SELL, quantity="1"), holding("10", pending_sell="12"), False, "0"),
    ],
)
def test_a_reduce_only_order_never_opens(order, given, passes, room):
    answer = check("reduce_only", replace(order, reduce_only=True), given)
    assert (answer.passed, answer.code) == (passes, DenialCode.REDUCE_ONLY_WOULD_OPEN)
    assert (answer.observed, answer.limit) == (str(order.quantity), room)
    assert answer.note.startswith("position ")


def test_a_reduce_only_quote_order_leaves_room_for_a_falling_price():
    order = quote_order(Side.SELL, quote_quantity="1000", reduce_only=True)
    assert not check("reduce_only", order, holding("10")).passed
    assert check("reduce_only", order, holding("10.1")).passed


def test_an_ordinary_order_may_open():
    assert check("reduce_only").note == "not applicable: not a reduce-only order"


def test_limits_that_are_not_set_do_not_apply():
    names = ("exposure_limit_symbol", "exposure_limit_total", "max_concurrent_positions")
    given = replace(
        facts(others_exposure=None, quote_rate=None), limits=replace(LIMITS, **dict.fromkeys(names))
    )
    for rule in ("symbol_exposure", "total_exposure", "concurrent_positions"):
        answer = check(rule, ORDER, given)
        assert (answer.passed, answer.note) == (True, "not applicable: not set")


@pytest.mark.parametrize("limit", ["exposure_limit_symbol", "exposure_limit_total"])
def test_a_limit_of_zero_lets_nothing_in_and_everything_out(limit):
    zero = {limit: Decimal(0)}
    assert codes(ORDER, facts_with_limits(**zero)) == {limit.replace("_limit", "")}
    out = replace(holding("10"), limits=replace(LIMITS, **zero))
    assert codes(limit_order(Side.SELL), out) == set()


@pytest.mark.parametrize(
    "limit", ["exposure_limit_symbol", "exposure_limit_total", "max_balance_age_seconds"]
)
def test_a_limit_that_is_no_number_denies(limit):
    assert codes(ORDER, facts_with_limits(**{limit: Decimal("NaN")})) == {"limits_missing"}
