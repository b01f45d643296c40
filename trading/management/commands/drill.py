"""Tries the kill path on a simulated account, from a resting order to a proven empty venue. Needs neither Redis nor a
worker. Exit code 1: refused, not clean, or not released."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.execution.drill import DrillReport, run_drill
from trading.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = "Try the kill path on a simulated account, and report what each step took."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="a simulated account; default: drill, else the default account")

    def work(self, options: Mapping[str, Any]) -> None:
        self.say("placing an order, halting its account, sweeping to the verdict (about 20 s) …")
        found = run_drill(options["account"], actor=self.actor)
        self.report(found.as_dict(), describe(found))
        if not found.passed:
            self.fail("The drill did not end clean and released; look at the kill switch.")


def describe(found: DrillReport) -> str:
    steps = found.as_dict()
    words = [
        f"  {title:<22} {steps[name] or 'never':>8} s"
        for title, name in (
            ("halt answered after", "engage_seconds"),
            ("no permit left", "drain"),
            ("first cancel sent", "first_cancel"),
            ("proven clean", "clean"),
        )
    ]
    released = "released" if found.released else "NOT released"
    return "\n".join([f"{found.account}: {found.verdict}, {released}.", *words])
