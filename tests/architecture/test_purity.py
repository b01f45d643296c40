"""Where decisions are made, nothing reads a clock and nothing is left to chance.

That is what makes an hour of trading repeatable: the same facts give the same answer, in production and in simulation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import Module, is_inside, list_imports, read_modules, where

PURE = tuple(
    module
    for module in read_modules("trading")
    if is_inside(module.name, "trading.domain") or is_inside(module.name, "trading.risk")
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


def test_there_is_something_to_check():
    assert len(PURE) > 20 and len(SIMULATED) > 15
