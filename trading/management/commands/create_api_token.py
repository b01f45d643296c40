"""Makes an API token. It is printed once and stored as a hash only: keep what you see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.execution.tokens import MAX_DAYS, create_token
from trading.management.proven_command import ProvenCommand

ROLES = ("viewer", "trader", "risk", "admin")


class Command(ProvenCommand):
    help = "Make an API token and print it once."
    right = "trading.add_apitoken"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="who uses it, such as bot-1")
        parser.add_argument(
            "--role", action="append", choices=ROLES, required=True, help="may be given several times"
        )
        parser.add_argument("--days", type=int, default=90, help=f"how long it lives, 1 to {MAX_DAYS}")
        parser.add_argument(
            "--address", action="append", default=[], help="address or network it may come from; default: any"
        )

    def work(self, options: Mapping[str, Any]) -> None:
        row, plain = create_token(
            options["name"],
            options["role"],
            days=options["days"],
            addresses=options["address"],
            actor=self.prove(options),
        )
        self.say(f"Token {row.name} until {row.expires_at:%Y-%m-%d}. It is shown this once:")
        found = {
            "name": row.name,
            "token": plain,
            "roles": sorted(set(options["role"])),
            "addresses": row.addresses,
            "expires_at": row.expires_at,
        }
        self.report(found, plain)
