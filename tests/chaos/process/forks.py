"""Processes forked from a warmed one: started, watched, killed when they hang, and counted by how they ended."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HANGS_AFTER_SECONDS = 60.0


def fork(work: Callable[[], object], output: Path) -> int:
    """The child runs `work` and ends without any of the parent's farewells; what it says goes to `output`."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
        descriptor = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        work()
        code = 0
    except BaseException:  # whatever it was, the parent reads it in the log
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


@dataclass
class Forks:
    """Short-lived children, at most `jobs` at a time. `ends`: how they ended (killed, done, failed, hung)."""

    output: Path
    jobs: int = 2
    patience: float = HANGS_AFTER_SECONDS
    ends: Counter[str] = field(default_factory=Counter)
    _running: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        gc.collect()
        gc.freeze()  # what is frozen stays shared with the children

    def start(self, work: Callable[[], object]) -> None:
        """As soon as there is room."""
        while len(self._running) >= self.jobs:
            self.reap()
        self._running[fork(work, self.output)] = time.monotonic()

    def wait(self) -> None:
        while self._running:
            self.reap()

    def reap(self) -> None:
        for pid, began in list(self._running.items()):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                del self._running[pid]
                self.ends[_word_for(os.waitstatus_to_exitcode(status))] += 1
            elif time.monotonic() - began > self.patience:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                del self._running[pid]
                self.ends["hung"] += 1
        time.sleep(0.002)


def _word_for(code: int) -> str:
    return {0: "done", -signal.SIGKILL: "killed"}.get(code, "failed")


@dataclass
class Keepers:
    """Long-lived children that are started again whenever they die, until `stop`."""

    works: dict[str, Callable[[], object]]
    output: Path
    deaths: int = 0
    _pids: dict[int, str] = field(default_factory=dict)

    def look(self) -> None:
        """Start what does not run."""
        for pid in list(self._pids):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del self._pids[pid]
                self.deaths += 1
        for name, work in self.works.items():
            if name not in self._pids.values():
                self._pids[fork(work, self.output)] = name

    def stop(self) -> None:
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)  # everything may be killed at any instant
        for pid in self._pids:
            os.waitpid(pid, 0)
        self._pids.clear()
