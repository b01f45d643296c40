"""Many seeds on many cores: progress, a small state file, and the figures as a table.

The state file remembers how far a campaign came, for this very code: after a change of the protocol or of the
simulation it begins again. Clocks are read here only, never inside a scenario.
"""

from __future__ import annotations

import gc
import hashlib
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .mutations import NAMES, broken
from .oracle import Violation
from .run import run_seed

ROOT = Path(__file__).resolve().parents[3]
STATE = ROOT / "var" / "chaos" / "virtual.json"
CHUNK = 500
SEEDS_PER_MUTATION = 2000
KEPT = 20


@dataclass(slots=True)
class State:
    """`done`: seeds from `first` on that were run without a gap."""

    code: str
    first: int = 0
    done: int = 0
    seconds: float = 0.0
    violated: int = 0
    failures: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0


def code_hash() -> str:
    """Of everything that a scenario depends on."""
    digest = hashlib.sha256()
    folders = (Path(__file__).parent, ROOT / "trading" / "domain", ROOT / "trading" / "risk")
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    for path in [*files, ROOT / "trading" / "execution" / "dispatch_limits.py"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load_state(path: Path, first: int, *, resume: bool) -> State:
    """The campaign so far if it was of this code and these seeds, else a new one."""
    if resume and path.exists():
        state = State(**json.loads(path.read_text()))
        if (state.code, state.first) == (code_hash(), first):
            return state
    return State(code_hash(), first)


def save_state(path: Path, state: State) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    half.write_text(json.dumps(asdict(state)))
    half.replace(path)


def run_chunk(chunk: tuple[int, int]) -> tuple[int, int, list[tuple[int, str, str]]]:
    first, count = chunk
    failures = []
    for seed in range(first, first + count):
        failures += [(seed, v.promise, v.what) for v in run_seed(seed).violations[:1]]
    gc.collect()
    return first, count, failures


def run_campaign(
    state: State, seeds: int, jobs: int, path: Path | None = None, *, quiet: bool = False
) -> State:
    """Run up to `seeds` seeds in all. Stopping at any time loses a chunk or two at most."""
    chunks = list(_chunks(state.first + state.done, state.first + seeds))
    before, began, shown = state.seconds, time.monotonic(), 0.0
    with multiprocessing.get_context("spawn").Pool(jobs, initializer=gc.freeze) as pool:
        for _first, count, failures in pool.imap(run_chunk, chunks):
            state.done += count
            state.violated += len(failures)
            state.failures = (state.failures + failures)[:KEPT]
            state.seconds = before + time.monotonic() - began
            if path is not None:
                save_state(path, state)
            if not quiet and time.monotonic() - shown > 5:
                shown = time.monotonic()
                _show_progress(state, seeds)
    return state


def _chunks(first: int, end: int) -> Iterator[tuple[int, int]]:
    for at in range(first, end, CHUNK):
        yield at, min(CHUNK, end - at)


def _show_progress(state: State, seeds: int) -> None:
    left = (seeds - state.done) / state.rate if state.rate else 0.0
    line = f"{state.done:,} of {seeds:,} scenarios, {state.rate:.0f}/s, {state.violated} violated, {left:.0f} s left"
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Caught:
    """How many seeds it took to notice that a safeguard is missing, and by what. `seeds` None: not noticed."""

    name: str
    seeds: int | None
    violation: Violation | None


def catch(name: str) -> Caught:
    for seed in range(SEEDS_PER_MUTATION):
        violations = run_seed(seed, broken(name)).violations
        if violations:
            return Caught(name, seed + 1, violations[0])
    return Caught(name, None, None)


def catch_all(jobs: int) -> list[Caught]:
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return pool.map(catch, NAMES, chunksize=1)


def trace_of(first: int, count: int) -> str:
    """One hash over the traces of many seeds."""
    digest = hashlib.sha256()
    for seed in range(first, first + count):
        digest.update(run_seed(seed, tells=True).trace.encode())
    return digest.hexdigest()
