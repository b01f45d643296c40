"""A line of the table: what was measured against what limit, the verdict, and what to look at if it failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

SHOWN = 8


@dataclass(frozen=True)
class Line:
    """`passed` None: not measured, which fails nothing and is not called passed. `is_time`: depends on the machine."""

    name: str
    what: str
    measured: str
    limit: str
    passed: bool | None
    is_time: bool = False
    evidence: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        return {True: "PASS", False: "FAIL", None: "NOT MEASURED"}[self.passed]

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "measured": self.measured,
            "limit": self.limit,
            "verdict": self.verdict,
            "is_time": self.is_time,
            "evidence": list(self.evidence),
        }


def none_of(name: str, what: str, found: Sequence[str], stories: Iterable[str] = ()) -> Line:
    """Nothing of this kind may be found."""
    return Line(name, what, str(len(found)), "0", not found, evidence=(*found, *stories))


def has_passed(lines: Sequence[Line]) -> bool:
    return bool(lines) and all(line.passed is not False for line in lines)


def format_table(lines: Sequence[Line]) -> str:
    rows = [("criterion", "measured", "limit", "verdict")]
    rows += [(line.what, line.measured, line.limit, line.verdict) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    text = [
        f"{what:<{widths[0]}}  {measured:>{widths[1]}}  {limit:>{widths[2]}}  {verdict}"
        for what, measured, limit, verdict in rows
    ]
    text.insert(1, "-" * max(map(len, text)))
    return "\n".join(text)


def format_evidence(lines: Sequence[Line]) -> str:
    """Of the lines that failed."""
    parts = []
    for line in lines:
        if line.passed is False:
            parts += ["", f"FAIL {line.what}:", *(f"  {text}" for text in line.evidence[:SHOWN])]
            if len(line.evidence) > SHOWN:
                parts.append(f"  … {len(line.evidence) - SHOWN} more in the report")
    return "\n".join(parts)
