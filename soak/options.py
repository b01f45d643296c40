"""What a soak run can be told. Nothing is guessed: a wrong word ends the command with exit code 2 and the remedy."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from soak.kinds import DEFAULT, KINDS_OF_FAULTS

SHORTEST_SECONDS = 8.0
HOUR = 3600.0
EPILOG = """\
faults: default (all of these), none, or some of them, separated by commas:
"""


@dataclass(frozen=True)
class SoakOptions:
    """`hours` of trading are packed into `seconds` of real time."""

    hours: float
    speed: float
    faults: tuple[str, ...]
    seed: int
    report: Path | None
    as_json: bool
    home: Path | None
    keep: bool

    @property
    def seconds(self) -> float:
        return self.hours * HOUR / self.speed


def read_positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def read_faults(text: str) -> tuple[str, ...]:
    if text == DEFAULT:
        return tuple(KINDS_OF_FAULTS)
    names = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if names in ((), ("none",)):
        return ()
    if unknown := [name for name in names if name not in KINDS_OF_FAULTS]:
        raise argparse.ArgumentTypeError(
            f"unknown fault {', '.join(unknown)}; use {DEFAULT}, none, or some of: {', '.join(KINDS_OF_FAULTS)}"
        )
    return names


def make_parser() -> argparse.ArgumentParser:
    known = "\n".join(f"  {name:<16}{kind.meaning}" for name, kind in KINDS_OF_FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="manage.py soak",
        description="Run the whole stack in a home of its own against the simulated venue, under orders and faults, "
        "and judge it by the venue's ledger. Exit code 0: passed, 1: failed, 2: wrong use, 130: interrupted.",
        epilog=EPILOG + known,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--hours", type=read_positive, default=48.0, help="hours of trading (default 48)")
    parser.add_argument(
        "--speed",
        type=read_positive,
        default=120.0,
        help="how many of them are packed into one hour; 48 at 120 take 24 minutes, 1 is real time (default 120)",
    )
    parser.add_argument("--faults", type=read_faults, default=read_faults(DEFAULT), help="see below")
    parser.add_argument("--seed", type=int, default=7, help="decides what happens when (default 7)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write everything measured here, as JSON")
    parser.add_argument("--json", action="store_true", dest="as_json", help="the report on stdout, no table")
    parser.add_argument(
        "--home", type=Path, help="an empty or new folder for the stack (default: a temporary one)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the stack's folder (it is kept after a failure)"
    )
    return parser


def parse_options(argv: Sequence[str]) -> SoakOptions:
    """Exits with 2 for wrong use, as argparse does."""
    parser = make_parser()
    options = SoakOptions(**vars(parser.parse_args(argv)))
    if options.seconds < SHORTEST_SECONDS:
        parser.error(
            f"--hours {options.hours:g} at --speed {options.speed:g} take {options.seconds:.1f} s; "
            f"nothing can be told from less than {SHORTEST_SECONDS:g} s: give more hours or less speed"
        )
    if options.home and options.home.exists() and (not options.home.is_dir() or any(options.home.iterdir())):
        parser.error(
            f"--home {options.home} is not empty; name a folder that is new, nothing in it is touched"
        )
    return options
