"""Verifies the audit trail: recomputes every chain and names the first wrong entry of each damaged one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.audit import AuditReport, verify
from trading.management.operator_command import OperatorCommand, long_statements, parse_time
from trading.management.progress import ProgressBar
from trading.models import AuditEntry


class Command(OperatorCommand):
    help = "Recompute every chain of the audit trail; exit code 1 if an entry was changed or is missing."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--until", type=parse_time, metavar="TIME", help="only entries up to this time")

    def work(self, options: Mapping[str, Any]) -> None:
        total = AuditEntry.objects.count()
        bar = ProgressBar("verifying", total, shown=not self.as_json)
        with long_statements():
            found = verify(until=options["until"], progress=bar.show)
        bar.finish()
        self.report(found.as_dict(), describe(found))
        if not found.ok:
            self.fail(
                "The audit trail is damaged. Stop trading, keep the database as it is, and look into it."
            )


def describe(found: AuditReport) -> str:
    if found.ok:
        return f"{found.entries} entries in {found.streams} chains: every entry is unchanged and no chain has a gap."
    lines = [f"{len(found.damages)} of {found.streams} chains are damaged; the first wrong entry of each:"]
    lines += [
        f"  entry {damage.entry_id} ({damage.kind}): {damage.detail} [chain {damage.stream}, "
        f"sequence {damage.sequence}]"
        for damage in found.damages
    ]
    return "\n".join(lines)
