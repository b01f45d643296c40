"""config/app.yaml: what is accepted, and that every refusal names key, value and remedy."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from pathlib import Path

import pytest

from levi_site.config import ConfigError, load_config, parse_config
from levi_site.config_fields import REQUIRED, RISK_FIELDS
from levi_site.config_yaml import read_yaml
from levi_site.env import REPO_DIR, SettingError

SHIPPED = REPO_DIR / "config" / "app.yaml"


@pytest.fixture
def raw() -> dict:
    return deepcopy(read_yaml(SHIPPED))


def change(raw: dict, path: str, value: object) -> dict:
    *parents, last = path.split(".")
    node = raw
    for key in parents:
        node = node[key]
    node[last] = value
    return raw


def test_the_shipped_file_is_valid_and_starts_in_paper_mode() -> None:
    config = load_config(SHIPPED)
    assert config.live.mode == "paper"
    assert config.exchange["mexc"].base_url == "https://api.mexc.com"


def test_numbers_with_a_point_are_exact() -> None:
    assert load_config(SHIPPED).live.order_size == Decimal("0.002")


def test_the_environment_overrides_the_mode(raw: dict) -> None:
    assert parse_config(raw, mode_override="testnet").live.mode == "testnet"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("live.mode", "live", ["live.mode=live", "paper, testnet, production"]),
        ("live.exposure_limit_usd", "2000", ["live.exposure_limit_usd=2000", "without quotes"]),
        ("live.exposure_limit_usd", True, ["live.exposure_limit_usd=True", "a number"]),
        ("live.exposure_limit_usd", Decimal("NaN"), ["live.exposure_limit_usd=NaN", "a number from"]),
        ("live.exposure_limit_usd", Decimal("1e400"), ["live.exposure_limit_usd", "a number from"]),
        ("live.order_size", 0, ["live.order_size=0"]),
        ("live.symbols", [], ["live.symbols", "BTC/USDT"]),
        ("live.symbols", ["btcusdt"], ["live.symbols", "BTC/USDT"]),
        ("live.symbols", ["BTC/USDT", "BTC/USDT"], ["each once"]),
        ("live.max_retries", 99, ["live.max_retries=99", "from 0 to 5"]),
        ("live.exposure_limit", 5, ["live.exposure_limit=5", "unknown key", "exposure_limit_usd"]),
        ("risk.max_daily_loss_pct", -1, ["risk.max_daily_loss_pct=-1"]),
        ("risk.max_drawdown_pct", 101, ["risk.max_drawdown_pct=101", "from 0.01 to 100"]),
        ("risk.max_repeated_executions", True, ["risk.max_repeated_executions=True", "a whole number"]),
        ("risk.max_order_quantity", "1", ["risk.max_order_quantity=1", "without quotes"]),
        ("risk.max_notional_per_min", 5, ["unknown key", "did you mean max_notional_per_minute_usd?"]),
        (
            "risk.max_order_notional_usd",
            900000,
            ["max_order_notional_usd=900000", "kill_threshold_usd", "lower it"],
        ),
        ("exchange.mexc.base_url", "http://api.mexc.com", ["exchange.mexc.base_url", "only https"]),
        ("exchange.mexc.base_url", "https://api.mexc.com.evil.io", ["allow-list"]),
        ("exchange.mexc.base_url", "https://u:p@api.mexc.com", ["user or password"]),
        ("exchange.mexc.base_url", "https://169.254.169.254", ["allow-list"]),
        ("exchange.mexc.testnet_url", "https://testnet-api.mexc.com", ["does not exist", "no spot testnet"]),
        ("exchange.kraken", {"base_url": "https://x"}, ["exchange.kraken", "unknown venue", "mexc"]),
        ("backtest", {}, ["backtest", "unknown section"]),
        ("books.reporting_currency", "usdt coin", ["books.reporting_currency=usdt coin", "USDT"]),
        ("books.reporting_currency", "BTC", ["books.reporting_currency=BTC", "as the limits are", "USDT"]),
        ("books.day_time_zone", "Mars/Base", ["books.day_time_zone=Mars/Base", "Europe/Berlin"]),
        ("books.day_starts_at_hour", 24, ["books.day_starts_at_hour=24", "from 0 to 23"]),
        ("books.balance_tolerance_usd", -1, ["books.balance_tolerance_usd=-1", "a number"]),
        ("books.fill_tolerance_usd", "1", ["books.fill_tolerance_usd=1", "without quotes"]),
        ("books.tolerance_usd", 1, ["books.tolerance_usd=1", "unknown key", "fill_tolerance_usd"]),
    ],
)
def test_a_wrong_value_is_refused_with_key_value_and_remedy(raw, path, value, words) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config(change(raw, path, value))
    for word in words:
        assert word in str(refused.value)


def test_the_books_may_be_left_out(raw: dict) -> None:
    del raw["books"]
    books = parse_config(raw).books
    assert (books.reporting_currency, books.day_time_zone, books.day_starts_at_hour) == ("USDT", "UTC", 0)
    assert books.balance_tolerance_usd == 1 and books.position_tolerance_usd == 0


def test_limits_that_are_left_out_do_not_exist_but_for_the_age_of_balances(raw: dict) -> None:
    optional = [key for key, (_, default) in RISK_FIELDS.items() if default is not REQUIRED]
    for key in optional:
        raw["risk"].pop(key, None)
    risk = parse_config(raw).risk
    assert risk.max_balance_age_sec == 60
    assert {getattr(risk, key) for key in optional if RISK_FIELDS[key][1] is None} == {None}


def test_a_loopback_venue_is_for_play_only(raw: dict) -> None:
    change(raw, "exchange.mexc.base_url", "http://127.0.0.1:9100/mexc")
    assert parse_config(raw, mode_override="paper")
    with pytest.raises(ConfigError, match="loopback"):
        parse_config(raw, mode_override="production")


def test_all_mistakes_are_reported_together(raw: dict) -> None:
    del raw["risk"]["kill_threshold_usd"]
    change(raw, "live.max_retries", "many")
    with pytest.raises(ConfigError) as refused:
        parse_config(raw)
    assert "kill_threshold_usd" in str(refused.value) and "max_retries" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("live:\n  mode: paper\n mode: x\n", "line 3"),
        ("live:\n  mode: paper\n  mode: testnet\n", "stands twice"),
        ("live: !!python/object/apply:os.system ['true']\n", "line 1"),
        ("just words", "holds no sections"),
        ("", "holds no sections"),
        ("a: \xff", "not UTF-8"),
    ],
)
def test_malformed_yaml_names_the_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "app.yaml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingError, match=words):
        load_config(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"nowhere\.yaml"):
        load_config(tmp_path / "nowhere.yaml")
