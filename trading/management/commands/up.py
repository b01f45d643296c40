"""Starts and supervises every process of the product. The work is in levi_site/stack, which needs no Django;
`manage.py up` goes there directly, this command lists it and serves `call_command`."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from levi_site.stack.command import run_up
from levi_site.stack.options import add_arguments


class Command(BaseCommand):
    help = "Start and supervise every process of Levi; Ctrl-C stops all of it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_arguments(parser)

    def run_from_argv(self, argv: list[str]) -> None:
        raise SystemExit(run_up(argv[2:]))

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        raise SystemExit(run_up([]))
