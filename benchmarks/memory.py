"""Memory of the whole stack by process: proportional set size, which counts shared pages once."""

from __future__ import annotations

from collections import defaultdict

from benchmarks.rows import Row
from rig.instance import StackInstance
from rig.roles import name_role, read_pss


def measure(stack: StackInstance) -> list[Row]:
    sums: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    for member in stack.members():
        role = name_role(member.command)
        sums[role] += read_pss(member.pid)
        counts[role] += 1
    rows = [
        Row(role, sums[role] / 1e6, "MB", note=f"{counts[role]} processes")
        for role in sorted(sums, key=sums.__getitem__, reverse=True)
    ]
    return [*rows, Row("whole stack", sum(sums.values()) / 1e6, "MB", "<= 700 MB")]
