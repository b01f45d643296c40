"""Looks at the venue now and lists every difference to our books; with --report it makes the day's report instead."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from trading.domain.money import plain
from trading.doorbell import silence
from trading.execution.daily_reports import describe_report, make_report, write_report_files
from trading.execution.sync import sync_account
from trading.management.operator_command import OperatorCommand
from trading.models import Break, BreakState, SyncRun
from trading.queries.equity import trading_day

from .sync_portfolio import choose_accounts


class Command(OperatorCommand):
    help = "Compare orders, fills, positions and balances with the venue; exit code 1 for an open difference."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="only this account; default: every enabled one")
        parser.add_argument(
            "--report",
            action="store_true",
            help="make the daily report and write it to HOME_DIR/reports, without asking the venue",
        )
        parser.add_argument(
            "--day", type=parse_day, help="of the report, such as 2026-01-31; default: today's trading day"
        )

    def work(self, options: Mapping[str, Any]) -> None:
        if options["report"]:
            self.make_report(options["day"] or trading_day())
            return
        runs, breaks = [], []
        for account in choose_accounts(options["account"]):
            self.say(f"{account.name} …")
            with silence():
                runs.append((account.name, sync_account(account.id, trigger="reconcile")))
            live = Break.objects.filter(account=account).exclude(state=BreakState.RESOLVED)
            breaks += list(live.select_related("account").order_by("since"))
        self.report(
            {
                "looks": [record_run(name, run) for name, run in runs],
                "breaks": [record_break(row) for row in breaks],
            },
            "\n".join([describe_run(name, run) for name, run in runs] + [describe(row) for row in breaks])
            or "There is no enabled account.",
        )
        if any(not run.is_complete for _name, run in runs):
            self.fail("Not everything could be asked: what was not seen is not known to be equal.")
        if any(row.is_beyond for row in breaks):
            self.fail("There are differences beyond their tolerance.")

    def make_report(self, day: date) -> None:
        row = make_report(day, actor=self.actor)
        files = write_report_files(row)
        self.say(f"Written to {', '.join(str(file) for file in files)}")
        self.report({"report": row.content, "digest": row.digest}, describe_report(row))


def parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write 2026-01-31") from None


def record_run(name: str, run: SyncRun) -> dict[str, Any]:
    return {
        "account": name,
        "complete": run.is_complete,
        "error": run.error or None,
        "balances": run.balances or None,
        "fills_booked": run.fills_booked,
        "breaks_open": run.breaks_open,
    }


def describe_run(name: str, run: SyncRun) -> str:
    if not run.is_complete:
        return f"{name}: INCOMPLETE: {run.error}"
    return f"{name}: balances {run.balances}; {run.fills_booked} fills booked; {run.breaks_open} breaks open"


def record_break(row: Break) -> dict[str, Any]:
    return {
        "id": row.id,
        "account": row.account.name,
        "kind": row.kind,
        "subject": row.subject,
        "ours": row.ours,
        "theirs": row.theirs,
        "value": row.value,
        "beyond_tolerance": row.is_beyond,
        "state": row.state,
        "owner": row.owner,
        "since": row.since,
    }


def describe(row: Break) -> str:
    beyond = "" if row.is_beyond else " (within tolerance)"
    owner = f", {row.owner}" if row.owner else ""
    return (
        f"{row.account.name}: {row.kind} {row.subject}: ours {plain(row.ours) or 'unknown'}, "
        f"the venue's {plain(row.theirs) or 'unknown'}{beyond}, since {row.since:%Y-%m-%d %H:%M:%S}, {row.state}{owner}"
    )
