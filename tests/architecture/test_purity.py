"""Where decisions are made, nothing reads a clock, nothing is left to chance, and nothing is read or written.

That is what makes an hour of trading repeatable: the same facts give the same answer, in production and in simulation.
The reducer of evidence, the gate, the resolver's schedule, the negative proof and the risk rules are in `domain` and
`risk`; the classifier of a venue's answers is the part of its adapter that is named here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import Module, is_inside, list_imports, read_modules, where

PURE_PLACES = (
    "trading.domain",
    "trading.risk",
    "trading.exchanges.binance.classify",
    "trading.exchanges.binance.codes",
    "trading.exchanges.binance.constants",
    "trading.exchanges.binance.parse",
    "trading.exchanges.bybit.classify",
    "trading.exchanges.bybit.codes",
    "trading.exchanges.bybit.constants",
    "trading.exchanges.bybit.parse",
    "trading.exchanges.mexc.classify",
    "trading.exchanges.mexc.codes",
    "trading.exchanges.mexc.constants",
    "trading.exchanges.mexc.parse",
    "trading.exchanges.complaints",
    "trading.exchanges.endpoint",
    "trading.exchanges.meanings",
    "trading.exchanges.order_checks",
    "trading.exchanges.strict_json",
    "trading.execution.dispatch_limits",
)
PURE = tuple(
    module
    for module in read_modules("trading")
    if any(is_inside(module.name, place) for place in PURE_PLACES)
)
# All that a decision may import, besides other decisions. Nothing here reads a clock, a file or a socket by itself.
PURE_LIBRARY = (
    *("__future__", "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum", "functools"),
    *("hashlib", "hmac", "itertools", "json", "math", "operator", "re", "typing", "uuid"),
)
# The simulated scenarios themselves must be as repeatable as what they try; the campaign around them measures time.
SIMULATED = tuple(
    module
    for module in read_modules("tests")
    if is_inside(module.name, "tests.chaos.virtual") and not module.name.endswith((".campaign", ".__main__"))
)
IMPURE_MODULES = ("time", "random", "secrets", "os", "socket", "threading", "django.utils.timezone")
IMPURE_CALLS = (
    "now",
    "utcnow",
    "today",
    "urandom",
    "uuid1",
    "uuid4",
    "getrandbits",
    "perf_counter",
    "monotonic",
)


IMPURE_BUILTINS = ("open", "print", "input", "exec", "eval", "__import__", "breakpoint")
_SOURCES = ("datetime", "uuid")


def find_strange_imports(module: Module) -> Iterator[str]:
    """What a decision imports that is neither a decision nor known to be harmless."""
    for name, line in list_imports(module):
        if not any(is_inside(name, allowed) for allowed in (*PURE_LIBRARY, *PURE_PLACES)):
            yield f"{where(module, line)} imports {name}"


def find_references(module: Module) -> Iterator[str]:
    """`datetime.now` that is handed on, not called, and whatever opens, prints or runs something."""
    sources = set(_SOURCES)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module in _SOURCES:
            sources |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            sources |= {alias.asname for alias in node.names if alias.name in _SOURCES and alias.asname}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_CALLS:
            if ast.unparse(node.value).split(".")[0] in sources:
                yield f"{where(module, node.lineno)} hands on {ast.unparse(node)}"
        elif isinstance(node, ast.Name) and node.id in IMPURE_BUILTINS:
            yield f"{where(module, node.lineno)} uses {node.id}"


def find_impurities(module: Module, *, allowed: tuple[str, ...] = ()) -> Iterator[str]:
    for name, line in list_imports(module):
        if any(is_inside(name, package) for package in IMPURE_MODULES if package not in allowed):
            yield f"{where(module, line)} imports {name}"
        if name in ("uuid.uuid4", "uuid.uuid1"):
            yield f"{where(module, line)} imports {name}"
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in IMPURE_CALLS and not (allowed and _is_on_an_instance(node.func)):
            yield f"{where(module, node.lineno)} calls {ast.unparse(node.func)}"


def _is_on_an_instance(function: ast.Attribute) -> bool:
    """`r.getrandbits` of a generator that was passed in is repeatable; `random.getrandbits` is not."""
    return isinstance(function.value, ast.Name) and function.value.id not in (
        "random",
        "os",
        "uuid",
        "datetime",
    )


@pytest.mark.parametrize("module", PURE, ids=lambda module: module.name)
def test_decisions_read_no_clock_and_draw_no_lots(module: Module):
    assert list(find_impurities(module)) == [], "take the time, or the number, as a parameter"
    assert list(find_references(module)) == [], "take what it gives as a parameter"


@pytest.mark.parametrize("module", PURE, ids=lambda module: module.name)
def test_decisions_import_other_decisions_and_plain_values_only(module: Module):
    assert list(find_strange_imports(module)) == []


@pytest.mark.parametrize("module", SIMULATED, ids=lambda module: module.name)
def test_a_scenario_depends_on_its_seed_alone(module: Module):
    assert list(find_impurities(module, allowed=("random",))) == []
    assert [
        f"{where(module, node.lineno)} draws from the shared generator"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "random"
        and node.attr != "Random"
    ] == []


@pytest.mark.parametrize(
    "line",
    [
        "import time",
        "from time import monotonic",
        "import random",
        "import secrets",
        "from uuid import uuid4",
        "from django.utils import timezone",
        "datetime.now(UTC)",
        "timezone.now()",
        "datetime.date.today()",
        "uuid.uuid4()",
        "os.urandom(8)",
    ],
)
def test_the_check_sees(line: str):
    path = Path(__file__)
    assert list(find_impurities(Module("trading.domain.sample", path, line, ast.parse(line))))


@pytest.mark.parametrize(
    "lines",
    [
        "import subprocess",
        "import logging",
        "import sqlite3",
        "from pathlib import Path",
        "from django.db import connection",
        "import httpx",
        "from trading.models import Order",
        "from trading.execution.halts import engage",
    ],
)
def test_the_check_sees_a_strange_import(lines: str):
    sample = Module("trading.domain.sample", Path(__file__), lines, ast.parse(lines))
    assert list(find_strange_imports(sample))


@pytest.mark.parametrize(
    "lines",
    [
        "from datetime import datetime\nread = datetime.now",
        "from datetime import datetime as d\nfield(default_factory=d.utcnow)",
        "import datetime as d\nread = d.datetime.now",
        "import uuid\nfield(default_factory=uuid.uuid4)",
        "open('journal')",
        "print('done')",
        "write = print",
        "eval('1')",
    ],
)
def test_the_check_sees_what_is_handed_on_or_opened(lines: str):
    sample = Module("trading.domain.sample", Path(__file__), lines, ast.parse(lines))
    assert list(find_references(sample))


def test_a_time_that_was_given_is_no_clock():
    lines = "def is_late(facts, now):\n    return facts.now < now"
    sample = Module("trading.domain.sample", Path(__file__), lines, ast.parse(lines))
    assert not [*find_references(sample), *find_impurities(sample), *find_strange_imports(sample)]


@pytest.mark.parametrize(
    "name",
    ["domain.evidence", "domain.gate", "domain.doubt", "domain.clean", "exchanges.mexc.classify"],
)
def test_what_decides_most_is_among_them(name: str):
    assert f"trading.{name}" in {module.name for module in PURE}


def test_there_is_something_to_check():
    assert len(PURE) > 25 and len(SIMULATED) > 15
