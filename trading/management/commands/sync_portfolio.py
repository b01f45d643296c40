"""One portfolio sync in this process: balances, open orders, fills and prices of the venue beside our books."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.domain.errors import UnknownName
from trading.doorbell import silence
from trading.execution.sync import sync_account
from trading.management.operator_command import OperatorCommand
from trading.models import ExchangeAccount, SyncRun
from trading.queries.watched_accounts import watched_accounts


class Command(OperatorCommand):
    help = "Sync balances, orders, fills and prices with the venue now."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account",
            help="only this account; default: every enabled one, and what a disabled one has at risk",
        )

    def work(self, options: Mapping[str, Any]) -> None:
        runs = []
        for account in choose_accounts(options["account"]):
            self.say(f"{account.name} …")
            with silence():
                runs.append((account.name, sync_account(account.id, trigger="command")))
        found = {"accounts": [record(name, run) for name, run in runs]}
        self.report(
            found, "\n".join(describe(name, run) for name, run in runs) or "There is no account to sync."
        )
        if any(not run.is_complete for _name, run in runs):
            self.fail("Not every account could be synced completely.")


def choose_accounts(name: str | None) -> list[ExchangeAccount]:
    if not name:
        return list(watched_accounts())
    account = ExchangeAccount.objects.filter(name=name).first()
    if account is None:
        raise UnknownName(f"Unknown account {name!r}.", code="unknown_account")
    return [account]


def record(name: str, run: SyncRun) -> dict[str, Any]:
    return {
        "account": name,
        "complete": run.is_complete,
        "error": run.error or None,
        "fills_booked": run.fills_booked,
        "orders_updated": run.orders_updated,
        "breaks_open": run.breaks_open,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def describe(name: str, run: SyncRun) -> str:
    if not run.is_complete:
        return f"{name}: INCOMPLETE: {run.error}"
    return (
        f"{name}: complete; {run.fills_booked} fills booked, {run.orders_updated} orders to look at, "
        f"{run.breaks_open} breaks open"
    )
