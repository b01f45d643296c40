"""Pictures of numbers: a chart is a frozen description, a template draws it, and its numbers stand under it as a table.

The drawing is Chart.js from our own static files (static/trading/charts.js); without a script the table is open. Floats
appear in drawn points only; what the table shows is text made from exact numbers by whoever describes the chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from .cells import when

Point = Decimal | float | int | None


@dataclass(frozen=True, slots=True)
class Series:
    """One line or one colour of bars. `tone` names a colour of the panel (good, busy, warn, bad, calm)."""

    label: str
    values: Sequence[Point]
    tone: str = "busy"
    kind: str = ""  # "line", "step", "bar" or "dots"; empty: the chart's own
    is_dashed: bool = False
    texts: Sequence[Any] = ()  # what the table shows; empty: the values as they are


@dataclass(frozen=True, slots=True)
class Band:
    """A span on the time axis: a halt on an equity curve. `until` None: still so."""

    since: datetime
    until: datetime | None
    label: str
    tone: str = "bad"


@dataclass(frozen=True, slots=True)
class Level:
    """A height across the chart: a limit, or a part of one."""

    value: Decimal
    label: str
    tone: str = "bad"


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant on the time axis that has a name: now, the end."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`places` are instants (a time axis) or words. `key` names it on its page. `summary` says in one sentence what a
    person sees, for who cannot."""

    key: str
    title: str
    places: Sequence[datetime | str]
    series: Sequence[Series]
    unit: str = ""
    kind: str = "line"
    is_stacked: bool = False
    is_lying: bool = False  # bars from the left
    bands: Sequence[Band] = ()
    levels: Sequence[Level] = ()
    marks: Sequence[Mark] = ()
    is_unit_on_axis: bool = False
    is_from_zero: bool = False
    fits_levels: bool = False  # the axis reaches as far as the levels do
    summary: str = ""
    empty: str = "Nothing to draw yet."
    note: Any = ""
    more_url: str = ""
    height: int = 190
    ranges: Sequence[
        tuple[str, bool]
    ] = ()  # (name, whether it is the one that is drawn): links to this page's others
    template: str = "panel/section_chart.html"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not any(value is not None for series in self.series for value in series.values)

    @property
    def is_timed(self) -> bool:
        return bool(self.places) and isinstance(self.places[0], datetime)

    @property
    def payload(self) -> dict[str, Any]:
        """For the script; nothing in it is trusted as HTML."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "stacked": self.is_stacked,
            "lying": self.is_lying,
            "timed": self.is_timed,
            "axis": self.unit if self.is_unit_on_axis else "",
            "zero": self.is_from_zero,
            "fits": self.fits_levels,
            "places": [_place(place) for place in self.places],
            "series": [
                {
                    "label": series.label,
                    "tone": series.tone,
                    "kind": series.kind or self.kind,
                    "dashed": series.is_dashed,
                    "values": [None if value is None else round(float(value), 8) for value in series.values],
                }
                for series in self.series
            ],
            "bands": [
                {
                    "since": _place(b.since),
                    "until": _place(b.until) if b.until else None,
                    "label": b.label,
                    "tone": b.tone,
                }
                for b in self.bands
            ],
            "marks": [{"at": _place(mark.at), "label": mark.label} for mark in self.marks],
            "levels": [{"value": float(lv.value), "label": lv.label, "tone": lv.tone} for lv in self.levels],
        }

    @property
    def lines(self) -> list[list[Any]]:
        """The table under the chart; newest first where the places are instants."""
        rows = [
            [when(place) if isinstance(place, datetime) else place, *(_text(s, index) for s in self.series)]
            for index, place in enumerate(self.places)
        ]
        return rows[::-1] if self.is_timed else rows


def _place(place: datetime | str) -> float | str:
    return place.timestamp() * 1000 if isinstance(place, datetime) else place


def _text(series: Series, index: int) -> Any:
    if series.texts:
        return series.texts[index]
    value = series.values[index]
    return "—" if value is None else f"{value:,.2f}" if isinstance(value, (float, Decimal)) else f"{value:,}"
