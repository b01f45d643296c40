"""config/app.yaml as a frozen tree: `AppConfig(live, exchange, risk, books)`.

Everything is validated once, at start; a process with a wrong configuration does not run. All mistakes are
reported together, each with key, value and remedy. Money and rates are Decimal. Knows no Django.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from levi_site.config_fields import (
    BOOKS_FIELDS,
    EXCHANGE_FIELDS,
    LIVE_FIELDS,
    REQUIRED,
    RISK_FIELDS,
    Reader,
)
from levi_site.config_yaml import read_yaml
from levi_site.env import MODES, SettingError
from trading.exchanges.venues import ADDRESSES, explain_bad_url

SECTIONS = ("live", "exchange", "risk", "books")


@dataclass(frozen=True)
class LiveConfig:
    mode: str
    exposure_limit_usd: Decimal
    symbols: tuple[str, ...]
    order_size: Decimal
    market_expiry_sec: int
    limit_expiry_sec: int
    retry_backoff_ms: int
    max_retries: int
    drill_hours: int
    alerts_to_private_hosts: bool


@dataclass(frozen=True)
class ExchangeConfig:
    base_url: str
    testnet_url: str
    rate_limit_rps: Decimal
    timeout_sec: int


@dataclass(frozen=True)
class RiskConfig:
    kill_threshold_usd: Decimal
    max_daily_loss_pct: Decimal
    max_concurrent_positions: int
    max_order_notional_usd: Decimal
    max_symbol_exposure_usd: Decimal
    price_collar_pct: Decimal
    max_price_age_sec: int
    max_open_orders: int
    max_orders_per_minute: int
    duplicate_window_sec: int
    max_balance_age_sec: int
    max_price_gap_pct: Decimal | None
    max_order_quantity: Decimal | None
    max_notional_per_minute_usd: Decimal | None
    max_in_doubt_notional_usd: Decimal | None
    max_order_to_fill_ratio: Decimal | None
    max_repeated_executions: int | None
    max_daily_loss_usd: Decimal | None
    max_drawdown_pct: Decimal | None
    dead_man_sec: int
    dead_man_cancels: bool
    triggers: Mapping[str, Decimal | None]


@dataclass(frozen=True)
class BooksConfig:
    reporting_currency: str
    day_time_zone: str
    day_starts_at_hour: int
    balance_tolerance_usd: Decimal
    position_tolerance_usd: Decimal
    order_tolerance_usd: Decimal
    fill_tolerance_usd: Decimal


@dataclass(frozen=True)
class AppConfig:
    live: LiveConfig
    exchange: Mapping[str, ExchangeConfig]
    risk: RiskConfig
    books: BooksConfig


class ConfigError(SettingError):
    """config/app.yaml is wrong; the message lists every mistake found."""


def suggest(key: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else "known keys: " + ", ".join(known)


def read_section(
    where: str, raw: Any, fields: Mapping[str, tuple[Reader, Any]], mistakes: list[str]
) -> dict[str, Any]:
    """The typed values of one section; what is wrong goes to `mistakes`."""
    if not isinstance(raw, dict):
        mistakes.append(f"{where}: is missing or empty; copy the section from the example in config/app.yaml")
        return {}
    mistakes += [
        f"{where}.{key}={raw[key]!s}: unknown key; {suggest(str(key), fields)}"
        for key in raw
        if key not in fields
    ]
    values: dict[str, Any] = {}
    for key, (read, default) in fields.items():
        if key not in raw and default is REQUIRED:
            mistakes.append(f"{where}.{key}: is missing; add it")
            continue
        try:
            values[key] = read(raw[key]) if key in raw else default
        except ValueError as error:
            mistakes.append(f"{where}.{key}={raw[key]!s}: must be {error}")
    return values


def check_urls(venue: str, values: Mapping[str, Any], mode: str, mistakes: list[str]) -> None:
    known = ADDRESSES[venue]
    for key, hosts in (("base_url", known.production), ("testnet_url", known.testnet)):
        url = values.get(key, "")
        reason = url and explain_bad_url(url, frozenset(hosts), loopback_allowed=mode != "production")
        if reason:
            mistakes.append(f"exchange.{venue}.{key}={url}: {reason}")


def read_exchanges(raw: Any, mode: str, mistakes: list[str]) -> dict[str, ExchangeConfig]:
    if not isinstance(raw, dict) or not raw:
        mistakes.append("exchange: names no venue; add one of " + ", ".join(ADDRESSES))
        return {}
    found: dict[str, ExchangeConfig] = {}
    for venue, section in raw.items():
        if venue not in ADDRESSES:
            mistakes.append(f"exchange.{venue}: unknown venue; known: {', '.join(ADDRESSES)}")
            continue
        values = read_section(f"exchange.{venue}", section, EXCHANGE_FIELDS, mistakes)
        check_urls(venue, values, mode, mistakes)
        if len(values) == len(EXCHANGE_FIELDS):
            found[venue] = ExchangeConfig(**values)
    return found


def check_together(live: Mapping[str, Any], risk: Mapping[str, Any], mistakes: list[str]) -> None:
    """Rules that need two keys."""
    order, threshold = risk.get("max_order_notional_usd"), risk.get("kill_threshold_usd")
    if order and threshold and order > threshold:
        mistakes.append(
            f"risk.max_order_notional_usd={order}: is above risk.kill_threshold_usd={threshold}, so that one allowed "
            "order would engage the kill switch; lower it"
        )


def parse_config(raw: Mapping[str, Any], *, mode_override: str = "") -> AppConfig:
    """Pure: raw YAML data in, AppConfig out, or ConfigError with every mistake."""
    mistakes = [f"{key}: unknown section; known: {', '.join(SECTIONS)}" for key in raw if key not in SECTIONS]
    if mode_override and mode_override not in MODES:
        mistakes.append(f"LEVI_MODE={mode_override}: must be one of {', '.join(MODES)}")
    live = read_section("live", raw.get("live"), LIVE_FIELDS, mistakes)
    risk = read_section("risk", raw.get("risk"), RISK_FIELDS, mistakes)
    books = read_section("books", raw.get("books", {}), BOOKS_FIELDS, mistakes)
    mode = mode_override or live.get("mode", "production")
    exchange = read_exchanges(raw.get("exchange"), mode, mistakes)
    check_together(live, risk, mistakes)
    if mistakes:
        raise ConfigError("the configuration is wrong:\n" + "\n".join(f"  - {line}" for line in mistakes))
    return AppConfig(
        live=replace(LiveConfig(**live), mode=mode),
        exchange=MappingProxyType(exchange),
        risk=RiskConfig(**risk),
        books=BooksConfig(**books),
    )


def load_config(path: Path, *, mode_override: str = "") -> AppConfig:
    try:
        return parse_config(read_yaml(path), mode_override=mode_override)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
