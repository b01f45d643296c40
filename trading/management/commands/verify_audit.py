"""Verifies the audit trail: chains, checkpoints, signatures, anchors. Names the first wrong entry of each kind.

0 intact · 1 damaged, or it could not be read · 2 wrong use
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.audit import AuditReport, verify
from trading.execution.audit_watch import describe as describe_damage
from trading.management.operator_command import OperatorCommand, long_statements, parse_time
from trading.management.progress import ProgressBar
from trading.models import AuditEntry


class Command(OperatorCommand):
    help = (
        "Recompute every chain of the audit trail and compare it with its checkpoints and anchors. "
        "Exit code 0: intact, 1: damaged, 2: wrong use."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--until", type=parse_time, metavar="TIME", help="only entries up to this time")
        parser.add_argument(
            "--since-checkpoint", type=int, default=0, metavar="N", help="only what came after checkpoint N"
        )

    def work(self, options: Mapping[str, Any]) -> None:
        with long_statements():
            total = 0 if options["since_checkpoint"] else AuditEntry.objects.count()
            bar = ProgressBar("verifying", total, shown=not self.as_json)
            found = verify(until=options["until"], since=options["since_checkpoint"], progress=bar.show)
        bar.finish()
        self.report(found.as_dict(), describe(found))
        if not found.ok:
            self.fail(
                "The audit trail is damaged. Stop trading, keep the database and the anchors as they are, and look "
                "into it: docs/operations.md, audit trail."
            )


def describe(found: AuditReport) -> str:
    seals = (
        f"{found.checkpoints} signed checkpoints seal {found.sealed_entries}; {found.anchors} anchors agree."
    )
    notes = [f"  note: {note}" for note in found.notes[:20]]
    if found.ok:
        first = f"{found.entries} entries in {found.streams} chains: every entry is unchanged and no chain has a gap."
        return "\n".join([first, seals, *notes])
    lines = [
        "The trail is damaged: " + ", ".join(f"{n} × {kind}" for kind, n in sorted(found.counts.items()))
    ]
    lines += [
        f"  entry {damage.entry_id} ({damage.kind}): {describe_damage(damage)}"
        if damage.entry_id
        else f"  ({damage.kind}): {describe_damage(damage)}"
        for damage in found.damages[:50]
    ]
    return "\n".join([*lines, *notes])
