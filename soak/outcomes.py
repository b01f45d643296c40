"""Which orders and requests ended in an error, and which of these a fault of the run explains.

An error is a request that never got a decision, and an approved order that ended without having been what was asked
for: rejected, not accepted, lapsed or quarantined. A fault explains an order when the venue's journal says that one met
its request, or when the order was on its way while one was played or a halt stood. A denial is a decision. A client's
request is explained by nothing: repeating it must bring the decision.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from soak.fault_kind import FaultKind
from soak.flow import Asked
from soak.halting import Halted
from soak.scene import Scene

AFTERMATH_SECONDS = 10.0
ORDERS = """
SELECT client_order_id AS name, id::text AS id, status, status_reason AS reason, created_at, finished_at,
       permit_at, acknowledged_at, doubt_since, origin
  FROM trading_order WHERE origin NOT IN ('external', 'orphan') AND created_at >= %s"""
ERRORS = frozenset({"rejected", "not_accepted", "lapsed", "quarantined"})


@dataclass
class Outcomes:
    approved: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        return self.approved

    @property
    def percent(self) -> float:
        return 100 * len(self.errors) / self.cases if self.cases else 0.0


def weigh_outcomes(
    rows: Sequence[Mapping[str, Any]],
    asked: Sequence[Asked],
    scene: Scene,
    kinds: Mapping[str, FaultKind],
    halts: Sequence[Halted],
) -> Outcomes:
    found = Outcomes(statuses=Counter(str(row["status"]) for row in rows))
    met = _faults_of_requests(scene)
    for row in rows:
        if row["status"] == "denied":
            continue
        found.approved += 1
        if row["status"] not in ERRORS:
            continue
        cause = met.get(row["name"]) or _cause_by_time(row, scene, kinds, halts)
        if cause:
            found.explained[f"{row['status']} by {cause}"] += 1
        else:
            found.errors.append(f"{row['name']} (order {row['id']}) ended {row['status']}: {row['reason']}")
    failed = [one for one in asked if one.failed]
    found.approved += len(failed)
    found.errors += [
        f"request {one.key} ({one.kind}) got no decision in {one.tries} tries: HTTP {one.status} {one.problem}"
        for one in failed
    ]
    return found


def _faults_of_requests(scene: Scene) -> dict[str, str]:
    met: dict[str, set[str]] = defaultdict(set)
    for row in scene.placements.rows:
        if row.get("fault"):
            met[str(row["params"].get("newClientOrderId", ""))].add(str(row["fault"]))
    return {name: ", ".join(sorted(kinds)) for name, kinds in met.items()}


def _cause_by_time(
    row: Mapping[str, Any], scene: Scene, kinds: Mapping[str, FaultKind], halts: Sequence[Halted]
) -> str:
    began = _seconds(row["created_at"])
    ended = _seconds(row["permit_at"] or row["finished_at"] or row["created_at"])
    for halt in halts:
        if began <= halt.released and ended >= halt.began:
            return "halt"
    for fault in scene.played:
        if kinds[fault.name].costs_orders and (
            began <= fault.ended + AFTERMATH_SECONDS and ended >= fault.began
        ):
            return fault.name
    return ""


def _seconds(at: datetime) -> float:
    return at.timestamp()
