"""Builds the simulated venues from the command line and runs them until told to stop.

One process, one event loop, one thread: requests are matched in the order in which they arrive.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simulator.binance.profile import PROFILE as BINANCE
from simulator.binance.wire import BinanceWire
from simulator.bybit.profile import PROFILE as BYBIT
from simulator.bybit.wire import BybitWire
from simulator.control.interface import ControlInterface
from simulator.core.clock import NOMINAL_TICK_MS, SimClock
from simulator.core.faults import FaultTable
from simulator.core.journal import RequestJournal
from simulator.core.profile import VenueProfile
from simulator.core.settings import CHOICES, SettingRefused, VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue
from simulator.dispatch import SimulatorApp
from simulator.http.server import VenueConnection
from simulator.mexc.wire import MexcWire
from simulator.opening import VenueHall
from simulator.wire import VenueWire


@dataclass(frozen=True, slots=True)
class PlayedVenue:
    wire: Callable[[TradingVenue], VenueWire]
    profile: VenueProfile


# Every venue that can be played, by the prefix of its paths; the first is open from the start.
VENUES = {
    "mexc": PlayedVenue(MexcWire, VenueProfile()),
    "binance": PlayedVenue(BinanceWire, BINANCE),
    "bybit": PlayedVenue(BybitWire, BYBIT),
}
FIRST_VENUE = "mexc"
DEFAULT_KEY, DEFAULT_SECRET = "mx0simulated", "simulated-secret"
DEFAULT_USER = "trader"
STILL_MARKET_MS = 3_600_000  # with ticks advanced by the caller there is nothing to wake up for


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Simulated exchanges with the wire formats of real ones: " + ", ".join(VENUES) + ".",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9100, help="0 picks a free port; the ready line names it")
    parser.add_argument(
        "--seed", type=int, default=7, help="prices, depth, ids and fault draws follow from it"
    )
    parser.add_argument(
        "--data-dir", type=Path, help="keep users, orders, fills and balances here over restarts"
    )
    parser.add_argument(
        "--key", default=os.environ.get("SIM_KEY", DEFAULT_KEY), help="API key of the first user (or SIM_KEY)"
    )
    parser.add_argument(
        "--secret", default=os.environ.get("SIM_SECRET", DEFAULT_SECRET), help="its secret (or SIM_SECRET)"
    )
    parser.add_argument(
        "--tick-ms", type=int, default=NOMINAL_TICK_MS, help="0: the market moves only when told to"
    )
    parser.add_argument("--limits", default="1", help="'off', or a factor on the venue's request limits")
    for name, choices in CHOICES.items():
        parser.add_argument(
            "--" + name.replace("_", "-"), choices=choices, help="unless given, as each venue has it"
        )
    arguments_read = parser.parse_args(arguments)
    try:
        arguments_read.chosen = _read_choices(arguments_read)
    except SettingRefused as refused:
        parser.error(f"--limits: {refused}")
    return arguments_read


def _read_choices(given: argparse.Namespace) -> dict[str, object]:
    """What was said about the venues' settings, checked; the rest is as each venue has it."""
    chosen = {name: getattr(given, name) for name in CHOICES if getattr(given, name) is not None}
    chosen |= {"limits_enabled": False} if given.limits == "off" else {"limits_scale": given.limits}
    VenueSettings().change_all(chosen)
    return chosen


def build_app(given: argparse.Namespace) -> SimulatorApp:
    hall = VenueHall({name: partial(_open_venue, name, given) for name in VENUES})
    for name in VENUES:
        if name == FIRST_VENUE or (given.data_dir and _books(given, name).exists()):
            hall.find(name)
    app = SimulatorApp(hall, FaultTable(given.seed), RequestJournal())
    app.control = ControlInterface(app)
    return app


def _books(given: argparse.Namespace, name: str) -> Path:
    return Path(given.data_dir / f"{name}.jsonl")


def _open_venue(name: str, given: argparse.Namespace) -> VenueWire:
    """With the first user's key and first balances, or as its books were left."""
    played, settings = VENUES[name], VenueSettings()
    settings.change_all({**played.profile.settings, **given.chosen})
    store = VenueStore(_books(given, name) if given.data_dir else None)
    venue = TradingVenue(name, given.seed, played.profile, settings, SimClock(given.tick_ms), store)
    venue.restore()
    user = venue.users.get(DEFAULT_USER)
    if user is None:
        user = venue.create_user(DEFAULT_USER, given.key, given.secret, played.profile.balances)
    venue.give_key(user, given.key, given.secret, user.permissions, user.symbols, user.addresses)
    return played.wire(venue)


async def serve(given: argparse.Namespace) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    app = build_app(given)
    server = await loop.create_server(lambda: VenueConnection(app), given.host, given.port, backlog=512)
    port = server.sockets[0].getsockname()[1]
    addresses = {name: f"http://{given.host}:{port}/{name}" for name in VENUES}
    print(json.dumps({"ready": True, "port": port, **addresses}), flush=True)
    ticking = loop.create_task(_keep_ticking(app, given.tick_ms))
    ticking.add_done_callback(lambda _: stopped.set())
    await stopped.wait()
    app.streams.end_all("the venue stops")
    server.close()
    if ticking.done():
        ticking.result()  # only a defect ends the ticking: fail loudly instead of standing still
    ticking.cancel()


async def _keep_ticking(app: SimulatorApp, tick_ms: int) -> None:
    pause = (tick_ms or STILL_MARKET_MS) / 1000
    while True:
        await asyncio.sleep(pause)
        for _name, wire in app.hall.opened():
            wire.venue.advance_ticks()
