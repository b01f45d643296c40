"""`python -m tests.chaos.virtual`: the campaign and its table; `--story SEED` tells one seed.

Exit code 0: every promise held and every mutation was caught. 1: not so. 130: interrupted, go on with --resume.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from .algos import WORDS as ALGO_WORDS
from .algos import catch_algo, run_algo_seed
from .campaign import (
    SEEDS_PER_MUTATION,
    STATE,
    Caught,
    State,
    catch_all,
    load_state,
    run_campaign,
    save_state,
    trace_of,
)
from .mutations import NAMES, WORDS, Mutations, broken
from .run import run_seed
from .story import tell

TRACED = 300
WANTED_RATE = 500
ALGO_SEEDS = 3_000


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.virtual", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000, help="how many scenarios in all")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--resume", action="store_true", help="go on where the last campaign of this code stopped"
    )
    parser.add_argument(
        "--state", type=Path, default=STATE, help="where the campaign remembers how far it came"
    )
    parser.add_argument("--no-mutations", action="store_true", help="leave the table of mutations out")
    parser.add_argument(
        "--mutations", action="store_true", help="only the table of mutations, as in docs/chaos.md"
    )
    parser.add_argument("--algos", action="store_true", help="only algos, with their table of mutations")
    parser.add_argument("--story", type=int, metavar="SEED", help="run, shrink and tell one seed")
    parser.add_argument("--mutation", choices=NAMES, help="with --story: without this safeguard")
    parser.add_argument(
        "--trace", type=int, metavar="COUNT", help="print one hash over the traces of COUNT seeds"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parse_arguments(arguments)
    if options.story is not None:
        return tell_seed(options.story, broken(options.mutation) if options.mutation else Mutations())
    if options.mutations:
        return print_table(catch_all(options.jobs))
    if options.algos:
        return print_rows(algo_rows())
    if options.trace is not None:
        print(trace_of(options.first, options.trace))
        return 0
    caught = [] if options.no_mutations else catch_all(options.jobs)
    print_mutations(caught)
    state = load_state(options.state, options.first, resume=options.resume)
    try:
        run_campaign(state, options.seeds, options.jobs, options.state)
    except KeyboardInterrupt:
        save_state(options.state, state)
        print(f"stopped after {state.done:,} scenarios; go on with --resume", file=sys.stderr)
        return 130
    return print_figures(state, caught, trace_of(options.first, TRACED) == trace_of(options.first, TRACED))


def tell_seed(seed: int, mutations: Mutations) -> int:
    outcome = run_seed(seed, mutations, tells=True)
    if outcome.violations:
        print(tell(seed, mutations))
        return 1
    print("\n".join([f"Seed {seed}: every promise held", *outcome.story]))
    return 0


def print_mutations(caught: list[Caught]) -> None:
    if not caught:
        return
    print(f"{'safeguard taken away':34}{'seeds':>7}  what broke")
    for one in caught:
        what = "NOT CAUGHT" if one.violation is None else f"{one.violation.promise}: {one.violation.what}"
        print(f"{one.name.replace('_', ' '):34}{one.seeds or '-':>7}  {what}")
    print()


def print_table(caught: list[Caught]) -> int:
    """The table of docs/chaos.md, and after it what broke in the first scenario that noticed."""
    print("| `--mutation` | what is broken | seeds | first broken promise |\n|---|---|---|---|")
    for one in caught:
        promise = "not caught" if one.violation is None else one.violation.promise
        print(f"| `{one.name}` | {WORDS[one.name]} | {one.seeds or '-'} | {promise} |")
    print()
    for one in caught:
        if one.violation is not None:
            print(f"{one.name}, seed {(one.seeds or 0) - 1}: {one.violation.promise}: {one.violation.what}")
    return 0 if all(one.violation for one in caught) else 1


def print_figures(state: State, caught: list[Caught], repeats: bool) -> int:
    """The table. The rate depends on the machine and on who else uses it, so that it does not decide the exit code."""
    missed = [one.name for one in caught if one.seeds is None]
    rows = [
        (
            "A2",
            "scenarios without a broken promise",
            f"{state.done - state.violated:,} of {state.done:,}",
            not state.violated,
        ),
        ("A2", f"same seed, same trace ({TRACED} seeds)", "yes" if repeats else "no", repeats),
        ("A2", f"scenarios a second, wanted {WANTED_RATE}", f"{state.rate:.0f}", state.rate >= WANTED_RATE),
    ]
    if caught:
        found = f"{len(caught) - len(missed)} of {len(caught)}"
        rows.append(("A3", f"mutations caught within {SEEDS_PER_MUTATION:,} seeds", found, not missed))
    failed = print_rows([*rows, *algo_rows()])
    for seed, promise, what in state.failures[:3]:
        print(f"\n{promise}: {what}\n{tell(seed, Mutations())}")
    return 0 if not state.violated and repeats and not missed and not failed else 1


def print_rows(rows: list[tuple[str, str, str, bool]]) -> int:
    """1 if one of them that decides did not pass; the rate does not."""
    for figure, what, value, passed in rows:
        print(f"{figure}  {what:44}{value:>24}  {'PASS' if passed else 'FAIL'}")
    return int(not all(passed for _figure, what, _value, passed in rows if "a second" not in what))


def algo_rows() -> list[tuple[str, str, str, bool]]:
    """Lives of algos, and the table of what is noticed when a safeguard of theirs is missing."""
    broken = [seed for seed in range(ALGO_SEEDS) if run_algo_seed(seed)[0]]
    for seed in broken[:3]:
        found, story = run_algo_seed(seed, tells=True)
        print(f"algo seed {seed}: {found[0].promise}: {found[0].what}", *story, sep="\n  ")
    caught = {name: catch_algo(name, ALGO_SEEDS) for name in ALGO_WORDS}
    for name, one in caught.items():
        seeds, promise = (one[0], one[1].promise) if one else ("-", "not caught")
        print(f"| `{name}` | {ALGO_WORDS[name]} | {seeds} | {promise} |")
    missed = [name for name, one in caught.items() if one is None]
    kept = f"{ALGO_SEEDS - len(broken):,} of {ALGO_SEEDS:,}"
    noticed = f"{len(caught) - len(missed)} of {len(caught)}"
    return [
        ("A2", "lives of algos without a broken promise", kept, not broken),
        ("A3", "safeguards of algos that are missed", noticed, not missed),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
