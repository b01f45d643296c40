"""Cancels open orders from this very process. Needs PostgreSQL and the venue: not Redis, not the panel, not a worker.

Trading itself goes on: what is sent afterwards is not canceled. To stop trading use `halt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.domain.enums import CancelScope
from trading.execution.clearing import ClearingReport, clear_orders
from trading.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = "Cancel open orders and report what could not be proven."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--scope",
            choices=[scope.value for scope in CancelScope],
            required=True,
            help="ours: orders of this installation; everything: whatever is open on the account",
        )
        parser.add_argument("--account", help="only this account")
        parser.add_argument("--symbol", help="only this symbol, such as BTC/USDT")
        parser.add_argument("--seconds", type=float, default=30.0, help="how long to stay until it is proven")

    def work(self, options: Mapping[str, Any]) -> None:
        found = clear_orders(
            CancelScope(options["scope"]),
            account=options["account"],
            symbol=options["symbol"],
            actor=self.actor,
            seconds=options["seconds"],
            progress=lambda left: self.say(f"{left} still open or not known …"),
        )
        self.report(found.as_dict(), describe(found))
        if not found.is_proven:
            self.fail("It is not proven that nothing is left open; see the report.")


def describe(found: ClearingReport) -> str:
    ended = ", ".join(f"{count} {status}" for status, count in sorted(found.ended.items())) or "none ended"
    lines = [f"{found.requested} cancels requested: {ended}."]
    lines += [f"  {len(found.algos)} algos canceled"] if found.algos else []
    lines += [f"  not proven: {name} is {status}" for name, status in sorted(found.unproven.items())]
    for account, left in found.open_at_venue.items():
        if left is None:
            lines.append(f"  {account}: could not be asked what is open")
        else:
            lines.append(
                f"  {account}: {len(left)} open at the venue" + "".join(f"\n    {name}" for name in left)
            )
    return "\n".join([*lines, *(f"  {trouble}" for trouble in found.troubles)])
