"""What a run measured, as one document, and the same as text: the table first, then what else is worth knowing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from soak.flow import Flow
from soak.halting import Halted
from soak.judging import SoakVerdict
from soak.lines import format_evidence, format_table, has_passed
from soak.measured import Measured
from soak.memory import measure_growth
from soak.options import SoakOptions
from soak.scene import Scene
from soak.trading_day import DayOfTheRun


def make_report(
    options: SoakOptions, run: Measured, verdict: SoakVerdict, day: DayOfTheRun, machine: Mapping[str, Any]
) -> dict[str, Any]:
    scene, flow, watch, halted = run.scene, run.flow, run.watch, run.halted
    return {
        "passed": has_passed(verdict.lines) and not run.interrupted,
        "interrupted": run.interrupted,
        "hours": options.hours,
        "speed": options.speed,
        "seed": options.seed,
        "seconds": round(run.seconds, 1),
        "machine": dict(machine),
        "lines": [line.as_dict() for line in verdict.lines],
        "requests": count_requests(flow),
        "orders": dict(verdict.outcomes.statuses),
        "explained_failures": dict(verdict.outcomes.explained),
        "latencies": describe_latencies(scene, flow, halted),
        "faults": [
            asdict(fault)
            | {name: round(getattr(fault, name) - scene.began, 1) for name in ("began", "ended")}
            for fault in scene.played
        ],
        "faults_planned": len(run.planned),
        "troubles": list(run.troubles),
        "halts": [dict(row) for row in verdict.halts],
        "kills": [asdict(one) | {"response": one.response, "answer": one.answer} for one in halted],
        "memory": [
            asdict(one) | {"percent": round(one.percent, 2)}
            for one in measure_growth(watch.samples, run.seconds)
        ],
        "probes": {"asked": len(watch.probes), "unanswered": sum(not one.answered for one in watch.probes)},
        "trading_day_began": day.begins.isoformat() if day.begins else None,
        "behind_seconds": round(flow.latest, 2),
    }


def count_requests(flow: Flow) -> dict[str, Any]:
    codes = Counter(code for one in flow.asked for code in one.codes)
    return {
        "asked": len(flow.asked),
        "by_kind": dict(Counter(one.kind for one in flow.asked)),
        "by_decision": dict(Counter(one.decision or f"HTTP {one.status}" for one in flow.asked)),
        "denied_by": dict(codes.most_common()),
        "repeated_until_answered": sum(one.tries > 1 for one in flow.asked),
        "cancels": dict(Counter(f"HTTP {one.status}" for one in flow.cancels)),
    }


_SPEEDS = """
SELECT extract(epoch FROM permit_at - created_at)::float AS permit,
       extract(epoch FROM acknowledged_at - created_at)::float AS acknowledged
  FROM trading_order WHERE permit_at IS NOT NULL AND origin NOT IN ('external', 'orphan') AND created_at >= %s"""


def describe_latencies(scene: Scene, flow: Flow, halted: Sequence[Halted]) -> dict[str, Any]:
    """In seconds, with everything that faults did to them."""
    rows = scene.stack.rows(_SPEEDS, scene.began_at)
    kinds: dict[str, list[float]] = {
        "decision": [one.seconds for one in flow.asked if not one.failed],
        "permit": [row["permit"] for row in rows if row["permit"] is not None],
        "acknowledged": [row["acknowledged"] for row in rows if row["acknowledged"] is not None],
        "halt_blocked": [one.response for one in halted],
        "halt_answered": [one.answer for one in halted],
    }
    return {name: spread(values) for name, values in kinds.items() if values}


def spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "p50": round(median(ordered), 4),
        "p99": round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 4),
        "most": round(ordered[-1], 4),
    }


def format_report(report: Mapping[str, Any], verdict: SoakVerdict) -> str:
    requests, orders = report["requests"], report["orders"]
    ended = ", interrupted: this is what was measured until then" if report["interrupted"] else ""
    head = (
        f"soak: {report['hours']:g} hours of trading in {report['seconds'] / 60:.1f} minutes, "
        f"speed {report['speed']:g}, seed {report['seed']}{ended}"
    )
    faults = Counter(row["name"] for row in report["faults"])
    told = [
        head,
        "",
        format_table(verdict.lines),
        "",
        f"requests       {requests['asked']}: {count_words(requests['by_kind'])}",
        f"answers        {count_words(requests['by_decision'])}; "
        f"{requests['repeated_until_answered']} requests were repeated until they had one",
        f"denied by      {count_words(requests['denied_by']) or 'nothing'}",
        f"orders         {count_words(orders)}",
        f"explained      {count_words(report['explained_failures']) or 'no order failed because of a fault'}",
        f"faults         {len(report['faults'])} of {report['faults_planned']}: {count_words(faults)}",
        *(f"trouble        {text}" for text in report["troubles"]),
        *(
            f"{name:<14} {row['count']}: p50 {row['p50']:.3f} s, p99 {row['p99']:.3f} s, most {row['most']:.3f} s"
            for name, row in report["latencies"].items()
        ),
        f"day            {describe_day(report['trading_day_began'])}",
    ]
    return "\n".join(told) + format_evidence(verdict.lines)


def describe_day(began: str | None) -> str:
    return f"a trading day began at {began}" if began else "no trading day began meanwhile"


def count_words(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count} {name}" for name, count in ordered)


def write_report(file: Path, report: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.draft")
    draft.write_text(json.dumps(report, indent=1, default=str) + "\n", encoding="utf-8")
    draft.replace(file)
