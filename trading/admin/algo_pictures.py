"""An algo in pictures: its schedule against what it achieved, the prices it paid, and its slices.

Lines hold their value until the next point, because a slice is due at once and a fill arrives at once. What the lines
show stands as exact numbers in the table below each picture.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.domain.algo_plans import slice_quantities
from trading.domain.algo_states import LIVING
from trading.domain.money import ZERO, add, divide, plain
from trading.models import Algo, AlgoChild
from trading.queries.algos import (
    AlgoCurves,
    AlgoFill,
    AlgoProgress,
    ends_at,
    has_schedule,
    pauses_until,
    read_plan,
    thin,
)

from . import cells
from .algo_cells import percent_words
from .charts import Band, Chart, Level, Mark, Series

Points = Sequence[tuple[datetime, Decimal]]
# So much a screen can show; a page is fetched again at every change.
MOST_PLACES, MOST_FILLS, MOST_BARS = 200, 100, 60
PAUSE_NOTE = "Coloured spans: it was paused, and its clock stood."


def schedule_chart(algo: Algo, curves: AlgoCurves, progress: AlgoProgress, now: datetime) -> Chart:
    """Both lines over the algo's whole time, ahead of now only the schedule."""
    pauses, (begin, stop) = pauses_until(algo, now), _lived(algo, [at for at, _ in curves.achieved], now)
    end = max([stop, *_ends(algo, now)])
    inner = [at for line in (curves.schedule, curves.achieved) for at, _ in thin(line, MOST_PLACES // 2)]
    edges = [at for pause in pauses for at in pause]
    places = sorted({begin, stop, end, *(at for at in (*inner, *edges) if begin <= at <= end)})
    asset = algo.instrument.base_asset
    achieved = _held(curves.achieved, [at for at in places if at <= stop])
    series = [_line("Achieved", [*achieved, *[None] * (len(places) - len(achieved))], "busy")]
    if has_schedule(algo):
        series.insert(0, _line("Schedule", _held(curves.schedule, places), "calm", is_dashed=True))
    return Chart(
        key="schedule",
        title="Schedule against achieved" if has_schedule(algo) else "Achieved",
        places=places,
        series=series if len(places) > 1 else [],
        unit=asset,
        bands=[Band(since, until, "paused", "warn") for since, until in pauses],
        levels=[Level(algo.quantity, f"all of it, {plain(algo.quantity)} {asset}", "calm")],
        marks=[Mark(now, "now")] if algo.state in LIVING else [Mark(algo.finished_at or now, algo.state)],
        is_unit_on_axis=True,
        is_from_zero=True,
        fits_levels=True,
        summary=_summary(algo, progress, len(pauses)),
        empty="The lines begin with its start.",
        note=PAUSE_NOTE if pauses else "",
        height=300,
    )


def _summary(algo: Algo, progress: AlgoProgress, pauses: int) -> str:
    said = f"{percent_words(algo, progress.filled)} of {plain(algo.quantity)} {algo.instrument.base_asset} achieved"
    if has_schedule(algo):
        said += f", {percent_words(algo, progress.scheduled)} scheduled by now"
    return said + (f", with {pauses} {'pause' if pauses == 1 else 'pauses'} marked." if pauses else ".")


def _lived(algo: Algo, filled: Sequence[datetime], now: datetime) -> tuple[datetime, datetime]:
    """From its start until now or its end. Fills bear the venue's time, which may be a little off."""
    stop = algo.finished_at or now
    return min([algo.start_at, stop, *filled]), max([stop, *filled])


def _ends(algo: Algo, now: datetime) -> list[datetime]:
    """What is ahead of a living one; an ended one is shown as far as it came."""
    end = ends_at(algo, now) if algo.state in LIVING else None
    return [end] if end else []


def _held(points: Points, places: Iterable[datetime]) -> list[Decimal]:
    """The value of the last point at each place; nothing before the first."""
    instants = [at for at, _ in points]
    found = (bisect_right(instants, place) for place in places)
    return [points[index - 1][1] if index else ZERO for index in found]


def _line(label: str, values: Sequence[Decimal | None], tone: str, *, is_dashed: bool = False) -> Series:
    texts: list[Any] = [cells.exact(value) for value in values]
    return Series(label, values, tone, kind="step", texts=texts, is_dashed=is_dashed)


def prices_chart(algo: Algo, fills: Sequence[AlgoFill], now: datetime) -> Chart:
    """What each fill paid, and the average so far, against the price at the start and the worst that is accepted."""
    begin, stop = _lived(algo, [fill.at for fill in fills], now)
    averages, worth, quantity = [], ZERO, ZERO
    for fill in fills:
        worth, quantity = add(worth, fill.notional), add(quantity, fill.quantity)
        averages.append(divide(worth, quantity))
    every = len(fills)
    fills, averages = fills[-MOST_FILLS:], averages[-MOST_FILLS:]
    dots: list[Decimal | None] = [None, *(fill.price for fill in fills), None]
    line: list[Decimal | None] = [None, *averages, *averages[-1:]]
    said = [f"{plain(fill.quantity)} at {plain(fill.price)}" for fill in fills]
    levels = [Level(algo.arrival_price, "price at its start", "calm")] if algo.arrival_price else []
    levels += [Level(algo.price, "the worst it accepts", "bad")] if algo.price else []
    return Chart(
        key="prices",
        title="What its fills paid" if every == len(fills) else f"What the last {len(fills)} fills paid",
        places=[begin if every == len(fills) else fills[0].at, *(fill.at for fill in fills), stop],
        series=[
            Series(
                "Fill", dots, "good" if algo.side == "BUY" else "bad", kind="dots", texts=["—", *said, "—"]
            ),
            Series(
                "Average so far", line, "busy", kind="step", texts=[cells.average(value) for value in line]
            ),
        ]
        if fills
        else [],
        unit=algo.instrument.quote_asset,
        levels=levels,
        is_unit_on_axis=True,
        fits_levels=True,
        summary=f"Prices of {len(fills)} of {every} fills, their average, and the price at the start.",
        empty="No fill yet: prices appear with the first.",
    )


def slices_chart(algo: Algo, children: Iterable[AlgoChild]) -> Chart:
    """Each planned slice, and what the children of that slice achieved. A later slice may catch an earlier one up."""
    plan = read_plan(algo)
    achieved = [ZERO] * len(plan)
    for child in children:
        achieved[child.slice] = add(achieved[child.slice], child.order.filled_quantity)
    planned = slice_quantities(plan)
    size = -(-len(plan) // MOST_BARS)
    places = [_span_of(first, min(first + size, len(plan))) for first in range(0, len(plan), size)]
    planned, achieved = _by(size, planned), _by(size, achieved)
    return Chart(
        key="slices",
        title="Its slices" if size == 1 else f"Its slices, {size} in one bar",
        kind="bar",
        places=places,
        series=[
            Series("Planned", planned, "calm", texts=[cells.exact(value) for value in planned]),
            Series("Achieved", achieved, "busy", texts=[cells.exact(value) for value in achieved]),
        ],
        unit=algo.instrument.base_asset,
        is_unit_on_axis=True,
        summary=f"{len(plan)} slices with what was planned and what was achieved in each.",
        note="A slice that achieved more than was planned caught up what one before it left.",
    )


def _span_of(first: int, end: int) -> str:
    return str(end) if end - first == 1 else f"{first + 1}-{end}"


def _by(size: int, values: Sequence[Decimal]) -> list[Decimal]:
    """Sums of so many at a time."""
    sums = []
    for first in range(0, len(values), size):
        total = ZERO
        for value in values[first : first + size]:
            total = add(total, value)
        sums.append(total)
    return sums


def plan_chart(points: Points, ends: datetime | None, asset: str, quantity: Decimal) -> Chart:
    """The schedule of an algo that is not started yet."""
    begin = points[0][0]
    end = ends or begin + timedelta(seconds=1)
    places = [*(at for at, _ in points), end]
    values = [*(target for _, target in points), quantity]
    return Chart(
        key="plan",
        title="The plan",
        places=places,
        series=[_line("Ordered by then", values, "busy")],
        unit=asset,
        is_unit_on_axis=True,
        is_from_zero=True,
        summary=f"{len(points)} slices until all of {plain(quantity)} {asset} is ordered.",
    )


def pieces_chart(pieces: Sequence[Decimal], asset: str) -> Chart:
    """The single quantities of a plan."""
    return Chart(
        key="pieces",
        title="One child after the other",
        kind="bar",
        places=[str(number) for number in range(1, len(pieces) + 1)],
        series=[Series("Quantity", pieces, "busy", texts=[cells.exact(value) for value in pieces])],
        unit=asset,
        is_unit_on_axis=True,
        height=120,
        summary=f"{len(pieces)} children, the largest {plain(max(pieces))} {asset}.",
    )
