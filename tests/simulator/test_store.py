"""With a data directory the venue's books survive any end of the process."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from simulator.core.clock import SimClock
from simulator.core.profile import VenueProfile
from simulator.core.rows import SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue
from simulator.testing import SimulatedVenue, running_venue, start_venue
from tests.simulator.mexc_client import SignedClient


def trade(venue: SimulatedVenue) -> None:
    client = SignedClient(venue.base_url, venue.key, venue.secret)
    venue.set_price("BTCUSDT", "48000")
    client.place(type="MARKET", quoteOrderQty="5000", newClientOrderId="bought")
    client.place(quantity="0.1", price="40000", newClientOrderId="resting")
    client.place(quantity="0.1", price="41000", newClientOrderId="partly")
    venue.fill("partly", "0.03")
    client.place(quantity="0.1", price="40000", newClientOrderId="canceled")
    client.cancel("canceled")
    client.close()


def books(venue: SimulatedVenue) -> dict[str, object]:
    return {"orders": venue.orders(), "fills": venue.fills(), "balances": venue.balances()}


def test_everything_is_there_after_a_stop_and_after_a_kill(tmp_path: Path):
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as venue:
        trade(venue)
        before = books(venue)
    killed = start_venue(tick_ms=0, limits="off", data_dir=tmp_path)
    assert books(killed) == before
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.stop()
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as venue:
        assert books(venue) == before
        assert venue.book_differences() == []


def test_resting_orders_still_match_and_ids_go_on_after_a_restart(tmp_path: Path):
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as venue:
        trade(venue)
        known = {order["order_id"] for order in venue.orders()}
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as venue:
        client = SignedClient(venue.base_url, venue.key, venue.secret)
        assert client.public("/api/v3/ticker/price", symbol="BTCUSDT").json()["price"] == "48000"
        venue.set_price("BTCUSDT", "39000")
        assert client.query("resting")["status"] == "FILLED"
        assert client.place(type="MARKET", quoteOrderQty="10").json()["orderId"] not in known
        assert venue.book_differences() == []
        client.close()


def test_a_torn_last_line_is_forgotten_and_the_rest_is_kept(tmp_path: Path):
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as venue:
        trade(venue)
        before = books(venue)
    with (tmp_path / "mexc.jsonl").open("a") as journal:
        journal.write('{"tick":9,"orders":[{"order_id"')
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as venue:
        assert books(venue) == before


def test_a_new_key_replaces_the_old_one_but_keeps_the_funds(tmp_path: Path):
    with running_venue(key="mx0old", data_dir=tmp_path, tick_ms=0) as venue:
        venue.set_balance("USDT", "5")
    with running_venue(key="mx0new", data_dir=tmp_path, tick_ms=0) as venue:
        assert venue.balances()["USDT"]["free"] == "5"
        old = SignedClient(venue.base_url, "mx0old", venue.secret)
        new = SignedClient(venue.base_url, "mx0new", venue.secret)
        assert old.call("GET", "/api/v3/uid").json()["code"] == 10072
        assert new.call("GET", "/api/v3/uid").status_code == 200
        old.close()
        new.close()


def test_a_reset_is_remembered_too_and_ids_never_repeat(tmp_path: Path):
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as venue:
        trade(venue)
        known = {row["order_id"] for row in venue.orders()} | {row["fill_id"] for row in venue.fills()}
        venue.reset()
    with running_venue(tick_ms=0, limits="off", data_dir=tmp_path) as venue:
        assert venue.orders() == []
        assert venue.balances()["USDT"]["free"] == "100000"
        trade(venue)
        assert known.isdisjoint(
            {row["order_id"] for row in venue.orders()} | {row["fill_id"] for row in venue.fills()}
        )


def test_only_the_owner_may_read_the_file(tmp_path: Path):
    with running_venue(tick_ms=0, data_dir=tmp_path):
        assert (tmp_path / "mexc.jsonl").stat().st_mode & 0o077 == 0


def test_a_long_file_is_compacted_without_losing_anything(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("simulator.core.store.LONG_BYTES", 2_000)

    def open_venue() -> TradingVenue:
        store = VenueStore(tmp_path / "mexc.jsonl")
        venue = TradingVenue("mexc", 7, VenueProfile(), VenueSettings(), SimClock(0), store)
        venue.restore()
        return venue

    venue = open_venue()
    user = venue.create_user("trader", "key", "secret", {"USDT": Decimal(100_000)})
    sizes = []
    for _ in range(40):
        venue.place(user, SimOrderRequest("BTCUSDT", SimSide.BUY, SimOrderType.MARKET, Decimal("0.001")))
        sizes.append((tmp_path / "mexc.jsonl").stat().st_size)
    assert any(later < earlier for earlier, later in pairwise(sizes))
    reopened = open_venue()
    assert reopened.orders == venue.orders
    assert reopened.fills == venue.fills
    assert reopened.check_conservation() == []
