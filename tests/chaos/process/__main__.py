"""`python -m tests.chaos.process`: kills, stops and starves the real thing, then prints ONE table.

Exit code 0: every figure of correctness holds. 1: one does not; its story is printed. 130: interrupted (--resume).
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.process.figures import ROOT, STATE, Figure, is_good, load, print_table, save

GROUND = ("kills", "stops", "doubts", "commits", "algos")
# Shares of the time of one run; what a part needs to come to rest is extra.
SHARES = {"kills": 0.3, "stops": 0.15, "doubts": 0.1, "commits": 0.05, "algos": 0.15}
QUICK_SECONDS = {"kills": 22.0, "commits": 22.0, "algos": 4.0}


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.process",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=20.0, help="about how long it may take")
    parser.add_argument(
        "--quick", action="store_true", help="a minute and a half of it, without a whole stack"
    )
    parser.add_argument("--only", action="append", metavar="PART", help="only this part (may be repeated)")
    parser.add_argument("--kills", type=int, default=10_000, help="at most so many")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--resume", action="store_true", help="keep the parts that this very code has finished"
    )
    parser.add_argument("--state", type=Path, default=STATE, help="where finished parts are kept")
    return parser.parse_args(arguments)


def code_hash() -> str:
    """Of everything the figures speak about."""
    digest = hashlib.sha256()
    for folder in ("trading", "levi_site", "simulator", "rig", "tests/chaos/process"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Campaign:
    """Runs the wanted parts that are not done yet, and remembers each as soon as it is."""

    def __init__(self, options: argparse.Namespace) -> None:
        from tests.chaos.process.stack_parts import STACK_PARTS

        self.options = options
        self.code = code_hash()
        self.done = load(options.state, self.code) if options.resume else {}
        if self.done and set(self.done) >= {*GROUND, *STACK_PARTS}:
            self.done = {}  # it was finished: begin anew
        stack = () if options.quick else tuple(STACK_PARTS)
        ground = tuple(QUICK_SECONDS) if options.quick else GROUND
        known = (*ground, *stack)
        wanted = tuple(options.only or known)
        if unknown := set(wanted) - {*known, *GROUND}:
            raise SystemExit(f"unknown part {', '.join(sorted(unknown))}; known: {', '.join(known)}")
        self.ground = [part for part in wanted if part in GROUND and part not in self.done]
        self.stack = [part for part in wanted if part in stack and part not in self.done]
        self.order = wanted

    def seconds(self, part: str) -> float:
        return (
            QUICK_SECONDS[part]
            if self.options.quick and part in QUICK_SECONDS
            else self.options.minutes * 60 * SHARES[part]
        )

    def run(self) -> list[Figure]:
        if self.ground:
            self.run_ground()
        if self.stack:
            from tests.chaos.process.stack_parts import run_stack_parts

            for part, figures in run_stack_parts(self.stack, self.options.minutes, self.options.seed, say):
                self.keep(part, figures)
        return [one for part in self.order for one in self.done.get(part, [])]

    def run_ground(self) -> None:
        from tests.chaos.process.ground import standing_ground

        say("ground: servers, tables, venue")
        with standing_ground() as ground:
            from tests.chaos.process import ground_parts as parts

            options = self.options
            few = options.quick
            runs: dict[str, Callable[[], list[Figure]]] = {
                "kills": lambda: parts.run_kills(
                    ground, seed=options.seed, most=options.kills, seconds=self.seconds("kills"), say=say
                ),
                "stops": lambda: parts.run_stops(
                    ground, seed=options.seed, seconds=self.seconds("stops"), say=say
                ),
                "doubts": lambda: parts.run_doubts(
                    ground, most=10_000, seconds=self.seconds("doubts"), say=say
                ),
                "commits": lambda: parts.run_commits(
                    ground,
                    seed=options.seed,
                    most=12 if few else 400,
                    seconds=self.seconds("commits"),
                    say=say,
                ),
                "algos": lambda: parts.run_algos(
                    ground, seed=options.seed, seconds=self.seconds("algos"), say=say
                ),
            }
            for part in self.ground:
                say(f"{part} …")
                self.keep(part, runs[part]())

    def keep(self, part: str, figures: list[Figure]) -> None:
        self.done[part] = figures
        save(self.options.state, self.code, self.done)
        failed = [one.what for one in figures if not one.passed]
        say(f"{part}: {'done' if not failed else 'FAILED: ' + '; '.join(failed)}")


_began = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - _began:6.0f} s] {text}", flush=True)


def main(arguments: list[str]) -> int:
    campaign = Campaign(parse_arguments(arguments))
    try:
        figures = campaign.run()
    except KeyboardInterrupt:
        print("interrupted; go on with --resume", file=sys.stderr)
        return 130
    print_table(figures)
    return 0 if figures and is_good(figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
