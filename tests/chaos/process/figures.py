"""Figures: what was measured, against what limit, and whether it decides the exit code.

Correctness decides. Times depend on the machine and on who else uses it: they are printed with their limits and PASS or
FAIL, and decide nothing. Parts leave their figures in a file, so that an interrupted campaign goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SKIPPED = "skipped"  # a value: neither passed nor failed
STATE = ROOT / "var" / "chaos" / "process.json"


@dataclass(frozen=True)
class Figure:
    """`stories`: what a person needs to see when it failed."""

    name: str
    what: str
    value: str
    limit: str
    passed: bool
    decides: bool = True
    stories: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> str:
        word = "PASS" if self.passed else "FAIL"
        return "SKIPPED" if self.value == SKIPPED else word + ("" if self.decides else " (time)")


def count(name: str, what: str, found: Sequence[str], stories: Iterable[str] = ()) -> Figure:
    """Nothing of this kind may be found."""
    return Figure(name, what, str(len(found)), "0", not found, stories=tuple(stories) or tuple(found[:3]))


def timing(name: str, what: str, seconds: Sequence[float], percent: int, limit: float) -> Figure:
    """A percentile of measured times. Without a single measurement it has failed."""
    if not seconds:
        return Figure(name, what, "not measured", f"{limit:g} s", False, decides=False)
    at = percentile(seconds, percent)
    value = f"{at:.3f} s of {len(seconds)}"
    return Figure(name, f"{what}, p{percent}", value, f"{limit:g} s", at <= limit, decides=False)


def percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def print_table(figures: Sequence[Figure]) -> None:
    print(f"\n{'':5}{'what':66}{'measured':>22}{'limit':>14}  verdict")
    for one in figures:
        print(f"{one.name:5}{one.what:66}{one.value:>22}{one.limit:>14}  {one.verdict}")
    for one in figures:
        if not one.passed and one.stories:
            print(f"\n{one.name} {one.what}:", *one.stories, sep="\n")


def is_good(figures: Sequence[Figure]) -> bool:
    return all(one.passed for one in figures if one.decides)


def save(path: Path, code: str, done: dict[str, list[Figure]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    rows = {part: [asdict(one) for one in figures] for part, figures in done.items()}
    draft.write_text(json.dumps({"code": code, "parts": rows}, indent=1))
    draft.replace(path)


def load(path: Path, code: str) -> dict[str, list[Figure]]:
    """What an interrupted campaign of this very code has measured."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if found.get("code") != code:
        return {}
    return {
        part: [Figure(**{**row, "stories": tuple(row["stories"])}) for row in rows]
        for part, rows in found["parts"].items()
    }
