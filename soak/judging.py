"""The table: each criterion, by the venue's ledger, the operating system, the final rows and the clients' own notes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rig.ledger import SIGNS
from rig.oracle import Findings
from rig.stories import tell
from soak.fault_kind import FaultKind
from soak.flow import Flow
from soak.halting import REASON, Halted
from soak.lines import Line, none_of
from soak.measured import Balances, Closing, Measured
from soak.memory import JUDGED, LIMIT_PERCENT, growth_of_all, measure_growth
from soak.outcomes import ORDERS, Outcomes, weigh_outcomes
from soak.scene import Scene
from soak.watching import Watch

KILL_SECONDS = 1.0
ERROR_PERCENT = 0.1
HALT_AFTERMATH = (
    240.0  # what an automatic halt looks at reaches back: doubts of minutes, looks that must agree
)
API_AFTERMATH = 10.0
POSITION = "the position in "
_HALTS = """
SELECT id::text AS id, scope, target, after, trigger, reason, actor, at FROM trading_haltchange
 WHERE after <> 'active' AND at >= %s ORDER BY at"""
_BREAKS = """
SELECT id::text AS id, kind, subject, detail::text AS detail FROM trading_break WHERE state <> 'resolved'"""
_BALANCES = "SELECT asset, free + locked AS total, booked, drift FROM trading_balance"
_KEYS = "SELECT key FROM trading_signal WHERE key = ANY(%s)"


@dataclass
class SoakVerdict:
    lines: list[Line]
    outcomes: Outcomes
    halts: list[dict[str, Any]]


def judge(run: Measured) -> SoakVerdict:
    scene, flow, watch, halted, closing = run.scene, run.flow, run.watch, run.halted, run.closing
    rows = scene.stack.rows(ORDERS, scene.began_at)
    outcomes = weigh_outcomes(rows, flow.asked, scene, run.kinds, halted)
    halts = list_halts(scene, run.kinds)
    found = closing.findings
    lines = [
        judge_crashes(scene, watch),
        judge_api(scene, watch),
        judge_errors(outcomes),
        judge_kill(halted),
        none_of(
            "late_orders",
            "orders that reached the venue after a halt had answered",
            [f"{name} in epoch {one.epoch}" for one in halted for name in one.late],
        ),
        judge_drift(scene, found, closing.balances_before),
        judge_stops(halts),
        none_of(
            "duplicates",
            "duplicate orders",
            [*found.doubled, *flow.contradictions],
            _stories(scene, found.doubled),
        ),
        judge_lost(scene, flow, closing),
        judge_torn(scene, found),
        Line(
            "audit",
            "audit chain intact",
            "yes" if closing.audit_code == 0 else "no",
            "yes",
            closing.audit_code == 0,
            evidence=tuple(closing.audit_said.splitlines()),
        ),
        judge_memory(watch, run.seconds),
    ]
    return SoakVerdict(lines, outcomes, halts)


def judge_crashes(scene: Scene, watch: Watch) -> Line:
    """By the lines of the stack's supervisor (leaders) and by the look at all processes (which sees leaders too)."""
    surplus = scene.surplus_ends()
    return none_of("crashes", "crashes (unplanned ends of processes)", [*surplus, *watch.gone])


def judge_api(scene: Scene, watch: Watch) -> Line:
    calm = [probe for probe in watch.probes if not scene.is_disturbed(probe.at, API_AFTERMATH)]
    missed = [f"{probe.at - scene.began:.0f} s into the run" for probe in calm if not probe.answered]
    if not calm:
        return Line("api", "API answers outside of faults", "not measured", "100 %", None)
    share = 100 * (1 - len(missed) / len(calm))
    measured = f"{share:.2f} % of {len(calm)}"
    return Line("api", "API answers outside of faults", measured, "100 %", not missed, evidence=tuple(missed))


def judge_errors(found: Outcomes) -> Line:
    measured = f"{found.percent:.3f} % ({len(found.errors)} of {found.cases})"
    passed = found.percent < ERROR_PERCENT if found.cases else None
    what = "order error rate, retries included"
    return Line("errors", what, measured, f"< {ERROR_PERCENT} %", passed, evidence=tuple(found.errors))


def judge_kill(halted: Sequence[Halted]) -> Line:
    if not halted:
        return Line("kill", "kill response, longest", "not measured", "< 1 s", None, is_time=True)
    longest = max(halted, key=lambda one: one.response)
    slow = tuple(
        f"epoch {one.epoch}: gate {one.gate - one.began:.3f} s, last new order at the venue "
        f"{one.last_arrival - one.began if one.last_arrival else 0:.3f} s after the request"
        for one in halted
        if one.response >= KILL_SECONDS
    )
    measured = f"{longest.response:.3f} s of {len(halted)}"
    return Line("kill", "kill response, longest", measured, "< 1 s", not slow, is_time=True, evidence=slow)


def judge_drift(scene: Scene, found: Findings, before: Balances) -> Line:
    """Positions and balances of the books against what the venue's fills add up to, and open breaks."""
    drift = [text for text in found.wrong if text.startswith(POSITION)]
    drift += list(compare_balances(scene, before))
    drift += [
        f"open break {row['id']}: {row['kind']} of {row['subject']} {row['detail']}"
        for row in scene.stack.rows(_BREAKS)
    ]
    return none_of("drift", "position drift (positions, balances, open breaks)", drift)


def fills_by_asset(scene: Scene) -> dict[str, Decimal]:
    """What the venue's fills moved, fees included."""
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for fill in scene.stack.venue.fills():
        quantity = SIGNS[fill["side"]] * Decimal(fill["quantity"])
        moved[fill["symbol"].removesuffix("USDT")] += quantity
        moved["USDT"] -= quantity * Decimal(fill["price"])
        moved[fill["fee_asset"]] -= Decimal(fill["fee"])
    return moved


def compare_balances(scene: Scene, before: Balances) -> list[str]:
    moved = fills_by_asset(scene)
    expected = {
        asset: before.get(asset, Decimal(0)) + moved.get(asset, Decimal(0)) for asset in {*before, *moved}
    }
    venue = {asset: Decimal(row["total"]) for asset, row in scene.stack.venue.balances().items()}
    ours = {row["asset"]: row for row in scene.stack.rows(_BALANCES)}
    found = []
    for asset, total in sorted(expected.items()):
        held = venue.get(asset, Decimal(0))
        if held != total:
            found.append(f"{asset}: the venue holds {held}, its fills add up to {total}")
        row = ours.get(asset)
        booked = row["booked"] if row else Decimal(0)
        if booked != held:
            found.append(f"{asset}: booked {booked.normalize():f}, the venue holds {held}")
    return found


def list_halts(scene: Scene, kinds: Mapping[str, FaultKind]) -> list[dict[str, Any]]:
    """Every engagement with why it came: the run's own hand, a fault that may cause it, or nothing known."""
    found = []
    for row in scene.stack.rows(_HALTS, scene.began_at):
        at = row["at"].timestamp()
        planned = str(row["reason"]).startswith(REASON)
        causes = [
            fault.name
            for fault in scene.played
            if row["trigger"] in kinds[fault.name].may_halt
            and fault.began <= at <= fault.ended + HALT_AFTERMATH
        ]
        why = "planned" if planned else causes[-1] if causes else ""
        found.append({**row, "at": row["at"].isoformat(), "into_run": round(at - scene.began, 1), "why": why})
    return found


def judge_stops(halts: Sequence[Mapping[str, Any]]) -> Line:
    unexplained = [
        f"halt {row['id']} of {row['scope']} {row['target']} to {row['after']} by {row['trigger']} ({row['reason']}), "
        f"{row['into_run']} s into the run"
        for row in halts
        if not row["why"]
    ]
    by = Counter(str(row["trigger"]) for row in halts if row["why"] not in ("planned", ""))
    told = ", ".join(f"{count} {trigger}" for trigger, count in sorted(by.items()))
    what = "unexplained global stops and halts" + (f" (explained: {told})" if told else "")
    return none_of("stops", what, unexplained)


def judge_lost(scene: Scene, flow: Flow, closing: Closing) -> Line:
    """Known at the venue only, promised to a client and not in the books, or without an end."""
    signals = {
        one.key for one in flow.asked if not one.failed and one.kind in ("market", "resting", "repeated")
    }
    known = {str(row["key"]) for row in scene.stack.rows(_KEYS, sorted(signals))}
    lost = list(closing.findings.unknown)
    lost += [
        f"the client was answered for {key}, and no signal has this key" for key in sorted(signals - known)
    ]
    lost += [f"not at rest: {text}" for text in (closing.trouble, flow.waiting) if text]
    return none_of("lost", "lost orders", lost, _stories(scene, closing.findings.unknown))


def judge_torn(scene: Scene, found: Findings) -> Line:
    wrong = [text for text in found.wrong if not text.startswith(POSITION)] + found.torn
    return none_of("wrong", "wrong verdicts, fills and torn states", wrong, _stories(scene, wrong))


def _stories(scene: Scene, sentences: Sequence[str]) -> list[str]:
    return [tell(one, scene.stack.database, scene.stack.venue, scene.placements) for one in sentences[:3]]


def judge_memory(watch: Watch, seconds: float) -> Line:
    growths = measure_growth(watch.samples, seconds)
    together = growth_of_all(growths)
    what = "memory growth after warm-up, all and worst process"
    if together is None:
        return Line("memory", what, "not measured", "<= 10 %", None)
    judged = [one for one in growths if one.role in JUDGED]
    worst = max(judged, key=lambda one: one.percent)
    measured = f"{together.percent:+.1f} %, {worst.role} {worst.percent:+.1f} %"
    evidence = tuple(
        f"{one.role}: {one.early / 1e6:.1f} MB, later {one.late / 1e6:.1f} MB ({one.percent:+.1f} %)"
        for one in judged
    )
    passed = max(together.percent, worst.percent) <= LIMIT_PERCENT
    return Line("memory", what, measured, "<= 10 %", passed, evidence=evidence)
