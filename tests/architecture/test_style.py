"""House rules that a machine can count."""

from __future__ import annotations

import ast
from collections import defaultdict
from statistics import median

from tests.architecture.source import PRODUCT, ROOT, Module, read_modules, where

MODULES = read_modules(*PRODUCT)
EVERYTHING = read_modules(*PRODUCT, "tests", *(["benchmarks"] if (ROOT / "benchmarks").is_dir() else []))
LONGEST = 400
BAGS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "stuff"}
TEXTS = {".css", ".js", ".html", ".md", ".yaml", ".yml", ".sql", ".json"}
BROAD = {"Exception", "BaseException"}


def count_lines(module: Module) -> int:
    return module.text.count("\n")


def test_no_file_is_too_long() -> None:
    assert [f"{m.name}: {count_lines(m)}" for m in EVERYTHING if count_lines(m) > LONGEST] == []


def test_no_file_holds_what_a_merge_left_undone() -> None:
    """Python would not parse; a style sheet, a template or a document says nothing."""
    undone = ("<" * 7 + " ", ">" * 7 + " ")
    places = (ROOT / name for name in ("trading/static", "templates", "docs", "config", "ops"))
    texts = [file for place in places for file in place.rglob("*") if file.suffix in TEXTS]
    assert len(texts) > 60
    assert [
        str(file) for file in texts if any(line.startswith(undone) for line in file.read_text().splitlines())
    ] == []


def test_most_files_are_short() -> None:
    lengths = sorted(count_lines(module) for module in MODULES)
    assert median(lengths) <= 100
    assert lengths[int(len(lengths) * 0.9)] <= 250


def test_every_module_opens_with_what_it_is_for() -> None:
    assert [m.name for m in EVERYTHING if not ast.get_docstring(m.tree)] == []


def test_an_init_file_holds_only_docstring_and_re_exports() -> None:
    allowed = (ast.Expr, ast.Import, ast.ImportFrom)
    wrong = [
        where(module, node.lineno)
        for module in MODULES
        if module.is_package
        for node in module.tree.body
        if not isinstance(node, allowed) and not is_all_list(node) and not is_rule_list(module, node)
    ]
    assert wrong == []


def is_all_list(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]


def is_rule_list(module: Module, node: ast.stmt) -> bool:
    """The order of the risk rules is the policy, and stands where one looks first."""
    return module.name == "trading.risk" and isinstance(node, ast.Assign | ast.AnnAssign)


def test_no_module_is_a_bag() -> None:
    assert [m.name for m in EVERYTHING if set(m.name.split(".")) & BAGS] == []


def test_no_class_name_is_used_twice() -> None:
    """Command (Django's own convention), Meta and nested classes aside. The simulator is a program of its own."""
    places: dict[tuple[bool, str], list[str]] = defaultdict(list)
    for module in MODULES:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and node.name not in ("Command", "Migration"):
                places[module.name.startswith("simulator"), node.name].append(where(module, node.lineno))
    assert {name: found for (_side, name), found in places.items() if len(found) > 1} == {}


def test_a_broad_except_gives_its_reason() -> None:
    wrong = [
        where(module, node.lineno)
        for module in MODULES
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and is_broad(node) and not has_comment(module, node)
    ]
    assert wrong == [], "say in a comment beside it why nothing narrower will do"


def has_comment(module: Module, node: ast.ExceptHandler) -> bool:
    """From the line above to the first statement below."""
    return any("#" in text for text in module.text.splitlines()[node.lineno - 2 : node.body[0].lineno])


def is_broad(node: ast.ExceptHandler) -> bool:
    return node.type is None or bool({n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} & BROAD)


def test_nothing_is_left_for_later() -> None:
    marks = ("TODO", "FIXME", "XXX")
    assert [f"{m.name}: {mark}" for m in MODULES for mark in marks if mark in m.text] == []
