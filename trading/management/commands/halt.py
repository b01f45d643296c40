"""The kill switch on the command line. Needs PostgreSQL only: not Redis, not the panel, not a worker.

Engages first, says so, then sweeps in its own process and shows what is still open until the verdict. Without the
database it still raises this host's stop flag (scope everything), which no process here sends a new order past.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import Error as DatabaseTrouble

from trading.domain.enums import CancelScope, HaltScope, TradingState
from trading.domain.errors import LeviError
from trading.execution.flatten_requests import flatten_after
from trading.execution.flatten_runs import run_flattening
from trading.execution.halts import Engagement, engage
from trading.execution.sweep import run_sweep
from trading.management.operator_command import FAILED, WRONG_USE, OperatorCommand
from trading.models import ApprovalRequest, Flattening, FlatteningState, Sweep, SweepVerdict
from trading.queries.halts import sweep_record

CANCELS = {"ours": CancelScope.OURS, "everything": CancelScope.EVERYTHING, "none": None}
_LOOK_SECONDS = 0.3


def check_target(scope: HaltScope, target: str) -> None:
    if (scope is HaltScope.EVERYTHING) == bool(target):
        said = "takes no --target" if target else "needs --target with the name of one"
        raise CommandError(f"--scope {scope} {said}.", returncode=WRONG_USE)


def name_scope(scope: HaltScope, target: str) -> str:
    return f"{scope} {target}".strip()


class Command(OperatorCommand):
    help = "Stop trading at once, cancel what is open, and report what could not be proven."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", required=True, help="why; stands in the history and on every page")
        parser.add_argument("--scope", choices=[scope.value for scope in HaltScope], default="everything")
        parser.add_argument("--target", default="", help="account, symbol or strategy of a narrower scope")
        parser.add_argument(
            "--state",
            choices=["halted", "reducing"],
            default="halted",
            help="reducing: only closing orders pass",
        )
        parser.add_argument(
            "--cancel", choices=list(CANCELS), default="ours", help="whose open orders are canceled"
        )
        parser.add_argument("--flatten", action="store_true", help="also close the positions of the scope")
        parser.add_argument(
            "--no-sweep",
            action="store_true",
            help="engage and leave the cancelling to the running supervisor",
        )

    def work(self, options: Mapping[str, Any]) -> None:
        scope, target = HaltScope(options["scope"]), options["target"].strip()
        check_target(scope, target)
        engagement = self._engage(scope, target, options)
        drained = "" if engagement.drained else ", not all permits have run out"
        self.say(
            f"{name_scope(scope, target)} is {engagement.state} (epoch {engagement.epoch}) after "
            f"{engagement.seconds:.2f} s{drained}; {len(engagement.in_flight)} requests were already on their way."
        )
        # Asked for at once: where a supervisor runs, it closes while the sweep here looks for its proof.
        asked = self._ask_to_flatten(engagement, options) if options["flatten"] else None
        sweep = None
        if engagement.sweep_id and not options["no_sweep"]:
            sweep = self._sweep(engagement)
        flattened = self._close(asked) if isinstance(asked, Flattening) and not options["no_sweep"] else asked
        found = {**engagement.as_dict(), "sweep": sweep_record(sweep)}
        if options["flatten"]:
            found["flatten"] = record_flatten(flattened)
        self.report(found, self._summary(engagement, sweep) + describe_flatten(flattened))
        if sweep is not None and sweep.verdict != SweepVerdict.CLEAN:
            self.fail("The halt is engaged, but it is not proven that nothing is left open; see the report.")
        if flattened is not None and not is_flat(flattened):
            self.fail("The halt is engaged, but not every position is closed; see the report.")

    def _engage(self, scope: HaltScope, target: str, options: Mapping[str, Any]) -> Engagement:
        try:
            return engage(
                scope,
                target,
                state=TradingState(options["state"]),
                reason=options["reason"],
                actor=self.actor,
                cancel=CANCELS[options["cancel"]],
            )
        except DatabaseTrouble as error:
            if scope is not HaltScope.EVERYTHING or not settings.STOP_FLAG.exists():
                raise
            raise CommandError(
                "The database cannot be used, so the halt is NOT written and nothing was canceled. This host's stop "
                "flag is raised: no process here sends a new order. Processes on other hosts get no permits while "
                "the database is away. Cancel what is open at the venue itself, and repeat this command as soon as "
                f"the database answers. ({str(error).strip().splitlines()[0]})",
                returncode=FAILED,
            ) from error

    def _sweep(self, engagement: Engagement) -> Sweep:
        """Here, or beside the supervisor if that was quicker; a lease that lapses is taken over."""
        assert engagement.sweep_id
        began = time.monotonic()
        last = ""

        def show(sweep: Sweep) -> None:
            nonlocal last
            text = describe_sweep(sweep)
            if text != last:
                last = text
                self.say(f"{time.monotonic() - began:6.1f} s  {text}")

        while True:
            sweep = run_sweep(engagement.sweep_id, progress=show)
            if sweep.verdict != SweepVerdict.RUNNING:
                return sweep
            show(sweep)
            time.sleep(_LOOK_SECONDS)

    def _ask_to_flatten(
        self, engagement: Engagement, options: Mapping[str, Any]
    ) -> Flattening | ApprovalRequest | LeviError:
        return flatten_after(engagement, reason=options["reason"], actor=self.actor)

    def _close(self, asked: Flattening) -> Flattening:
        """Here, or by whoever has the lease."""
        while True:
            row = run_flattening(asked.id)
            if row.state != FlatteningState.RUNNING:
                return row
            self.say(f"closing {len(row.report)} positions")
            time.sleep(_LOOK_SECONDS)

    def _summary(self, engagement: Engagement, sweep: Sweep | None) -> str:
        head = f"{name_scope(engagement.scope, engagement.target)}: {engagement.state}."
        if sweep is None:
            waits = " Its sweep is left to the supervisor." if engagement.sweep_id else " Open orders stay."
            return head + waits
        if sweep.verdict == SweepVerdict.CLEAN:
            return (
                f"{head} Proven clean: {sweep.cancels_sent} cancels sent, nothing of it is open at the venue."
            )
        return "\n".join([f"{head} NOT proven clean:", *describe_survivors(sweep)])


def is_flat(done: Flattening | ApprovalRequest | LeviError) -> bool:
    return isinstance(done, Flattening) and done.state != FlatteningState.REMAINS


def record_flatten(done: Flattening | ApprovalRequest | LeviError | None) -> dict[str, Any]:
    if isinstance(done, Flattening):
        return {"flattening": str(done.id), "state": done.state, "report": done.report}
    if isinstance(done, ApprovalRequest):
        return {"approval": str(done.id), "state": done.state, "expires_at": done.expires_at}
    return {"refused": str(done)}


def describe_flatten(done: Flattening | ApprovalRequest | LeviError | None) -> str:
    if done is None:
        return ""
    if isinstance(done, Flattening):
        lines = [
            f"  {name}: {line['state']}, {line['left']} left {line['why']}"
            for name, line in done.report.items()
        ]
        return "\n".join([f"\nPositions: {done.state}.", *lines])
    if isinstance(done, ApprovalRequest):
        return (
            f"\nNo position is closed yet: a second person must approve it by {done.expires_at:%H:%M:%S} UTC."
        )
    return f"\nNo position is closed: {done}"


def describe_sweep(sweep: Sweep) -> str:
    rows = sweep.report.values()
    opened, doubtful = (sum(len(row.get(key, ())) for row in rows) for key in ("open", "unresolved"))
    silent = [name for name, row in sweep.report.items() if row.get("unasked")]
    asked = f", no answer for {', '.join(silent)}" if silent else ""
    look = f"{opened} open, {doubtful} unresolved{asked}" if sweep.report else "first look"
    return f"{sweep.cancels_sent} cancels sent · {look}"


def describe_survivors(sweep: Sweep) -> list[str]:
    lines = []
    for name, row in sweep.report.items():
        lines += [f"  {name}: open at the venue: {order}" for order in row.get("open", ())]
        lines += [f"  {name}: outcome not known: {order}" for order in row.get("unresolved", ())]
        if row.get("unasked"):
            lines.append(f"  {name}: could not be asked: {row['unasked']}")
    return lines
