"""A whole `manage.py up` to be disturbed: its kinds of processes, its rows, its ledger, and when it is calm again."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rig.instance import NeverHappened, StackInstance, wait_until
from rig.oracle import Findings, Placements, examine, read_rows
from rig.process_tree import Member, read_stat

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
    "beat": (("celery", " beat "), True),  # the workers' lines have --without-heartbeat
    "nursery": (("levi_site.nursery",), True),
    "simulator": (("-m", "simulator"), True),
    "redis": (("redis-server",), True),
}
CALM_SECONDS = 150


class DrivenStack(StackInstance):
    """`release_reason` is what its releases say; a disturbance that is not over is not waited for."""

    release_reason = "the campaign goes on"

    @property
    def services(self) -> dict[str, str]:
        return dict(json.loads((self.home / "run" / "services.json").read_text()))

    @property
    def database(self) -> str:
        return self.services["DATABASE_URL"]

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        return read_rows(self.database, query, *parameters)

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
        with (
            suppress(Exception),
            self.client() as client,
        ):  # what it does not cancel is canceled one by one below
            client.http.post("/api/v1/orders/cancel-all", json={"scope": "ours"})
        try:
            wait_until(self.is_calm, "everything has ended", CALM_SECONDS)
            wait_until(lambda: not self.still_open(), "everything that rested is canceled", CALM_SECONDS)
        except NeverHappened as error:
            return str(error)
        return ""

    def still_open(self) -> int:
        with self.client() as client, suppress(Exception):  # asked again until it answers
            rows = client.get_all("/api/v1/orders", status="open,partially_filled")
            for row in rows:
                client.http.post(f"/api/v1/orders/{row['id']}/cancel")
            return len(rows)
        return 1

    def release(self) -> None:
        """Whatever is halted, until nothing is."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(Exception), self.client() as client:  # asked again until it answers
                halted = self.rows(HALTED)
                if not halted and not client.status()["kill_switch"]:
                    return
                for row in halted or [{"scope": "everything", "target": ""}]:
                    body = {**row, "reason": self.release_reason}
                    client.http.post("/api/v1/halts/release", json=body)
            time.sleep(0.3)

    def examine(self, placements: Placements) -> Findings:
        return examine(self.database, self.venue, placements)

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
