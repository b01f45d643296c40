"""The documents' promises about stopping, against a real venue: what is blocked never reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.sdk_trading import SdkWorld, run, sdk_world
from trading.execution import sweep
from trading.models import ExchangeAccount, HaltChange, Order
from trading.queries.halts import read_status


@pytest.fixture
def world(transactional_db, simulated_venue, monkeypatch) -> Iterator[SdkWorld]:
    monkeypatch.setattr(
        sweep, "LAST_ACCEPTANCE", timedelta(0)
    )  # the proof of a clean sweep is not the point here
    with sdk_world(simulated_venue) as made:
        yield made


def test_manual_kill_switch_blocks_orders(world):
    executor = world.executor()
    resting = run(executor.broker.place_order("BTC/USDT", "BUY", 0.01, price=40_000))
    assert resting["status"] == "open"
    executor.engage_kill_switch(reason="manual")
    ledger = world.ledger()
    assert [order["status"] for order in ledger[0]] == ["CANCELED"]
    result = run(executor.execute_signal(symbol="BTC/USDT", side="BUY", qty=0.01, last_px=50_000))
    assert result["ok"] is False
    assert result["reason"] == "kill_switch"
    direct = run(executor.broker.place_order("BTC/USDT", "BUY", 0.02))
    assert direct["status"] == "denied"
    assert world.ledger() == ledger
    assert executor.kill_switch is True
    assert read_status()["reason"] == "manual"


def test_auto_kill_on_global_stop(world):
    executor = world.executor(base_equity=1_000_000, max_daily_loss_pct=1)
    bought = run(executor.execute_signal("BTC/USDT", "BUY", 0.5, 50_000))
    assert bought["ok"], bought["reason"]
    ledger = world.ledger()
    world.venue.set_price("BTCUSDT", "40000")
    ExchangeAccount.objects.update(synced_at=None)  # the next look at the venue is due
    result = run(executor.execute_signal("BTC/USDT", "BUY", 0.01, 40_000))
    assert result["ok"] is False
    assert "global stop" in result["detail"]
    assert HaltChange.objects.get().trigger == "daily_loss"
    assert read_status()["kill_switch"] is True
    again = run(executor.execute_signal("BTC/USDT", "SELL", 0.01, 40_000))
    assert again["reason"] == "kill_switch"
    assert world.ledger() == ledger


def test_exposure_limit_triggers_kill(world):
    executor = world.executor(kill_threshold_usd=2_000)
    assert run(executor.execute_signal("BTC/USDT", "BUY", 0.03, 50_000))["ok"]
    ledger = world.ledger()
    result = run(executor.execute_signal("BTC/USDT", "BUY", 0.02, 50_000))
    assert result["ok"] is False
    assert result["reason"] == "exposure_limit"
    assert read_status()["kill_switch"] is True
    assert HaltChange.objects.get().trigger == "exposure"
    assert world.ledger() == ledger


def test_risk_block_prevents_execution(world):
    executor = world.executor(max_order_notional=100)
    run(executor.portfolio.refresh())
    ledger = world.ledger()
    result = run(executor.execute_signal("BTC/USDT", "BUY", 0.01, 50_000))
    assert result["ok"] is False
    assert result["reason"] == "max_order_notional"
    assert Order.objects.get().status == "denied"
    assert world.ledger() == ledger
    assert executor.kill_switch is False


def test_successful_execution(world):
    executor = world.executor()
    result = run(executor.execute_signal(symbol="BTC/USDT", side="BUY", qty=0.01, last_px=50_000))
    assert result["ok"] is True
    (order,) = world.venue.orders()
    assert result["orderId"] == order["order_id"]
    assert result["clientOrderId"] == order["client_order_id"]
    assert executor.portfolio.get_position("BTC/USDT").quantity == Decimal("0.01")
    assert executor.kill_switch is False
