"""Runs the listeners of the private streams: an order's fill is looked at as soon as the venue tells of it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from trading.streams import run_streams


class Command(BaseCommand):
    help = "Listen to the venues' private streams and look at the orders they tell of. Ends on SIGTERM."
    requires_system_checks = ()

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        run_streams()
