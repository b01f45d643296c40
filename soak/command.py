"""`manage.py soak`: brings up a stack of its own, runs, prints the table, takes everything down again.

Exit codes: 0 passed, 1 failed (or the stack did not come up), 2 wrong use, 130 interrupted before its time was over.
Ctrl-C, SIGTERM or a closed terminal ends the run: it comes to rest and reports what was measured. A second one ends it
at once.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Sequence

from levi_site.env import REPO_DIR, parse_env_file
from rig.machine import describe, describe_machine
from rig.process_tree import PROC
from soak.lines import has_passed
from soak.options import SoakOptions, parse_options
from soak.report import format_report, write_report
from soak.run import STOP_SIGNALS, SoakRun
from soak.scene import SoakStack
from soak.trading_day import choose_day
from trading.management.progress import ProgressBar

Say = Callable[[str], None]
PASSED, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
# In .env they would name servers or a mode of somebody's installation.
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "SIMULATOR_URL", "LEVI_MODE", "LEVI_CONFIG")


def find_obstacle() -> str:
    """Empty when a run may begin here; else what is in the way, and the remedy."""
    if not (PROC / "self" / "stat").exists():
        return "needs Linux: processes and their memory are read from /proc"
    if not (REPO_DIR / "simulator").is_dir():
        return (
            "needs the simulated venue, which this image leaves out: run it from a checkout of the repository"
        )
    file = REPO_DIR / ".env"
    named = parse_env_file(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if taken := [name for name in named if name.removesuffix("_FILE") in NOT_OURS]:
        return f"{file} sets {', '.join(taken)}, and a run must not touch that installation: use another checkout"
    return ""


def run_soak(argv: Sequence[str]) -> int:
    options = parse_options(argv)
    if obstacle := find_obstacle():
        print(f"levi: soak {obstacle}", file=sys.stderr)
        return WRONG_USE
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)

    def say(text: str) -> None:
        if not options.as_json:
            print(text, file=sys.stderr, flush=True)

    try:
        return soak(options, say)
    except KeyboardInterrupt:
        print("levi: soak ended before it had anything to report", file=sys.stderr)
        return INTERRUPTED


def soak(options: SoakOptions, say: Say) -> int:
    machine = describe_machine()
    say(f"soak on {describe(machine)}")
    day = choose_day(time.time(), options.seconds)
    stack = SoakStack(options.home, day.as_config())
    looks_good = False
    try:
        say(f"bringing up a stack in {stack.home} …")
        stack.start()
        bar = ProgressBar(f"{options.hours:g} hours", round(options.seconds), shown=not options.as_json)
        run = SoakRun(options, stack, day, say, lambda done: bar.show(round(done)))
        report, verdict = run.run(machine)
        looks_good = has_passed(verdict.lines)
        if options.report:
            write_report(options.report, report)
        if options.as_json:
            print(json.dumps(report, indent=1, default=str))
        else:
            print("\n" + format_report(report, verdict))
    except AssertionError as error:  # the stack did not come up, or something was waited for in vain
        print(f"levi: soak failed: {error}", file=sys.stderr)
        return FAILED
    finally:
        take_down(stack, keep=options.keep or not looks_good, say=say)
    if not looks_good:
        return FAILED
    return INTERRUPTED if run.interrupted else PASSED


def take_down(stack: SoakStack, *, keep: bool, say: Say) -> None:
    """Its processes in any case; its folder, with logs and data, unless somebody wants to look into it."""
    if stack.process is not None and stack.process.poll() is None:
        stack.stop()
    for command in stack.left_over:
        print(f"levi: soak left behind: {command}", file=sys.stderr)
    if keep:
        say(f"kept for a look: {stack.home}")
    else:
        stack.remove()
