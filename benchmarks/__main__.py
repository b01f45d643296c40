"""Runs the benchmarks: all of them, or those named. Exit code 1 if one could not be run, 2 for an unknown name.

Two installations are made, in temporary folders: one with every process, and one with servers and venue only, inside
which the product's functions are called directly, so that nothing else takes their work.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from benchmarks.large_stack import LargeStack
from benchmarks.rows import Row, keep, show
from rig.instance import StackInstance
from rig.machine import describe, describe_machine

# Everything a stack does …
WHOLE = ("first_byte", "throughput", "false_breaks", "halt", "alerts", "live", "streams", "memory", "start")
# … and single stages, called in this process on servers of their own.
STAGES = ("decision", "algos", "permit", "settlement", "sync", "audit_cost", "audit_verification")
# A scripted day, and its table: called in this process too, with the venue to steer.
STEERED = ("trading_day",)
# … and the panel's pages and the API's lists, on a large data set in an installation that is kept.
LARGE = ("pages", "lists")
ONLY_SERVERS = ("--without", "orders,background,beat,web,supervisor,streams")


@contextmanager
def running(*arguments: str, kind: type[StackInstance] = StackInstance) -> Iterator[StackInstance]:
    stack = kind(*arguments)
    try:
        stack.start()
        yield stack
    finally:
        for problem in stack.end():
            print(f"benchmarks: {problem}", file=sys.stderr)


@contextmanager
def inside(stack: StackInstance) -> Iterator[None]:
    """This process as a command of that installation."""
    os.environ.update(
        stack.environment | {"DJANGO_SETTINGS_MODULE": "levi_site.settings", "LEVI_ROLE": "bench"}
    )
    os.environ["LEVI_LOG_LEVEL"] = "ERROR"
    import django
    from django.db import connections

    django.setup()
    try:
        yield
    finally:
        connections.close_all()


def run(name: str, *subject: Any) -> bool:
    module = import_module(f"benchmarks.{name}")
    facts, began = describe_machine(), time.monotonic()
    try:
        rows: list[Row] = module.measure(*subject)
    except Exception as error:  # one measurement that fails must not cost the others
        print(f"benchmarks: {name} failed: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    facts |= {"load_average_after": os.getloadavg(), "seconds": round(time.monotonic() - began, 1)}
    title = (module.__doc__ or name).splitlines()[0]
    print(show(f"{name}: {title}", rows), flush=True)
    keep(name, rows, facts)
    return True


def run_group(
    names: list[str],
    arguments: tuple[str, ...],
    each: Callable[[StackInstance, str], bool],
    kind: type[StackInstance] = StackInstance,
) -> bool:
    if not names:
        return True
    with running(*arguments, kind=kind) as stack:
        results = [each(stack, name) for name in names]  # all of them, whatever the first came to
        return all(results)


def main() -> int:
    known = (*WHOLE, *STAGES, *STEERED, *LARGE)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(known)}")
    wanted = parser.parse_args().names or known
    if unknown := set(wanted) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    print(describe(describe_machine()), flush=True)
    done = run_group([name for name in WHOLE if name in wanted], (), lambda stack, name: run(name, stack))

    def within(stack: StackInstance, name: str) -> bool:
        with inside(stack):
            return run(name, stack) if name in STEERED else run(name)

    done &= run_group([name for name in (*STEERED, *STAGES) if name in wanted], ONLY_SERVERS, within)
    done &= run_group([name for name in LARGE if name in wanted], ONLY_SERVERS, within, LargeStack)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
