"""The stack of a run, what was done to it on purpose, and how long a wait may last before somebody wants to stop.

Knows every end of a process that was planned, so that any other one is a crash.
"""

from __future__ import annotations

import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from rig.driven import DrivenStack, send_signal
from rig.instance import PROJECT
from rig.oracle import Placements
from rig.process_tree import Member, list_members

SLICE_SECONDS = 0.25
_ENDED = re.compile(r"\b([a-z]+) ended with code (-?\d+)")


class SoakStack(DrivenStack):
    """In paper mode, with the configuration as it is delivered but for the hour at which the trading day begins."""

    release_reason = "soak: the halt has been looked at"

    def __init__(self, home: Path | None, day: dict[str, Any]) -> None:
        super().__init__("--web-workers", "2")
        if home is not None:
            self.home.rmdir()
            home.mkdir(parents=True, exist_ok=True)
            self.home = home.absolute()
            self.home.chmod(0o711)
            self.log = self.home / "up.log"
        self.config = self.home / "app.yaml"
        self._write_config(day)

    def _write_config(self, day: dict[str, Any]) -> None:
        document = yaml.safe_load((PROJECT / "config" / "app.yaml").read_text(encoding="utf-8"))
        document["live"]["mode"] = "paper"
        document.setdefault("books", {}).update(day)
        self.config.write_text(yaml.safe_dump(document), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"LEVI_CONFIG": str(self.config), "LEVI_MODE": "paper"}


@dataclass(frozen=True)
class PlayedFault:
    """`began` and `ended` are wall time; `planned_at` counts real seconds from the start of the run."""

    name: str
    planned_at: float
    began: float
    ended: float
    detail: str


@dataclass
class Scene:
    stack: DrivenStack
    placements: Placements
    began: float = field(default_factory=time.time)
    over: threading.Event = field(default_factory=threading.Event)
    stop_asked: bool = False  # by a signal, whose handler must not touch the event: its lock may be held
    played: list[PlayedFault] = field(default_factory=list)
    playing: str = ""
    killed_pids: set[int] = field(default_factory=set)
    killed_leaders: Counter[str] = field(default_factory=Counter)

    def rest(self, seconds: float) -> bool:
        """False if it is over before, or somebody asks to stop."""
        deadline = time.monotonic() + seconds
        while not self.over.wait(max(0.0, min(SLICE_SECONDS, deadline - time.monotonic()))):
            if self.stop_asked:
                self.over.set()
            elif time.monotonic() >= deadline:
                return True
        return False

    def wait_for(self, condition: Callable[[], object], seconds: float) -> bool:
        """False if it did not come true in that time, or it is over before."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline or not self.rest(0.2):
                return False
        return True

    def kill(self, victim: Member, number: signal.Signals = signal.SIGKILL, *, leader: str = "") -> None:
        """A planned end. `leader`: the name of the stack's process, whose whole group goes with it."""
        self.killed_pids |= {member.pid for member in list_members(victim.pid)} if leader else {victim.pid}
        if leader:
            self.killed_leaders[leader] += 1
        send_signal(victim.pid, number)

    def __post_init__(self) -> None:
        self._log_before = len(self.stack.read_log())

    @property
    def began_at(self) -> datetime:
        return datetime.fromtimestamp(self.began, UTC)

    def surplus_ends(self) -> list[str]:
        """Lines of the stack's own supervisor, since the scene is set, about ends that nobody had planned."""
        left = Counter(self.killed_leaders)
        found = []
        for line in self.stack.read_log()[self._log_before :].splitlines():
            if (told := _ENDED.search(line)) is None:
                continue
            if left[told.group(1)] > 0:
                left[told.group(1)] -= 1
            else:
                found.append(line.strip())
        return found

    def is_disturbed(self, at: float, aftermath: float) -> bool:
        """Whether a fault was played at that instant, or so many seconds before."""
        return any(fault.began <= at <= fault.ended + aftermath for fault in self.played)
