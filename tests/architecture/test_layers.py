"""Which way things point. Every module of trading/ has a place, and imports only from places below its own."""

from __future__ import annotations

import ast

from tests.architecture.source import Module, is_inside, list_imports, read_modules, where

# The higher may import the lower, never the other way and never sideways. Inside a unit anything goes.
LAYERS = {
    "trading.domain": 0,
    "trading.risk": 10,
    "trading.failpoints": 15,
    "trading.metric_files": 15,
    "trading.process_name": 20,
    "trading.ending": 20,
    "trading.models": 20,
    "trading.exchanges": 20,
    "trading.metrics": 20,
    "trading.stop_flag": 20,
    "trading.sealed_file": 20,
    "trading.locking": 30,
    "trading.live": 39,
    "trading.audit": 40,
    "trading.doorbell": 40,
    "trading.notify": 40,
    "trading.alert_line": 40,
    "trading.vault": 40,
    "trading.connections": 41,
    "trading.market": 42,
    "trading.volume": 42,
    "trading.queries": 43,
    "trading.execution": 50,
    "trading.sign_in": 55,
    "trading.first_run": 60,
    "trading.break_glass": 60,
    "trading.supervision": 60,
    "trading.heart": 60,
    "trading.stream_listener": 60,
    "trading.streams": 61,
    "trading.tasks": 60,
    "trading.api": 60,
    "trading.admin": 60,
    "trading.streaming": 60,
    "trading.templatetags": 61,
    "trading.sdk_lanes": 60,
    "trading.sdk_stages": 61,
    "trading.sdk": 62,
    "trading.management": 62,
}
DOORS = 60
# Django's own entry points and history: outside of the order.
UNORDERED = ("trading", "trading.apps", "trading.migrations")
PURE = ("trading.domain", "trading.risk")
IMPURE_FOR_THE_PURE = (
    "django",
    "rest_framework",
    "celery",
    "redis",
    "httpx",
    "random",
    "os",
    "socket",
    "time",
)
# Wiring that every layer may use: it knows nothing of trading.
SHARED_WIRING = ("levi_site.request_id", "levi_site.redaction")

TRADING = read_modules("trading")
SIMULATOR = read_modules("simulator")


def find_unit(name: str) -> str | None:
    return next((unit for unit in LAYERS if is_inside(name, unit)), None)


def test_every_module_has_a_place() -> None:
    homeless = [m.name for m in TRADING if not find_unit(m.name) and m.name not in UNORDERED]
    assert homeless == [], "give these a row in LAYERS (and in docs/architecture.md)"


def test_every_place_has_a_module() -> None:
    unused = [unit for unit in LAYERS if not any(is_inside(m.name, unit) for m in TRADING)]
    assert unused == []


def test_a_module_imports_only_from_below() -> None:
    wrong = [
        f"{where(module, line)} imports {name}"
        for module in TRADING
        if (unit := find_unit(module.name))
        for name, line in list_imports(module)
        if is_inside(name, "trading") and not may_import(unit, name)
    ]
    assert wrong == []


def may_import(unit: str, name: str) -> bool:
    target = find_unit(name)
    if target is None:
        return name == "trading"
    return target == unit or LAYERS[target] < LAYERS[unit]


def test_domain_and_risk_know_no_framework_and_no_clock() -> None:
    pure = [module for module in TRADING if find_unit(module.name) in PURE]
    wrong = [
        f"{where(module, line)} imports {name}"
        for module in pure
        for name, line in list_imports(module)
        if any(is_inside(name, package) for package in IMPURE_FOR_THE_PURE)
    ]
    assert wrong == []
    assert [place for module in pure for place in calls_now(module)] == [], "take the time as a parameter"


def calls_now(module: Module) -> list[str]:
    calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return [
        where(module, call.lineno)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("now", "utcnow", "today")
    ]


def test_nothing_below_the_doors_imports_the_wiring() -> None:
    wrong = [
        f"{where(module, line)} imports {name}"
        for module in TRADING
        if (unit := find_unit(module.name)) and LAYERS[unit] < DOORS
        for name, line in list_imports(module)
        if is_inside(name, "levi_site") and not any(is_inside(name, shared) for shared in SHARED_WIRING)
    ]
    assert wrong == []


def test_only_locking_locks_rows() -> None:
    wrong = [
        where(module, node.lineno)
        for module in TRADING
        if module.name != "trading.locking"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "select_for_update"
    ]
    assert wrong == []


def test_the_simulated_venue_knows_nothing_of_the_product() -> None:
    foreign = ("trading", "levi_site", "django")
    wrong = [
        f"{where(module, line)} imports {name}"
        for module in SIMULATOR
        for name, line in list_imports(module)
        if any(is_inside(name, package) for package in foreign)
    ]
    assert wrong == []


# For eyes and scrapers, not for books.
MAY_FLOAT = {
    "trading.metrics": "Prometheus knows floats only",
    "trading.failpoints": "probabilities and seconds of tests",
    "trading.queries.exposition": "gauges, read at scrape time",
    "trading.queries.live_state": "gauges, read at scrape time",
    "trading.queries.pictures": "the points of drawn curves",
    "trading.admin.charts": "the points of drawn curves",
    "trading.api.throttles": "levels of token buckets",
}


def test_money_never_becomes_a_float() -> None:
    wrong = [
        where(module, node.lineno)
        for module in TRADING
        if module.name not in MAY_FLOAT
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    ]
    assert wrong == []
