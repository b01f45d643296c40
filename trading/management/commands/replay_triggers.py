"""Shows which automatic halts would have fired on stored history, also with other thresholds. Changes nothing.

Exit code 0: replayed, whatever fired; 2: wrong use.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from trading.domain.errors import InvalidInput
from trading.domain.money import plain
from trading.management.operator_command import OperatorCommand, long_statements, parse_time
from trading.models import ExchangeAccount
from trading.queries.trigger_history import NOT_REPLAYED, REPLAYED, Replay, replay
from trading.risk.triggers import TRIGGER_RULES

SETTABLE = tuple(name for trigger in REPLAYED for name in (TRIGGER_RULES[trigger].limits or (trigger,)))


def parse_threshold(text: str) -> tuple[str, Decimal]:
    """An argument's type: NAME=NUMBER."""
    name, _, number = text.partition("=")
    try:
        value = Decimal(number)
    except InvalidOperation:
        value = Decimal("NaN")
    if name not in SETTABLE or not value.is_finite() or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r}; write NAME=NUMBER, NAME one of {', '.join(SETTABLE)}")
    return name, value


class Command(OperatorCommand):
    help = "Show which automatic halts would have fired on stored history."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="since", type=parse_time, help="default: a day ago")
        parser.add_argument("--to", dest="until", type=parse_time, help="default: now")
        parser.add_argument("--account", help="one account; default: all")
        parser.add_argument(
            "--set",
            dest="other",
            type=parse_threshold,
            action="append",
            default=[],
            metavar="NAME=NUMBER",
            help="try another threshold than the one that held then; may be repeated",
        )

    def work(self, options: Mapping[str, Any]) -> None:
        until = options["until"] or timezone.now()
        since = options["since"] or until - timedelta(days=1)
        if since >= until:
            raise InvalidInput("--from must be before --to.", field="from")
        accounts = ExchangeAccount.objects.order_by("name")
        if options["account"]:
            accounts = accounts.filter(name=options["account"])
            if not accounts.exists():
                raise InvalidInput(f"Unknown account {options['account']!r}.", field="account")
        self.say(f"replaying {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC …")
        with long_statements():
            found = replay(accounts, since, until, dict(options["other"]))
        self.report(as_record(found), describe(found))


def as_record(found: Replay) -> dict[str, Any]:
    return {
        "firings": [
            {
                "at": firing.at,
                "trigger": firing.trigger,
                "scope": firing.scope,
                "sets_to": firing.action,
                "observed": plain(firing.observed),
                "threshold": plain(firing.threshold),
                "clear_again_at": firing.until,
            }
            for firing in found.firings
        ],
        "looks": found.looks,
        "unknown": found.unknown,
        "not_replayed": list(NOT_REPLAYED),
    }


def describe(found: Replay) -> str:
    lines = [f"{'trigger':<14} {'looks':>8} {'unknown':>8} {'fired':>6}"]
    for name in REPLAYED:
        fired = sum(firing.trigger == name for firing in found.firings)
        lines.append(f"{name:<14} {found.looks[name]:>8} {found.unknown[name]:>8} {fired:>6}")
    for firing in found.firings:
        until = f"clear at {firing.until:%H:%M:%S}" if firing.until else "not clear again"
        lines.append(
            f"{firing.at:%Y-%m-%d %H:%M:%S}  {firing.trigger} on {firing.scope}: {firing.observed:.2f} of "
            f"{plain(firing.threshold)}, sets to {firing.action}; {until}"
        )
    lines.append(f"not stored, so not replayed: {', '.join(NOT_REPLAYED)}")
    return "\n".join(lines)
