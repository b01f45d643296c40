"""Checks this machine and its settings before trading starts; refuses in testnet and production what is not safe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from levi_site.preflight import Finding, Result, run_preflight
from trading.management.operator_command import OperatorCommand

MARKS = {Result.GOOD: "ok      ", Result.WARNING: "warning ", Result.REFUSED: "REFUSED "}


def describe(finding: Finding) -> str:
    remedy = f"  →  {finding.remedy}" if finding.remedy else ""
    return f"{MARKS[finding.result]} {finding.check}: {finding.observed}{remedy}"


class Command(OperatorCommand):
    help = "Check secrets, hosts, limits, database, clock and keys; exit code 1 if trading must not start."

    def work(self, options: Mapping[str, Any]) -> None:
        findings = run_preflight()
        refused = [finding for finding in findings if finding.result is Result.REFUSED]
        record = {"mode": settings.LEVI_MODE, "ok": not refused, "findings": [f.as_dict() for f in findings]}
        self.report(record, "\n".join(map(describe, findings)))
        if refused:
            self.fail(
                f"{len(refused)} of {len(findings)} checks refuse to trade in {settings.LEVI_MODE} mode."
            )
