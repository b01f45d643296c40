"""The table of every key that config/app.yaml may hold: how it is read, and what range makes sense.

A reader takes the raw YAML value and returns the typed one or raises ValueError with the expectation in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from levi_site.env import MODES
from trading.domain.money import DOLLARS
from trading.risk.triggers import TRIGGER_TABLE

SYMBOL = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}")
Reader = Callable[[Any], Any]
REQUIRED = object()


def decimal_between(low: str, high: str) -> Reader:
    def read(raw: Any) -> Decimal:
        if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
            raise ValueError(f"a number from {low} to {high} (without quotes)")
        number = Decimal(raw)
        if not number.is_finite() or not Decimal(low) <= number <= Decimal(high):
            raise ValueError(f"a number from {low} to {high}")
        return number

    return read


def integer_between(low: int, high: int) -> Reader:
    def read(raw: Any) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not low <= raw <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return raw

    return read


def zero_or_between(low: int, high: int) -> Reader:
    """0 means off."""
    inner = integer_between(low, high)

    def read(raw: Any) -> int:
        if raw == 0 and not isinstance(raw, bool):
            return 0
        try:
            return int(inner(raw))
        except ValueError:
            raise ValueError(f"0 (off) or a whole number from {low} to {high}") from None

    return read


def read_mode(raw: Any) -> str:
    if raw not in MODES:
        raise ValueError("one of " + ", ".join(MODES))
    return str(raw)


def read_symbols(raw: Any) -> tuple[str, ...]:
    expectation = "a list of symbols such as [BTC/USDT, ETH/USDT], each once"
    if not isinstance(raw, list) or not raw or len(raw) != len(set(map(str, raw))):
        raise ValueError(expectation)
    if not all(isinstance(symbol, str) and SYMBOL.fullmatch(symbol) for symbol in raw):
        raise ValueError(expectation)
    return tuple(raw)


def read_flag(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError("true or false")
    return raw


def read_url(raw: Any) -> str:
    if not isinstance(raw, str) or not raw:
        raise ValueError("a URL such as https://api.mexc.com")
    return raw.rstrip("/")


def read_thresholds(raw: Any) -> Mapping[str, Decimal | None]:
    """Thresholds of automatic halts by name; `off` switches one off."""
    own = [rule.name for rule in TRIGGER_TABLE if rule.threshold is not None]
    expectation = f"a mapping such as {{denial_storm: 1000, breaks: off}} of these: {', '.join(own)}"
    if not isinstance(raw, dict) or not set(raw) <= set(own):
        raise ValueError(expectation)
    found: dict[str, Decimal | None] = {}
    for name, value in raw.items():
        if value in (False, "off"):  # YAML reads a bare off as false
            found[name] = None
        elif isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value < 10**9:
            raise ValueError(expectation)
        else:
            found[name] = Decimal(value)
    return MappingProxyType(found)


def read_dollar(raw: Any) -> str:
    if not isinstance(raw, str) or raw not in DOLLARS:
        raise ValueError(f"a dollar, as the limits are: one of {', '.join(sorted(DOLLARS))}")
    return raw


def read_time_zone(raw: Any) -> str:
    try:
        ZoneInfo(str(raw))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("a time zone such as UTC or Europe/Berlin") from None
    return str(raw)


MONEY = decimal_between("0.01", "1000000000")
PERCENT = decimal_between("0.01", "100")

LIVE_FIELDS: dict[str, tuple[Reader, Any]] = {
    "mode": (read_mode, REQUIRED),
    "exposure_limit_usd": (MONEY, REQUIRED),
    "symbols": (read_symbols, REQUIRED),
    "order_size": (decimal_between("0.000000000000000001", "1000000000"), REQUIRED),
    "market_expiry_sec": (integer_between(1, 3600), 10),
    "limit_expiry_sec": (integer_between(1, 86_400), 60),
    "retry_backoff_ms": (integer_between(0, 60_000), 500),
    "max_retries": (integer_between(0, 5), 3),
    "drill_hours": (zero_or_between(1, 720), 0),
    "alerts_to_private_hosts": (read_flag, False),
}
EXCHANGE_FIELDS: dict[str, tuple[Reader, Any]] = {
    "base_url": (read_url, REQUIRED),
    "testnet_url": (read_url, ""),
    "rate_limit_rps": (decimal_between("0.1", "1000"), Decimal(5)),
    "timeout_sec": (integer_between(1, 15), 10),
}
RISK_FIELDS: dict[str, tuple[Reader, Any]] = {
    "kill_threshold_usd": (MONEY, REQUIRED),
    "max_daily_loss_pct": (PERCENT, REQUIRED),
    "max_concurrent_positions": (integer_between(1, 1000), REQUIRED),
    "max_order_notional_usd": (MONEY, REQUIRED),
    "max_symbol_exposure_usd": (MONEY, REQUIRED),
    "price_collar_pct": (PERCENT, REQUIRED),
    "max_price_age_sec": (integer_between(1, 3600), REQUIRED),
    "max_open_orders": (integer_between(1, 10_000), REQUIRED),
    "max_orders_per_minute": (integer_between(1, 100_000), REQUIRED),
    "duplicate_window_sec": (integer_between(0, 86_400), 0),
    # Left out: no such limit, but for the age of balances.
    "max_balance_age_sec": (integer_between(1, 3600), 60),
    "max_price_gap_pct": (PERCENT, None),
    "max_order_quantity": (decimal_between("0.000000000000000001", "1000000000000"), None),
    "max_notional_per_minute_usd": (MONEY, None),
    "max_in_doubt_notional_usd": (MONEY, None),
    "max_order_to_fill_ratio": (decimal_between("1", "1000000"), None),
    "max_repeated_executions": (integer_between(1, 1_000_000), None),
    "max_daily_loss_usd": (MONEY, None),
    "max_drawdown_pct": (PERCENT, None),
    "dead_man_sec": (zero_or_between(15, 3600), 60),
    "dead_man_cancels": (read_flag, True),
    "triggers": (read_thresholds, MappingProxyType({})),
}
TOLERANCE = decimal_between("0", "1000000000")
BOOKS_FIELDS: dict[str, tuple[Reader, Any]] = {
    "reporting_currency": (read_dollar, "USDT"),
    "day_time_zone": (read_time_zone, "UTC"),
    "day_starts_at_hour": (integer_between(0, 23), 0),
    "balance_tolerance_usd": (TOLERANCE, Decimal(1)),
    "position_tolerance_usd": (TOLERANCE, Decimal(0)),
    "order_tolerance_usd": (TOLERANCE, Decimal(0)),
    "fill_tolerance_usd": (TOLERANCE, Decimal(0)),
}
