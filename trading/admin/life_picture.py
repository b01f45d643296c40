"""An order's life as a picture: every stage a bar on one time axis, its duration beside it, the instants a click away.

Stages take from a millisecond to days, so each step of the axis is tenfold. Drawn here, without a script. A stage that
took no measurable time is still a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from trading.queries.timeline import Stage

from . import cells

_UNIT = 0.001  # where the axis begins to be told apart
_NARROWEST, _APART = 0.8, 11.0  # percent of the width
_TICKS = (
    (0.001, "1 ms"),
    (0.01, "10 ms"),
    (0.1, "100 ms"),
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 h"),
    (36_000, "10 h"),
    (86_400, "1 d"),
    (864_000, "10 d"),
)


@dataclass(frozen=True, slots=True)
class LifeBar:
    name: str
    took: SafeString
    drawing: SafeString
    began: SafeString
    ended: SafeString


@dataclass(frozen=True, slots=True)
class LifePicture:
    bars: Sequence[LifeBar]
    axis: Any
    total: Any
    title: str = "Time per stage"
    template: str = "panel/section_life.html"


def draw_life(stages: Sequence[Stage]) -> list[LifePicture]:
    """Nothing for an order that has no stage behind it."""
    if not stages:
        return []
    begin, end = stages[0].begin, max(stage.end for stage in stages)
    total = max((end - begin).total_seconds(), _UNIT)

    def place(seconds: float) -> float:
        return 100 * log10(1 + max(seconds, 0.0) / _UNIT) / log10(1 + total / _UNIT)

    bars = []
    for stage in stages:
        left = min(place((stage.begin - begin).total_seconds()), 100 - _NARROWEST)
        right = max(place((stage.end - begin).total_seconds()), left + _NARROWEST)
        bars.append(
            LifeBar(
                stage.name,
                cells.duration(stage.seconds),
                _bar(left, right, stage.tone),
                cells.when(stage.begin),
                cells.when(stage.end),
            )
        )
    marks = [(place(seconds), word) for seconds, word in _TICKS if seconds < total]
    return [LifePicture(bars, _axis(marks), cells.duration(total))]


def _bar(left: float, right: float, tone: str) -> SafeString:
    return format_html(
        '<svg class="lv-life-bar lv-life-{}" aria-hidden="true"><rect x="{}%" width="{}%" height="100%" rx="2"/></svg>',
        tone,
        f"{left:.2f}",
        f"{right - left:.2f}",
    )


def _axis(marks: Sequence[tuple[float, str]]) -> list[tuple[str, str]]:
    """(place, word), without those that would stand upon each other."""
    shown: list[tuple[float, str]] = []
    for at, word in marks:
        if at <= 100 - _APART / 2 and (not shown or at - shown[-1][0] >= _APART):
            shown.append((at, word))
    return [(f"{at:.2f}", word) for at, word in shown]
