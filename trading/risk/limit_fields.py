"""The risk limits as a table: what each one bounds, in which unit, which way is stricter, and where it may be set.

One row per limit. The columns of LimitsVersion, the forms, the API and the document are held to this table by tests.
A limit may be set for everything, one account, one instrument or one strategy; every one that applies must hold, so
that the most restrictive wins. Knows no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading.domain.denials import DenialCode
from trading.domain.enums import HaltScope


class Stricter(StrEnum):
    """Which way a limit tightens. No value means no limit, which is the loosest."""

    LOWER = "lower"
    HIGHER = "higher"
    FEWER = "fewer"


ALL_SCOPES = tuple(HaltScope)
ACCOUNTS = (HaltScope.EVERYTHING, HaltScope.ACCOUNT)
NOT_STRATEGIES = (*ACCOUNTS, HaltScope.INSTRUMENT)
STRATEGIES = (HaltScope.EVERYTHING, HaltScope.ACCOUNT, HaltScope.STRATEGY)


@dataclass(frozen=True, slots=True)
class LimitField:
    """`counts`: what is measured over the whole scope, so that accounts share it; else the order alone is judged.
    `per_strategy`: it is measured over the order's strategy instead, on all accounts, whatever scope it is set for."""

    name: str
    label: str
    unit: str
    meaning: str
    code: DenialCode | None
    scopes: tuple[HaltScope, ...] = ALL_SCOPES
    counts: bool = False
    per_strategy: bool = False
    stricter: Stricter = Stricter.LOWER


USD, PERCENT, SECONDS, COUNT = "USD", "%", "s", "count"

LIMIT_TABLE: tuple[LimitField, ...] = (
    LimitField(
        "max_order_notional",
        "order notional",
        USD,
        "The most one order may be worth.",
        DenialCode.MAX_ORDER_NOTIONAL,
    ),
    LimitField(
        "max_order_quantity",
        "order quantity",
        "base units",
        "The most base units one order may ask for. Best set per instrument.",
        DenialCode.MAX_ORDER_QUANTITY,
    ),
    LimitField(
        "price_collar_pct",
        "price collar",
        PERCENT,
        "How far a limit price, or the price of a signal, may be from the last price.",
        DenialCode.PRICE_COLLAR,
    ),
    LimitField(
        "max_price_gap_pct",
        "gap between price sources",
        PERCENT,
        "How far the last price may be outside of best bid and ask before neither is believed.",
        DenialCode.PRICE_SOURCES_DISAGREE,
    ),
    LimitField(
        "max_price_age_seconds", "price age", SECONDS, "An older last price denies.", DenialCode.PRICE_STALE
    ),
    LimitField(
        "max_balance_age_seconds",
        "balance age",
        SECONDS,
        "Older balances, or older books, deny.",
        DenialCode.BALANCE_UNKNOWN,
        ACCOUNTS,
    ),
    LimitField(
        "exposure_limit_symbol",
        "exposure per symbol",
        USD,
        "The most one symbol may have at risk, everything that may still fill included.",
        DenialCode.EXPOSURE_SYMBOL,
        NOT_STRATEGIES,
        counts=True,
    ),
    LimitField(
        "exposure_limit_total",
        "exposure, total",
        USD,
        "The most all symbols together may have at risk.",
        DenialCode.EXPOSURE_TOTAL,
        ACCOUNTS,
        counts=True,
    ),
    LimitField(
        "kill_threshold_usd",
        "kill threshold",
        USD,
        "Held exposure above this halts the scope by itself.",
        None,
        NOT_STRATEGIES,
    ),
    LimitField(
        "max_concurrent_positions",
        "concurrent positions",
        COUNT,
        "Positions open at the same time; an order that may open one counts.",
        DenialCode.MAX_CONCURRENT_POSITIONS,
        ACCOUNTS,
        counts=True,
    ),
    LimitField(
        "max_open_orders",
        "open orders",
        COUNT,
        "Orders approved, in flight, in doubt or open at the same time.",
        DenialCode.MAX_OPEN_ORDERS,
        counts=True,
    ),
    LimitField(
        "max_orders_per_minute",
        "orders per minute",
        COUNT,
        "Orders within sixty seconds, denied ones left out.",
        DenialCode.MAX_ORDERS_PER_MINUTE,
        counts=True,
    ),
    LimitField(
        "max_notional_per_minute",
        "notional per minute",
        USD,
        "What the orders of sixty seconds may be worth together.",
        DenialCode.MAX_NOTIONAL_PER_MINUTE,
        counts=True,
    ),
    LimitField(
        "max_order_to_fill_ratio",
        "orders per fill",
        "orders per filled order",
        "Orders of the last ten minutes for each of them that had a fill; judged from the twentieth order on.",
        DenialCode.ORDER_TO_FILL_RATIO,
        counts=True,
    ),
    LimitField(
        "max_in_doubt_notional",
        "notional in doubt",
        USD,
        "What orders with an unknown outcome may be worth together before nothing new is opened.",
        DenialCode.IN_DOUBT_NOTIONAL,
        counts=True,
    ),
    LimitField(
        "max_repeated_executions",
        "repeated executions",
        COUNT,
        "Orders of a strategy since a person last enabled it; the next one disables the strategy.",
        DenialCode.REPEATED_EXECUTIONS,
        STRATEGIES,
        per_strategy=True,
    ),
    LimitField(
        "duplicate_window_seconds",
        "duplicate window",
        SECONDS,
        "The same order again within this time is denied. 0: off.",
        DenialCode.DUPLICATE_ORDER,
        stricter=Stricter.HIGHER,
    ),
    LimitField(
        "max_daily_loss_pct",
        "daily loss",
        PERCENT,
        "Loss of the day in percent of its first equity: denies, and halts the scope.",
        DenialCode.DAILY_LOSS,
        ACCOUNTS,
        counts=True,
    ),
    LimitField(
        "max_daily_loss_usd",
        "daily loss",
        USD,
        "Loss of the day: denies, and halts the scope.",
        DenialCode.DAILY_LOSS,
        ACCOUNTS,
        counts=True,
    ),
    LimitField(
        "max_drawdown_pct",
        "drawdown",
        PERCENT,
        "Fall from the highest equity of thirty days: denies, and halts the scope.",
        DenialCode.DRAWDOWN,
        ACCOUNTS,
        counts=True,
    ),
    LimitField(
        "allowed_symbols",
        "symbols",
        "",
        "Symbols that may be traded. Empty: all.",
        DenialCode.SYMBOL_NOT_ALLOWED,
        STRATEGIES,
        stricter=Stricter.FEWER,
    ),
)

FIELDS = {field.name: field for field in LIMIT_TABLE}
# The widest scope always has these; a narrower one may leave them to it.
ALWAYS_SET = ("max_price_age_seconds", "max_balance_age_seconds", "duplicate_window_seconds")


def loosens(name: str, before: Any, after: Any) -> bool:
    """Whether `after` allows something that `before` did not. None is no limit; of a window, None and 0 are off."""
    field = FIELDS[name]
    if field.stricter is Stricter.HIGHER:
        return Decimal(after or 0) < Decimal(before or 0)
    if before is None:
        return False
    if after is None:
        return True
    if field.stricter is Stricter.FEWER:
        return not set(after) <= set(before)
    return Decimal(after) > Decimal(before)


def loosened(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names of all limits that `after` would loosen, in the table's order."""
    return [name for name in FIELDS if loosens(name, before.get(name), after.get(name))]


def stricter_of(name: str, one: Any, other: Any) -> Any:
    """The more restrictive of two values; of two sets of symbols what is in both."""
    if one is None or other is None:
        return one if other is None else other
    kind = FIELDS[name].stricter
    if kind is Stricter.FEWER:
        return [symbol for symbol in one if symbol in set(other)]
    return max(one, other) if kind is Stricter.HIGHER else min(one, other)
