"""ccxt's own stream client, which nobody here wrote, follows orders on our Bybit with only its URLs changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.pro

from simulator.testing import SimulatedVenue
from tests.loops import run_alone
from tests.simulator.bybit.test_ccxt_client import SYMBOL, point_to
from tests.simulator.test_ccxt_stream import PATIENCE, wait_for_subscription


def follow(venue: SimulatedVenue, story: Callable[[ccxt.pro.bybit], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        exchange = ccxt.pro.bybit({"apiKey": venue.key, "secret": venue.secret, "enableRateLimit": False})
        exchange.urls["api"] = point_to(exchange.urls["api"], venue.base_url)
        exchange.urls["api"]["ws"] = {"private": {"contract": venue.stream_url}}
        try:
            await exchange.load_markets()
            return await asyncio.wait_for(story(exchange), PATIENCE)
        finally:
            await exchange.close()

    return run_alone(run())


def test_it_sees_an_order_placed_and_filled(bybit: SimulatedVenue):
    async def story(exchange: ccxt.pro.bybit) -> list[tuple[str, str, float]]:
        seen = []
        watching = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
        await wait_for_subscription(bybit, watching)
        await exchange.create_order(SYMBOL, "limit", "buy", 0.01, 46000, {"clientOrderId": "w1"})
        for quantity in ("0.004", "0.006", None):
            order = (await watching)[-1]
            seen.append((order["clientOrderId"], order["status"], order["filled"]))
            if quantity is not None:
                watching = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
                await asyncio.to_thread(bybit.fill, "w1", quantity)
        return seen

    assert follow(bybit, story) == [("w1", "open", 0.0), ("w1", "open", 0.004), ("w1", "closed", 0.01)]


def test_it_sees_its_fills_and_its_balance_change(bybit: SimulatedVenue):
    async def story(exchange: ccxt.pro.bybit) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        fills = asyncio.ensure_future(exchange.watch_my_trades(SYMBOL))
        await wait_for_subscription(bybit, fills)
        balance = asyncio.ensure_future(exchange.watch_balance())
        while not any("wallet" in row["channels"] for row in await asyncio.to_thread(bybit.streams)):
            assert not balance.done(), balance.exception()
            await asyncio.sleep(0.01)
        await exchange.create_order(SYMBOL, "market", "buy", 0.01, None, {"marketUnit": "baseCoin"})
        return await fills, await balance

    fills, balance = follow(bybit, story)
    assert (fills[-1]["symbol"], fills[-1]["side"]) == (SYMBOL, "buy")
    assert {fill["fee"]["currency"] for fill in fills} == {"BTC"}
    assert balance["BTC"]["total"] > 0
    assert balance["USDT"]["total"] < 100_000
