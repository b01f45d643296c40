"""ccxt's own stream client, which nobody here wrote, follows orders here with only its URLs changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ccxt.pro

from simulator.testing import SimulatedVenue
from tests.loops import run_alone
from tests.simulator.test_ccxt_client import SYMBOL, point_to

PATIENCE = 30


def follow(venue: SimulatedVenue, story: Callable[[ccxt.pro.mexc], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        exchange = ccxt.pro.mexc({"apiKey": venue.key, "secret": venue.secret, "enableRateLimit": False})
        exchange.urls["api"] = point_to(exchange.urls["api"], venue.base_url)
        exchange.urls["api"]["ws"]["spot"] = venue.stream_url
        try:
            await exchange.load_markets()
            return await asyncio.wait_for(story(exchange), PATIENCE)
        finally:
            await exchange.close()

    return run_alone(run())


async def wait_for_subscription(venue: SimulatedVenue, watching: asyncio.Future[Any]) -> None:
    while not any(row["channels"] for row in await asyncio.to_thread(venue.streams)):
        assert not watching.done(), watching.exception()
        await asyncio.sleep(0.01)


def test_it_sees_an_order_placed_and_filled(venue: SimulatedVenue):
    async def story(exchange: ccxt.pro.mexc) -> list[tuple[str, str, float]]:
        seen = []
        watching = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
        await wait_for_subscription(venue, watching)
        await exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000, {"clientOrderId": "w1"})
        for quantity in ("0.004", "0.006", None):
            order = (await watching)[-1]
            seen.append((order["clientOrderId"], order["status"], order["filled"]))
            if quantity is not None:
                watching = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
                await asyncio.to_thread(venue.fill, "w1", quantity)
        return seen

    assert follow(venue, story) == [("w1", "open", 0.0), ("w1", "open", 0.004), ("w1", "closed", 0.01)]


def test_it_sees_its_fills(venue: SimulatedVenue):
    async def story(exchange: ccxt.pro.mexc) -> list[dict[str, Any]]:
        watching = asyncio.ensure_future(exchange.watch_my_trades(SYMBOL))
        await wait_for_subscription(venue, watching)
        await exchange.create_order(SYMBOL, "market", "buy", 0.01)
        return await watching

    fill = follow(venue, story)[-1]
    assert (fill["symbol"], fill["side"], fill["order"]) == (SYMBOL, "buy", venue.orders()[0]["order_id"])
    assert fill["amount"] <= 0.01


def test_it_sees_its_balance_change(venue: SimulatedVenue):
    async def story(exchange: ccxt.pro.mexc) -> dict[str, Any]:
        watching = asyncio.ensure_future(exchange.watch_balance())
        await wait_for_subscription(venue, watching)
        await asyncio.to_thread(venue.deposit, "USDT", "5")
        return await watching

    assert follow(venue, story)["USDT"]["free"] == 100_005.0
