"""The soak run, which brings up a stack of its own. The work is in soak/, which needs no Django; `manage.py soak` goes
there directly, this command lists it and serves `call_command`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from soak.command import run_soak


class Command(BaseCommand):
    help = "Run the whole stack under orders and faults, packed in time, and judge it by the venue's ledger."

    def run_from_argv(self, argv: list[str]) -> None:
        raise SystemExit(run_soak(argv[2:]))

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        raise SystemExit(run_soak([]))
