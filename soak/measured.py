"""Everything a run has measured, in one value: what is judged and what is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rig.oracle import Findings
from soak.fault_kind import FaultKind
from soak.flow import Flow
from soak.halting import Halted
from soak.plan import PlannedFault
from soak.scene import Scene
from soak.watching import Watch

Balances = Mapping[str, Decimal]


@dataclass(frozen=True)
class Closing:
    """What was found once everything was at rest. `trouble`: what did not come to rest."""

    findings: Findings
    trouble: str
    audit_code: int
    audit_said: str
    balances_before: Balances


@dataclass(frozen=True)
class Measured:
    """`seconds`: how long the run lasted, its coming to rest not counted."""

    scene: Scene
    flow: Flow
    watch: Watch
    kinds: Mapping[str, FaultKind]
    planned: Sequence[PlannedFault]
    troubles: Sequence[str]
    halted: Sequence[Halted]
    closing: Closing
    seconds: float
    interrupted: bool
