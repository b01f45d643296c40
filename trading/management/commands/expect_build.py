"""Which build gets permits: shows it with the builds that run, or sets it by hand.

Set-up expects its own build at every start of the whole installation; this is for a roll-back, for parts that are
deployed by hand, and for finding out why a worker sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from trading.execution.builds import expect_build
from trading.management.operator_command import OperatorCommand
from trading.models import Heartbeat
from trading.queries.builds import ALIVE_SECONDS, build_record, is_welcome


class Command(OperatorCommand):
    help = "Show which build gets permits and which builds run; with BUILD, --this or --any set it."

    def add_options(self, parser: CommandParser) -> None:
        wanted = parser.add_mutually_exclusive_group()
        wanted.add_argument(
            "build", nargs="?", metavar="BUILD", help="only this build gets permits from now on"
        )
        wanted.add_argument("--this", action="store_true", help="the build of this code")
        wanted.add_argument("--any", action="store_true", help="every build gets permits")

    def work(self, options: Mapping[str, Any]) -> None:
        wanted = "" if options["any"] else settings.BUILD if options["this"] else options["build"]
        if wanted is not None:
            expect_build(wanted, actor=self.actor)
        found = build_record()
        since = timezone.now() - timedelta(seconds=ALIVE_SECONDS)
        running = Heartbeat.objects.filter(beat_at__gte=since).values_list("process", "build")
        expected = found["expected_build"] or ""
        lines = [f"Permits go to {f'build {expected}' if expected else 'every build'}."]
        lines += [
            f"  {process}: {build}{'' if is_welcome(build, expected) else ' (gets no permit)'}"
            for process, build in running
        ]
        self.report({**found, "processes": dict(running)}, "\n".join(lines))
