"""Start a simulated venue as a real process for a test or a benchmark, and steer it.

    with running_venue(seed=7, limits="off", tick_ms=0) as venue:
        client = SomeMexcClient(base_url=venue.base_url, key=venue.key, secret=venue.secret)
        venue.set_price("BTCUSDT", "50000")
        venue.faults([{"match": {"path": "/api/v3/order"}, "kind": "drop_after", "count": 1}])

Standard library only, and it never touches the caller's decimal context or event loop. The process is stopped by its
own id when the block ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

# Where each venue's private stream is, below its prefix.
STREAM_PATHS = {"mexc": "/ws", "binance": "/ws-api/v3", "bybit": "/v5/private"}
PROJECT = Path(__file__).resolve().parent.parent
ANSWER_SECONDS = 30
Row = Any  # a JSON object


class ControlFailed(AssertionError):
    """The control interface refused a request; the message is its explanation."""


@dataclass
class SimulatedVenue:
    """A running simulated venue: where it listens, how to sign in, and what its ledger says."""

    base_url: str
    control_url: str
    port: int
    key: str
    secret: str
    process: subprocess.Popen[str] = field(repr=False)
    venue: str = "mexc"

    def at(self, name: str) -> SimulatedVenue:
        """Another venue of the same program, with a ledger of its own: what this object reads and steers is that one's.

        Faults, the journal's numbers and `reset` are the program's; a fault's match may name a venue.
        """
        root = self.base_url.removesuffix(self.venue)
        return replace(self, base_url=root + name, venue=name)

    @property
    def stream_url(self) -> str:
        """Where a WebSocket is opened; MEXC's private stream takes ?listenKey= with it."""
        return f"ws://127.0.0.1:{self.port}/{self.venue}{STREAM_PATHS[self.venue]}"

    # -- reading ---------------------------------------------------------------------------------------------------

    def orders(self, since: int = 0) -> list[Row]:
        return list(self.get(f"/orders?since={since}&venue={self.venue}")["orders"])

    def fills(self, since: int = 0) -> list[Row]:
        return list(self.get(f"/fills?since={since}&venue={self.venue}")["fills"])

    def balances(self, user: str = "trader") -> dict[str, Row]:
        """Rows by asset; free, locked and total are texts."""
        return {
            row["asset"]: row for row in self.get(f"/balances?user={user}&venue={self.venue}")["balances"]
        }

    def requests(self, since: int = 0, *, method: str | None = None, path: str | None = None) -> list[Row]:
        """Requests this venue received, oldest first; `path` as after its prefix, such as /api/v3/order."""
        rows = [row for row in self.get(f"/requests?since={since}")["requests"] if row["venue"] == self.venue]
        return [row for row in rows if method in (None, row["method"]) and path in (None, row["path"])]

    def streams(self) -> list[Row]:
        """Connections of private streams: ended ones, then open ones, with channels and frames sent and lost."""
        return list(self.get("/streams")["streams"])

    def stream_events(self, event: str | None = None, since: int = 0) -> list[Row]:
        """What happened to streams, oldest first: opened, subscribed, stalled, lost, ended."""
        rows = self.get(f"/streams?since={since}")["events"]
        return [row for row in rows if event in (None, row["event"])]

    def health(self) -> Row:
        return self.get("/health")

    def book_differences(self) -> list[str]:
        """Empty when balances equal deposits + fills - fees, and locks equal reservations."""
        return list(self.get(f"/check?venue={self.venue}")["differences"])

    # -- steering --------------------------------------------------------------------------------------------------

    def faults(self, rules: list[Row]) -> None:
        self.send("POST", "/faults", rules)

    def clear_faults(self) -> None:
        self.send("DELETE", "/faults")

    def set_price(self, symbol: str, price: str) -> None:
        self.change("/prices", symbol=symbol, price=str(price))

    def release_price(self, symbol: str) -> None:
        self.change("/prices", symbol=symbol, price=None)

    def fill(self, order: str, quantity: str | None = None) -> Row:
        """Fill a resting order (venue's or client's id) at its price; all that is left unless a quantity is given."""
        return self.change("/fills", order=order, quantity=quantity)

    def set_balance(self, asset: str, total: str, user: str = "trader") -> None:
        self.change("/balances", user=user, asset=asset, total=str(total))

    def deposit(self, asset: str, quantity: str, user: str = "trader") -> None:
        """From outside, with a line in the venue's history of deposits."""
        self.change("/balances", user=user, asset=asset, deposit=str(quantity))

    def withdraw(self, asset: str, quantity: str, user: str = "trader", fee: str = "0") -> None:
        """To the outside; the fee comes on top."""
        self.change("/balances", user=user, asset=asset, withdraw=str(quantity), fee=fee)

    def add_user(self, user: str, key: str, secret: str, **more: Any) -> Row:
        return self.change("/users", user=user, key=key, secret=secret, **more)

    def change_instrument(self, symbol: str, **changes: Any) -> Row:
        return self.change("/instruments", symbol=symbol, **changes)

    def settings(self, **changes: Any) -> Row:
        return self.change("/settings", **changes)

    def advance(self, ticks: int = 1) -> None:
        self.change("/ticks", count=ticks)

    def reset(self) -> None:
        self.send("POST", "/reset", {})

    def change(self, path: str, **document: Any) -> Row:
        return self.send("POST", path, {"venue": self.venue, **document})

    # -- transport -------------------------------------------------------------------------------------------------

    def get(self, path: str) -> Row:
        return self.send("GET", path)

    def send(self, method: str, path: str, document: object = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(
            self.control_url + path, data=body, method=method, headers={"Content-Type": "application/json"}
        )
        try:
            with _OPENER.open(request, timeout=ANSWER_SECONDS) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            raise ControlFailed(f"{method} {path}: {refused.read().decode()}") from refused

    def stop(self) -> int:
        """End the process (politely, then not) and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


# A loopback address must never be asked for through a proxy named in the environment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start_venue(
    *, port: int = 0, key: str = "mx0testkey", secret: str = "test-secret", **flags: Any
) -> SimulatedVenue:
    """Start it and return when it answers; flags are those of the program: seed=7, tick_ms=0, limits="off"."""
    named = [
        text for name, content in flags.items() for text in ("--" + name.replace("_", "-"), str(content))
    ]
    command = [sys.executable, "-m", "simulator", "--host", "127.0.0.1", "--port", str(port), *named]
    environment = {**os.environ, "SIM_KEY": key, "SIM_SECRET": secret, "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=PROJECT)
    assert process.stdout is not None
    ready = process.stdout.readline()
    if not ready:
        raise RuntimeError(
            f"the simulated venue ended at once with exit code {process.wait()}: {' '.join(command)}"
        )
    chosen = json.loads(ready)["port"]
    root = f"http://127.0.0.1:{chosen}"
    return SimulatedVenue(f"{root}/mexc", f"{root}/_sim", chosen, key, secret, process)


@contextmanager
def running_venue(**flags: Any) -> Iterator[SimulatedVenue]:
    venue = start_venue(**flags)
    try:
        yield venue
    finally:
        venue.stop()
        if venue.process.stdout is not None:
            venue.process.stdout.close()
