"""`make chaos`: the protocol under a virtual clock, real processes, the long tests, and ONE table of all figures.

Interrupted, it goes on where it stopped, for this very code. Exit code 0: every figure of correctness holds.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.chaos.process import __main__ as process
from tests.chaos.process.figures import ROOT, Figure, is_good, print_table

SEEDS = 1_000_000
# As it is before the processes' part names its servers in it, which are gone when the others begin.
ENVIRONMENT = dict(os.environ)
# Of the processes' part, so that all of it stays within an hour on two cores.
MINUTES = "14"
# As tests.chaos.virtual prints its figures.
_ROW = re.compile(r"^(A\d+)  (.{44})\s*(\S.*?)  (PASS|FAIL)$")
# Of the virtual campaign, the rate alone depends on the machine.
_TIMES = ("scenarios a second",)


def run_virtual() -> list[Figure]:
    figures = [
        read_row(line) for line in stream("-m", "tests.chaos.virtual", "--seeds", str(SEEDS), "--resume")
    ]
    found = [one for one in figures if one is not None]
    return found or [Figure("A2", "the virtual campaign", "did not end", "its table", False)]


def read_row(line: str) -> Figure | None:
    row = _ROW.match(line.rstrip())
    if row is None:
        return None
    name, what, value, verdict = (text.strip() for text in row.groups())
    return Figure(name, what, value, "-", verdict == "PASS", decides=not what.startswith(_TIMES))


def run_tests(arguments: list[str]) -> list[Figure]:
    last = ""
    for line in stream("-m", "pytest", "tests", "-m", "chaos", "-q", *arguments):
        last = line.strip() or last
    passed = "passed" in last and "failed" not in last and "error" not in last
    return [Figure("-", "the long tests (pytest -m chaos)", last.strip("= ")[:22], "no failure", passed)]


def stream(*words: str) -> list[str]:
    """Run it, show what it says as it says it, and return that."""
    lines = []
    with subprocess.Popen(
        [sys.executable, "-u", *words],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return lines


def main(arguments: list[str]) -> int:
    try:
        figures = run_virtual()
        figures += process.Campaign(process.parse_arguments(["--resume", "--minutes", MINUTES])).run()
        figures += run_tests(arguments)
    except KeyboardInterrupt:
        print("interrupted; the next `make chaos` goes on from here", file=sys.stderr)
        return 130
    print_table(figures)
    return 0 if is_good(figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
