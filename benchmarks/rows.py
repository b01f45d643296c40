"""The rows of a measurement: numbers with a unit, quantiles, and how they are shown and kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

RESULTS = Path(__file__).parent / "results"
QUANTILES = (50, 95, 99)


@dataclass(frozen=True)
class Row:
    """`goal` is empty where none was set; `note` says what exactly was measured."""

    name: str
    number: float
    unit: str
    goal: str = ""
    note: str = ""


def quantile(samples: Sequence[float], percent: int) -> float:
    """By linear interpolation between the samples."""
    if len(samples) == 1:
        return samples[0]
    return quantiles(samples, n=100, method="inclusive")[percent - 1]


def spread(
    name: str, seconds: Sequence[float], *, goals: dict[int, str] | None = None, note: str = ""
) -> list[Row]:
    """p50, p95 and p99 in milliseconds."""
    said = "; ".join(part for part in (note, f"{len(seconds)} samples") if part)
    return [
        Row(
            f"{name} p{percent}",
            quantile(seconds, percent) * 1000,
            "ms",
            (goals or {}).get(percent, ""),
            said,
        )
        for percent in QUANTILES
    ]


def show(title: str, rows: Sequence[Row]) -> str:
    width = max(len(row.name) for row in rows)
    lines = ["", title, "-" * len(title)]
    for row in rows:
        goal = f"  goal {row.goal}" if row.goal else ""
        note = f"  ({row.note})" if row.note else ""
        lines.append(f"  {row.name:<{width}}  {row.number:>12,.2f} {row.unit:<9}{goal}{note}")
    return "\n".join(lines)


def keep(name: str, rows: Sequence[Row], circumstances: dict[str, Any]) -> Path:
    file = RESULTS / f"{name}.json"
    content = {"name": name, **circumstances, "rows": [asdict(row) for row in rows]}
    file.write_text(json.dumps(content, indent=2) + "\n")
    return file
