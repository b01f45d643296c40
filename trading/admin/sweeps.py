"""How a sweep and the history of halts read: the steps with their times, and what survives, by account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trading.models import Flattening, HaltChange, Sweep, SweepVerdict

from . import cells
from .page import Table


@dataclass(frozen=True, slots=True)
class Step:
    """One phase; `at` is None while it has not happened."""

    name: str
    at: datetime | None
    seconds: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SweepCard:
    sweep: Sweep
    name: str
    steps: list[Step]
    survivors: list[tuple[str, list[str]]]
    verdict: str
    flattening: Flattening | None = None

    @property
    def closing(self) -> list[tuple[str, dict[str, Any]]]:
        """The positions of its flattening, one line each."""
        return sorted(self.flattening.report.items()) if self.flattening else []


_VERDICTS = {
    SweepVerdict.RUNNING: "running: not proven clean yet",
    SweepVerdict.CLEAN: "CLEAN: proven empty",
    SweepVerdict.SURVIVORS: "not proven clean: look at what survives",
}


def describe_sweeps(sweeps: Iterable[Sweep]) -> list[SweepCard]:
    return [_card(sweep) for sweep in sweeps]


def _card(sweep: Sweep) -> SweepCard:
    name = f"{sweep.change.scope} {sweep.change.target}".strip()
    marks = (
        ("Engaged", sweep.engaged_at, f"epoch {sweep.change.epoch}"),
        ("Gate closed", sweep.drained_at, "no permit can be used any more"),
        ("First cancel sent", sweep.first_cancel_at, f"{sweep.cancels_sent} sent in {sweep.rounds} rounds"),
        ("Venue empty", sweep.emptied_at, "the proof waits until nothing sent before can still arrive"),
        ("Verdict", sweep.finished_at, _VERDICTS[SweepVerdict(sweep.verdict)]),
    )
    steps = [
        Step(title, at, (at - sweep.engaged_at).total_seconds() if at else None, note)
        for title, at, note in marks
    ]
    verdict = _VERDICTS[SweepVerdict(sweep.verdict)]
    flattening = getattr(sweep, "flattening", None)
    return SweepCard(sweep, name, steps, _survivors(sweep.report), verdict, flattening)


def _survivors(report: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Per account, what was still there or could not be asked."""
    found = []
    for account, seen in report.items():
        if not isinstance(seen, dict):
            continue
        words = [f"could not be asked: {seen['unasked']}"] if seen.get("unasked") else []
        words += [f"open: {name}" for name in seen.get("open", [])]
        words += [f"in doubt: {name}" for name in seen.get("unresolved", [])]
        if words:
            found.append((account, words))
    return found


def describe_changes(changes: Iterable[HaltChange]) -> Table:
    rows = [
        [
            cells.when(change.at),
            f"{change.scope} {change.target}".strip(),
            cells.badge(change.before),
            cells.badge(change.after),
            change.reason,
            change.actor,
            change.trigger,
            change.epoch,
        ]
        for change in changes
    ]
    headers = ["Time", "Scope", "Before", "After", "Reason", "By", "Trigger", "#Epoch"]
    return Table("History", headers, rows, empty="Nothing was ever halted or released here.")
