"""The Python interface as printed, and what it promises beyond the two lists of the documents."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.paper_trading import TESTER, open_paper_account
from tests.sdk_trading import SdkWorld, run, sdk_world
from trading.domain.errors import ConfigurationError, InvalidInput, UnknownName, VenueUnavailable
from trading.execution import sweep
from trading.execution.limit_changes import change_limits
from trading.models import AuditEntry, ExchangeAccount, LimitsVersion, Order
from trading.queries.halts import read_status
from trading.queries.limits import limits_in_force
from trading.sdk import MexcOrders, Portfolio, RiskManager

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture
def world(transactional_db, simulated_venue, monkeypatch) -> Iterator[SdkWorld]:
    monkeypatch.setattr(sweep, "LAST_ACCEPTANCE", timedelta(0))
    with sdk_world(simulated_venue) as made:
        yield made


def read_snippets() -> list[str]:
    section = (REPO / "docs" / "api.md").read_text(encoding="utf-8").split("\n## Python interface\n")[1]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_the_snippet_runs_as_printed_in_a_script(world, tmp_path):
    setup, snippet = read_snippets()
    body = (
        snippet.replace("http://127.0.0.1:9100/mexc", world.venue.base_url)
        + "print(order, result, sep='\\n')\n"
    )
    script = tmp_path / "script.py"
    script.write_text(
        f"{setup}\nimport asyncio\nasync def main():\n{textwrap.indent(body, '    ')}\nasyncio.run(main())\n"
    )
    keys = {"MEXC_KEY": world.venue.key, "MEXC_SECRET": world.venue.secret}
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, **keys, "PYTHONPATH": str(REPO), "REDIS_URL": "redis://127.0.0.1:1/0"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    filled = [order for order in world.venue.orders() if order["status"] == "FILLED"]
    assert len(filled) == 2
    assert "'ok': True" in done.stdout
    assert read_status()["kill_switch"] is True


def test_the_portfolio_shows_what_the_venue_shows(world):
    run(world.broker().place_order("BTC/USDT", "BUY", 0.01))
    portfolio = Portfolio()
    run(portfolio.refresh())
    held = world.venue.balances()
    assert portfolio.get_balance("USDT") == Decimal(held["USDT"]["total"])
    assert portfolio.get_balance("BTC") == Decimal(held["BTC"]["total"])
    assert portfolio.get_position("BTC/USDT").qty == Decimal("0.01")
    assert portfolio.exposure_notional("BTC/USDT", last_price=50_000) == 500
    assert portfolio.get_balance("NONE") == 0
    assert portfolio.get_position("ETH/USDT").quantity == 0


def test_a_float_means_the_number_that_is_read(world):
    order = run(world.broker().place_order("BTC/USDT", "BUY", 0.1 + 0.2 - 0.29))  # 0.010000000000000009
    assert order["quantity"] == Decimal("0.01")
    assert world.venue.orders()[0]["quantity"] == "0.01"


@pytest.mark.parametrize("quantity", [0, -0.01, float("nan"), float("inf"), "1e400", True, "much"])
def test_a_quantity_that_is_none_is_refused(world, quantity):
    ledger = world.ledger()
    with pytest.raises(InvalidInput):
        run(world.broker().place_order("BTC/USDT", "BUY", quantity))
    with pytest.raises(InvalidInput):
        run(world.executor().execute_signal("BTC/USDT", "BUY", quantity, 50_000))
    assert world.ledger() == ledger
    assert not Order.objects.exists()


def test_wrong_names_are_refused(world):
    executor = world.executor()
    ledger = world.ledger()
    with pytest.raises(UnknownName):
        run(executor.execute_signal("NO/SUCH", "BUY", 0.01, 50_000))
    with pytest.raises(InvalidInput):
        run(executor.execute_signal("BTC/USDT", "long", 0.01, 50_000))
    with pytest.raises(InvalidInput):
        run(executor.broker.place_order("BTC/USDT", "BUY", 0.01, colour="red"))
    with pytest.raises(InvalidInput):
        RiskManager(base_equity=1, no_such_limit=2)
    assert world.ledger() == ledger


def test_many_at_once_with_the_same_parameters_are_one_order(world):
    async def rush() -> list[dict]:
        return await asyncio.gather(*(world.broker().place_order("BTC/USDT", "BUY", 0.01) for _ in range(8)))

    answers = run(rush())
    assert len({answer["clientOrderId"] for answer in answers}) == 1
    assert len(world.venue.orders()) == 1


def test_a_lost_answer_leads_to_one_order_and_the_truth(world):
    broker = world.broker()
    world.venue.faults(
        [{"match": {"path": "/api/v3/order", "method": "POST"}, "kind": "drop_after", "count": 1}]
    )
    first = run(broker.place_order("BTC/USDT", "BUY", 0.01, wait_seconds=15))
    again = run(broker.place_order("BTC/USDT", "BUY", 0.01, wait_seconds=15))
    assert again["clientOrderId"] == first["clientOrderId"]
    assert again["status"] == "filled"
    assert len(world.venue.orders()) == 1


def test_a_denied_order_may_be_tried_again_and_a_sent_one_is_not(world):
    broker = world.broker()
    change_limits({"max_order_notional": "100"}, reason="tests", actor=TESTER)
    denied = run(broker.place_order("BTC/USDT", "BUY", 0.01))
    change_limits({"max_order_notional": "1000"}, reason="tests", actor=TESTER)
    filled = run(broker.place_order("BTC/USDT", "BUY", 0.01))
    again = run(broker.place_order("BTC/USDT", "BUY", 0.01))
    assert (denied["status"], filled["status"]) == ("denied", "filled")
    assert again == filled
    assert len(world.venue.orders()) == 1


def test_limits_are_tightened_and_never_loosened(world):
    change_limits({"max_open_orders": 10, "kill_threshold_usd": "5000"}, reason="tests", actor=TESTER)
    executor = world.executor(kill_threshold_usd=9_000, max_open_orders=5, max_order_notional=10_000_000)
    run(executor.execute_signal("BTC/USDT", "BUY", 0.01, 50_000))
    limits = limits_in_force()
    assert limits is not None
    assert (limits.max_open_orders, limits.kill_threshold_usd) == (5, 5000)
    assert limits.max_order_notional == 100_000
    versions = LimitsVersion.objects.count()
    run(executor.execute_signal("BTC/USDT", "BUY", 0.01, 50_000, ts=2))
    assert LimitsVersion.objects.count() == versions


def test_the_loss_is_held_against_the_base_equity_too(world):
    executor = world.executor(base_equity=10_000, max_daily_loss_pct=3)
    assert run(executor.execute_signal("BTC/USDT", "BUY", 0.1, 50_000))["ok"]
    ledger = world.ledger()
    world.venue.set_price(
        "BTCUSDT", "46000"
    )  # 400 lost: less than 3 % of the account, more than 3 % of 10000
    ExchangeAccount.objects.update(synced_at=None)
    result = run(executor.execute_signal("BTC/USDT", "BUY", 0.01, 46_000))
    assert result["reason"] == "global_stop"
    assert read_status()["kill_switch"] is True
    assert world.ledger() == ledger


def test_a_halt_of_somebody_else_blocks_too_and_a_release_lets_pass(world):
    executor = world.executor()
    run(executor.portfolio.refresh())
    executor.engage_kill_switch("drill")
    ledger = world.ledger()
    assert run(executor.execute_signal("BTC/USDT", "BUY", 0.01, 50_000))["reason"] == "kill_switch"
    assert world.ledger() == ledger
    executor.release_kill_switch("drill is over")
    assert run(executor.execute_signal("BTC/USDT", "BUY", 0.01, 50_000))["ok"]


def test_the_kill_switch_can_be_pressed_inside_a_coroutine(world):
    executor = world.executor()

    async def press() -> bool:
        executor.engage_kill_switch(reason="manual")
        return executor.kill_switch

    assert run(press()) is True


def test_an_account_that_has_this_key_is_used_and_not_doubled(world):
    known = open_paper_account(world.venue)
    run(world.broker(rate_limit_rps=3).place_order("BTC/USDT", "BUY", 0.01))
    assert Order.objects.get().account == known
    assert ExchangeAccount.objects.get().rate_limit_rps == 3


def test_the_key_is_stored_sealed_and_shown_nowhere(world):
    broker = world.broker()
    run(broker.place_order("BTC/USDT", "BUY", 0.01))
    account = ExchangeAccount.objects.get()
    assert world.venue.secret.encode() not in bytes(account.credential.sealed_secret)
    assert world.venue.secret not in repr(broker)
    assert not AuditEntry.objects.filter(data__icontains=world.venue.secret).exists()


@pytest.mark.parametrize(
    "address", ["https://api.mexc.com", "https://testnet-api.mexc.com", "http://10.0.0.1/mexc"]
)
def test_an_address_that_does_not_fit_the_mode_is_refused_before_the_key_is_used(world, address):
    broker = MexcOrders(key=world.venue.key, secret=world.venue.secret, base_url=address)
    with pytest.raises(ConfigurationError):
        run(broker.place_order("BTC/USDT", "BUY", 0.01))
    assert not ExchangeAccount.objects.exists()


def test_a_venue_that_is_away_is_said_and_nothing_is_guessed(world):
    broker = world.broker()
    run(broker.place_order("BTC/USDT", "BUY", 0.01))
    ledger = world.ledger()
    ExchangeAccount.objects.update(synced_at=None)
    world.venue.faults([{"match": {"path": "/api/v3/account"}, "kind": "http_status", "status": 500}])
    with pytest.raises(VenueUnavailable):
        run(broker.place_order("BTC/USDT", "BUY", 0.02))
    assert world.ledger() == ledger
