"""One `manage.py up` in a folder of its own, on a free port, with nothing of the caller's environment.

Starts, restarts and stops it as a person would, and says what it left behind. Also used by the benchmarks.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from levi_site.stack.ports import find_free_port
from rig.panel_client import PanelClient
from rig.process_tree import Member, find_users_of, list_members
from simulator.testing import SimulatedVenue

PROJECT = Path(__file__).resolve().parents[1]
READY = "Levi is running"
START_SECONDS = 240  # two cores with other work on them
STOP_SECONDS = 60
LEAVING_SECONDS = 5
KEPT_VARIABLES = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR")


class NeverHappened(AssertionError):
    """A condition that was waited for did not come true."""


def wait_until(condition: Callable[[], object], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NeverHappened(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)


class StackInstance:
    def __init__(self, *arguments: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="levi-stack-"))
        self.home.chmod(0o711)  # as root, the database server's own user passes through
        self.port = find_free_port()
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.home / "up.log"

    # -- life ------------------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        return kept | {"HOME_DIR": str(self.home), "PORT": str(self.port)}

    def launch(self) -> None:
        """Start it; returns at once."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *self.arguments],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        def is_ready() -> bool:
            assert self.process is not None
            ended = self.process.poll()
            assert ended is None, f"the stack ended with code {ended}:\n{self.read_log()}"
            return READY in self.read_log()

        wait_until(is_ready, "the stack is ready", START_SECONDS)

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def stop(self) -> int:
        """Ctrl-C, as `make run` gets it; returns the exit code."""
        assert self.process is not None
        members = self.members()
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()  # its reaper ends the rest
            raise NeverHappened(f"the stack did not stop:\n{self.read_log()}") from None
        deadline = time.monotonic() + LEAVING_SECONDS  # the system may need a moment for what has ended
        while any(member.is_alive for member in members) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.left_over = [member.command for member in members if member.is_alive]
        return code

    def restart(self) -> None:
        assert self.stop() == 0, self.read_log()
        self.start()

    def remove(self) -> None:
        """The folder, and the one elsewhere that its database needed."""
        with_data = self.home / "server-data"
        if with_data.is_symlink():
            shutil.rmtree(with_data.resolve(), ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def end(self) -> list[str]:
        """Stop for good; returns what was left behind, as sentences."""
        code = self.stop() if self.process and self.process.poll() is None else -1
        users = [member.command for member in find_users_of(self.home) if member.pid != os.getpid()]
        left = [] if code == 0 else [f"the stack ended with code {code}"]
        left += [f"still running: {command}" for command in {*self.left_over, *users}]
        left += [f"a lock is left: {path}" for path in (self.home / "run").glob("*.lock")]
        left += [f"servers are still announced: {path}" for path in (self.home / "run").glob("services.json")]
        self.remove()
        return left

    left_over: list[str] = []

    # -- what is known of it ---------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def read_log(self) -> str:
        return self.log.read_text(errors="replace")

    @cached_property
    def first_run(self) -> dict[str, str]:
        return dict(json.loads((self.home / "first-run.json").read_text()))

    @property
    def url(self) -> str:
        return self.first_run["url"]

    @property
    def token(self) -> str:
        return self.first_run["token"]

    @property
    def sim_url(self) -> str:
        return self.first_run["sim_url"]

    @property
    def venue(self) -> SimulatedVenue:
        """Its simulated venue, for reading the ledger and steering; it is the stack that runs and ends it."""
        port = int(self.sim_url.rpartition(":")[2])
        keys = (self.first_run["sim_key"], self.first_run["sim_secret"])
        return SimulatedVenue(f"{self.sim_url}/mexc", f"{self.sim_url}/_sim", port, *keys, process=None)

    def client(self) -> PanelClient:
        return PanelClient(self.url, self.token)

    def members(self, *words: str) -> list[Member]:
        """Its processes whose command line has all of these words, also those that outlived the nursery; never the
        caller, whose own command line may name the folder."""
        every = list(dict.fromkeys([*list_members(self.pid), *find_users_of(self.home)]))
        others = [member for member in every if member.pid != os.getpid()]
        return [member for member in others if all(word in member.command for word in words)]

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A management command in another terminal."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
