"""Runs the supervisor: sweeps after halts and portfolio syncs that need no Celery, no beat and no Redis."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from trading.supervision import run_supervision


class Command(BaseCommand):
    help = "Sweep after halts and keep the books fresh, whatever else is down. Ends on SIGTERM."
    requires_system_checks = ()

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        run_supervision()
