"""ccxt's own stream client for Binance, which nobody here wrote, follows orders with only its URLs changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.pro

from simulator.testing import SimulatedVenue
from tests.loops import run_alone
from tests.simulator.binance.test_ccxt_client import SYMBOL, point_to

PATIENCE = 30


def follow(venue: SimulatedVenue, story: Callable[[ccxt.pro.binance], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        exchange = ccxt.pro.binance({"apiKey": venue.key, "secret": venue.secret, "enableRateLimit": False})
        exchange.urls["api"] = point_to(exchange.urls["api"], venue.base_url)
        exchange.urls["api"]["ws"]["ws-api"]["spot"] = venue.stream_url
        try:
            await exchange.load_markets()
            return await asyncio.wait_for(story(exchange), PATIENCE)
        finally:
            await exchange.close()

    return run_alone(run())


async def wait_for_subscription(venue: SimulatedVenue, watching: asyncio.Future[Any]) -> None:
    while not any(row["channels"] and not row["ended"] for row in await asyncio.to_thread(venue.streams)):
        assert not watching.done(), watching.exception()
        await asyncio.sleep(0.01)


def test_it_sees_an_order_placed_and_filled(binance: SimulatedVenue) -> None:
    async def story(exchange: ccxt.pro.binance) -> list[tuple[str, str, float]]:
        seen = []
        watching = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
        await wait_for_subscription(binance, watching)
        await exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000, {"clientOrderId": "w1"})
        for quantity in ("0.004", "0.006", None):
            order = (await watching)[-1]
            seen.append((order["clientOrderId"], order["status"], order["filled"]))
            if quantity is not None:
                watching = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
                await asyncio.to_thread(binance.fill, "w1", quantity)
        return seen

    assert follow(binance, story) == [("w1", "open", 0.0), ("w1", "open", 0.004), ("w1", "closed", 0.01)]


def test_it_sees_its_fills_and_its_balance(binance: SimulatedVenue) -> None:
    async def story(exchange: ccxt.pro.binance) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        fills = asyncio.ensure_future(exchange.watch_my_trades(SYMBOL))
        await wait_for_subscription(binance, fills)
        balance = asyncio.ensure_future(exchange.watch_balance())
        await asyncio.sleep(0)
        await exchange.create_order(SYMBOL, "market", "buy", 0.01)
        return await fills, await balance

    fills, balance = follow(binance, story)
    assert (fills[-1]["symbol"], fills[-1]["side"]) == (SYMBOL, "buy")
    assert fills[-1]["order"] == binance.orders()[0]["order_id"]
    assert balance["BTC"]["free"] > 0
