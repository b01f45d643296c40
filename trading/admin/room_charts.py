"""The control room's pictures, described: equity with its halts, results, orders per minute, latencies, gauges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from trading.queries.dashboard import MinuteColumn
from trading.queries.equity import RestrictedSpan
from trading.queries.pictures import CurvePoint, DayResult, StageLatency
from trading.risk.limit_fields import FIELDS

from . import cells
from .charts import Band, Chart, Series
from .tones import tone_of

# Stacked from the bottom: what went well first.
_TONES = {
    "good": "filled",
    "busy": "under way",
    "warn": "in doubt",
    "calm": "canceled or lapsed",
    "bad": "denied or refused",
}
_WORDS = {"day": "today", "week": "of the last 7 days", "month": "of the last 30 days"}
# Shown in this order; what has no limit has no gauge.
_GAUGES = {
    "exposure_limit_total": "Exposure, all symbols",
    "exposure_limit_symbol": "Exposure, the largest symbol",
    "kill_threshold_usd": "Exposure that halts",
    "max_daily_loss_pct": "Loss of the day",
    "max_open_orders": "Open orders",
    "max_orders_per_minute": "Orders per minute",
    "max_concurrent_positions": "Positions",
}


def halt_bands(spans: Sequence[RestrictedSpan]) -> list[Band]:
    tones = {"halted": "bad", "reducing": "warn"}
    return [
        Band(span.since, span.until, f"{span.state}: {span.reason}", tones.get(span.state, "bad"))
        for span in spans
    ]


def equity_chart(
    curve: Sequence[CurvePoint], halts: Sequence[RestrictedSpan], span_name: str = "day"
) -> Chart:
    values = [point.equity for point in curve] if len(curve) > 1 else []
    low, high = (min(values), max(values)) if values else (Decimal(0), Decimal(0))
    words = _WORDS.get(span_name, span_name)
    return Chart(
        key="equity",
        title=f"Equity {words}",
        places=[point.at for point in curve][: len(values)],
        series=[Series("Equity", values, texts=[cells.dollars(value) for value in values])],
        unit="USD",
        bands=halt_bands(halts),
        summary=f"Equity {words}, between {low:,.2f} and {high:,.2f} dollars, with {len(halts)} halts marked.",
        empty="The curve begins with the second snapshot. Snapshots are taken with every sync.",
        note="Coloured spans: trading was halted or reducing." if halts else "",
        more_url=cells.page_url("equitysnapshot", "changelist"),
        ranges=[(name, name == span_name) for name in _WORDS],
    )


def results_chart(results: Sequence[DayResult]) -> Chart:
    """A winning and a losing series, so that colour and side of the line say the same."""

    def side(sign: int) -> list[Decimal | None]:
        return [row.pnl if row.pnl is not None and row.pnl * sign > 0 else None for row in results]

    texts = [[cells.gain(row.pnl) if row.pnl is not None else "—" for row in results]]
    nothing = ["" for _ in results]
    return Chart(
        key="results",
        title="Result per day",
        kind="bar",
        places=[f"{row.date:%m-%d}" for row in results],
        series=[
            Series("Gain", side(1), "good", texts=texts[0]),
            Series("Loss", side(-1), "bad", texts=nothing),
        ],
        unit="USD",
        is_stacked=True,
        summary=f"Profit or loss of each of the last {len(results)} days.",
        empty="The first day's result appears with its second snapshot.",
    )


def orders_chart(minutes: Sequence[MinuteColumn]) -> Chart:
    by_tone = {tone: [0] * len(minutes) for tone in _TONES}
    for index, minute in enumerate(minutes):
        for status, count in minute.counts.items():
            by_tone[tone_of(status)][index] += count
    shown = {tone: counts for tone, counts in by_tone.items() if any(counts)}
    return Chart(
        key="orders",
        title="Orders per minute, last hour",
        kind="bar",
        places=[minute.at for minute in minutes],
        series=[Series(_TONES[tone], counts, tone) for tone, counts in shown.items()],
        is_stacked=True,
        height=120,
        summary=f"{sum(minute.total for minute in minutes)} orders in the last hour, by minute and outcome.",
        empty="No order was asked for within the last hour.",
    )


def latency_chart(latencies: Sequence[StageLatency]) -> Chart:
    columns = (("half", "p50", "calm"), ("95 of 100", "p95", "busy"), ("99 of 100", "p99", "warn"))
    return Chart(
        key="latency",
        title="Time per stage, newest orders",
        kind="bar",
        is_lying=True,
        places=[row.stage for row in latencies],
        series=[
            Series(f"{words} within", [getattr(row, name) for row in latencies], tone)
            for words, name, tone in columns
        ],
        unit="ms",
        summary="Milliseconds each stage of sending an order takes, as percentiles.",
        empty="No order was sent yet.",
    )


def gauges(utilisation: Mapping[str, float]) -> list[tuple[str, Decimal]]:
    """(name, percent used) of every limit that is set."""
    known = {name: Decimal(str(round(share * 100, 2))) for name, share in utilisation.items()}
    rest = {name: FIELDS[name].label.capitalize() for name in known if name not in _GAUGES}
    return [(title, known[name]) for name, title in {**_GAUGES, **rest}.items() if name in known]
