"""Starts the simulated venue, a program of its own (`python -m simulator`); the arguments are its arguments."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand

from levi_site.env import REPO_DIR


class Command(BaseCommand):
    help = "Run the simulated venue: --port 9100 --seed 7 …; --help lists them all."

    def run_from_argv(self, argv: list[str]) -> None:
        start(argv[2:])

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        start([])


def start(arguments: list[str]) -> NoReturn:
    """This process becomes the venue: nothing of Django stays in it."""
    environment = {**os.environ, "PYTHONPATH": str(REPO_DIR)}
    os.execve(sys.executable, [sys.executable, "-m", "simulator", *arguments], environment)
