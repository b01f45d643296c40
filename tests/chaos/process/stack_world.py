"""A whole `manage.py up` to be killed: its kinds of processes, its rows, its ledger, and when it is calm again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.chaos.process.oracle import Findings, Placements, examine, read_rows
from tests.stack.instance import PROJECT, NeverHappened, StackInstance, wait_until
from tests.stack.load import Load, endless
from tests.stack.process_tree import Member, read_stat

UNFINISHED = "SELECT count(*) AS n FROM trading_order WHERE status IN ('approved', 'submitting', 'in_doubt')"
HALTED = "SELECT scope, target FROM trading_haltstate WHERE state <> 'active'"
RUNNING_SWEEPS = "SELECT count(*) AS n FROM trading_sweep WHERE verdict = 'running'"
# kind -> words of its command line, and whether its leader or one of its pool is meant
KINDS: dict[str, tuple[tuple[str, ...], bool]] = {
    "orders parent": (("celery", "orders@"), True),
    "orders child": (("celery", "orders@"), False),
    "background parent": (("celery", "background@"), True),
    "background child": (("celery", "background@"), False),
    "web parent": (("granian",), True),
    "web child": (("granian",), False),
    "supervisor": (("supervise",), True),
    "streams": (("run_streams",), True),
    "beat": (("celery", "beat"), True),
    "nursery": (("levi_site.nursery",), True),
    "simulator": (("-m", "simulator"), True),
    "redis": (("redis-server",), True),
}
CALM_SECONDS = 150


class CampaignStack(StackInstance):
    """`failpoints` as FAILPOINTS for all of its processes; everything logs at DEBUG, for the secrets to show."""

    def __init__(self, *arguments: str, failpoints: str = "") -> None:
        super().__init__(*arguments)
        self.failpoints = failpoints

    @property
    def environment(self) -> dict[str, str]:
        more = {"LEVI_LOG_LEVEL": "DEBUG"} | ({"FAILPOINTS": self.failpoints} if self.failpoints else {})
        return super().environment | more

    @property
    def services(self) -> dict[str, str]:
        return dict(json.loads((self.home / "run" / "services.json").read_text()))

    @property
    def database(self) -> str:
        return self.services["DATABASE_URL"]

    def rows(self, query: str) -> list[dict[str, Any]]:
        return read_rows(self.database, query)

    def run_python(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """A process of the product in another terminal."""
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=PROJECT,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def find(self, kind: str) -> list[Member]:
        words, leads = KINDS[kind]
        alike = [member for member in self.members(*words) if member.pid != self.pid]
        pids = {member.pid for member in alike}
        return [member for member in alike if (parent_of(member.pid) not in pids) is leads]

    def postgres(self) -> Member:
        (leader,) = [m for m in self.members("bin/postgres") if "-D" in m.command or " -c " in m.command][:1]
        return leader

    def is_calm(self) -> bool:
        with suppress(Exception):  # the database may be on its way back
            return not self.rows(UNFINISHED)[0]["n"] and not self.rows(RUNNING_SWEEPS)[0]["n"]
        return False

    def come_to_rest(self) -> str:
        """Empty when it is calm; else what is not."""
        self.venue.clear_faults()
        self.release()
        with suppress(Exception), self.client() as client:
            client.http.post("/api/v1/orders/cancel-all", json={"scope": "ours"})
        try:
            wait_until(self.is_calm, "everything has ended", CALM_SECONDS)
            wait_until(lambda: not self.still_open(), "everything that rested is canceled", CALM_SECONDS)
        except NeverHappened as error:
            return str(error)
        return ""

    def still_open(self) -> int:
        with self.client() as client, suppress(Exception):
            rows = client.get_all("/api/v1/orders", status="open,partially_filled")
            for row in rows:
                client.http.post(f"/api/v1/orders/{row['id']}/cancel")
            return len(rows)
        return 1

    def release(self) -> None:
        """Whatever is halted, until nothing is."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(Exception), self.client() as client:
                halted = self.rows(HALTED)
                if not halted and not client.status()["kill_switch"]:
                    return
                for row in halted or [{"scope": "everything", "target": ""}]:
                    body = {**row, "reason": "the campaign goes on"}
                    client.http.post("/api/v1/halts/release", json=body)
            time.sleep(0.3)

    def examine(self, placements: Placements) -> Findings:
        return examine(self.database, self.venue, placements)

    @contextmanager
    def load(self, pause: float = 0.15, clients: int = 3) -> Iterator[Load]:
        """Market orders of both sides, and every fourth rests."""

        def body(number: int) -> dict[str, str]:
            side = "SELL" if number % 2 else "BUY"
            return {"side": side, "quantity": "0.0004"} | (
                {"price": "48500", "side": "BUY"} if number % 4 == 0 else {}
            )

        with Load(self, endless(body, pause=pause), clients=clients) as load:
            yield load

    @contextmanager
    def watched(self) -> Iterator[Placements]:
        """The venue's journal is caught up with all the time: it is lost when the venue dies."""
        placements, over = Placements(self.venue), threading.Event()

        def follow() -> None:
            while not over.wait(0.5):
                with suppress(Exception):  # the venue may be dead at this moment
                    placements.catch_up()

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield placements
        finally:
            over.set()
            thread.join(10)


def parent_of(pid: int) -> int:
    found = read_stat(pid)
    return found[1] if found else 0


def send_signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
