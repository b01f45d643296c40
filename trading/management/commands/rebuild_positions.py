"""Recomputes every position from its fills and every balance from its movements, and compares with what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.execution.rebuilding import BookDifference, compare_books, repair_books
from trading.management.operator_command import OperatorCommand, long_statements

from .sync_portfolio import choose_accounts


class Command(OperatorCommand):
    help = "Recompute positions and balances; with --check only compare (exit code 1: something differs)."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="only this account; default: every enabled one")
        parser.add_argument("--check", action="store_true", help="compare, repair nothing")
        parser.add_argument(
            "--reason", default="rebuild_positions", help="why it is repaired; stands in the audit trail"
        )

    def work(self, options: Mapping[str, Any]) -> None:
        found: list[BookDifference] = []
        with long_statements():
            for account in choose_accounts(options["account"]):
                self.say(f"{account.name} …")
                if options["check"]:
                    found += compare_books(account)
                else:
                    found += repair_books(account, reason=options["reason"], actor=self.actor)
        verb = "differ" if options["check"] else "repaired"
        lines = [describe(one) for one in found] or ["Everything stored is what its parts add up to."]
        self.report({verb: [record(one) for one in found]}, "\n".join(lines))
        if found and options["check"]:
            self.fail(
                f"{len(found)} sums differ. Without --check they are repaired, with an audit entry each."
            )


def record(one: BookDifference) -> dict[str, Any]:
    return {
        "account": one.account,
        "kind": one.kind,
        "name": one.name,
        "stored": one.stored,
        "recomputed": one.recomputed,
    }


def describe(one: BookDifference) -> str:
    differing = [
        f"{name} {one.stored[name]} stored, {one.recomputed[name]} recomputed"
        for name in one.stored
        if one.stored[name] != one.recomputed[name]
    ]
    return f"{one.account}: {one.kind} {one.name}: {'; '.join(differing)}"
