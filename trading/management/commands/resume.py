"""Releases a halt: the counterpart of `halt`. Approvals given before the halt stay void."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.domain.enums import HaltScope
from trading.execution.halts import missing_for_release
from trading.execution.releasing import release_or_propose
from trading.management.proven_command import ProvenCommand
from trading.models import ApprovalRequest
from trading.queries.halts import scope_record

from .halt import check_target, name_scope


class Command(ProvenCommand):
    help = "Release a halt, with a reason; in production a second person has to approve it."
    right = "trading.release_halt"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="why it is safe to trade again")
        parser.add_argument("--scope", choices=[scope.value for scope in HaltScope], default="everything")
        parser.add_argument("--target", default="", help="account, symbol or strategy of a narrower scope")
        parser.add_argument(
            "--epoch", type=int, metavar="N", help="only if no halt was engaged since this epoch (see `halt`)"
        )

    def work(self, options: Mapping[str, Any]) -> None:
        scope, target = HaltScope(options["scope"]), options["target"].strip()
        check_target(scope, target)
        if missing := missing_for_release(scope, target):
            self.fail(f"{name_scope(scope, target)} was not released. " + " ".join(missing))
        done = release_or_propose(
            scope, target, reason=options["reason"], actor=self.prove(options), seen_epoch=options["epoch"]
        )
        if isinstance(done, ApprovalRequest):
            self.report(
                {"approval": str(done.id), "state": done.state, "expires_at": done.expires_at},
                f"{name_scope(scope, target)}: not released yet. A second person must approve it in the panel "
                f"by {done.expires_at:%H:%M:%S} UTC.",
            )
            return
        self.report(scope_record(done), f"{name_scope(scope, target)}: {done.state}.")
