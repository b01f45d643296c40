"""How much memory the processes of each role came to use: resident set size, from the system, process by process.

Compared are two quarters of a run, for processes that have lived for a minute: what a process loads when it begins is
no leak. Killed processes begin anew, so their growth is measured within their lives only.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

WARM_UP_SECONDS = 60.0
EARLY, LATE = (0.15, 0.40), (0.75, 1.0)  # shares of the run
LEAST_SAMPLES = 4
# PostgreSQL and Redis fill their caches, the simulated venue keeps its ledger: shown, but not the product's memory.
JUDGED = ("orders", "background", "web", "supervisor", "streams", "beat", "nursery", "stack")
LIMIT_PERCENT = 10.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class MemorySample:
    """`at`: seconds since the run began; `age`: since the process was first seen; `rss` in bytes."""

    at: float
    role: str
    pid: int
    age: float
    rss: int


@dataclass(frozen=True)
class Growth:
    """Of one role: bytes per process, early and late."""

    role: str
    early: float
    late: float
    processes: int

    @property
    def percent(self) -> float:
        return (self.late / self.early - 1) * 100 if self.early else 0.0


def read_rss(pid: int) -> int:
    """0 for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def measure_growth(samples: Sequence[MemorySample], seconds: float) -> list[Growth]:
    """Per role with enough samples in both quarters; the median over time of the mean over processes."""
    warm = [one for one in samples if one.age >= WARM_UP_SECONDS and one.rss]
    found = []
    for role in sorted({one.role for one in warm}):
        of_role = [one for one in warm if one.role == role]
        early, late = (_means(of_role, seconds, *span) for span in (EARLY, LATE))
        if min(len(early), len(late)) >= LEAST_SAMPLES:
            processes = len({one.pid for one in of_role})
            found.append(Growth(role, median(early), median(late), processes))
    return found


def _means(samples: Sequence[MemorySample], seconds: float, begin: float, end: float) -> list[float]:
    by_time: dict[float, list[int]] = defaultdict(list)
    for one in samples:
        if begin * seconds <= one.at <= end * seconds:
            by_time[one.at].append(one.rss)
    return [sum(values) / len(values) for values in by_time.values()]


def growth_of_all(growths: Sequence[Growth]) -> Growth | None:
    """Of the judged roles together, weighed by what one process of each uses."""
    judged = [one for one in growths if one.role in JUDGED]
    if not judged:
        return None
    return Growth(
        "all",
        sum(one.early for one in judged),
        sum(one.late for one in judged),
        sum(one.processes for one in judged),
    )
