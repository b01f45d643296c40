"""Reads the project's source files for the architecture tests: parsed once, named as modules."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("trading", "levi_site", "simulator", "rig", "soak")


@dataclass(frozen=True)
class Module:
    name: str  # trading.execution.intake; a package is named like its folder
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"


@cache
def read_modules(*folders: str) -> tuple[Module, ...]:
    """Every module below these folders, migrations excepted: they are history and stay as they ran."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            words = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(words[:-1] if words[-1] == "__init__" else words)
            text = path.read_text(encoding="utf-8")
            found.append(Module(name, path, text, ast.parse(text, str(path))))
    return tuple(found)


def list_imports(module: Module) -> list[tuple[str, int]]:
    """Absolute names of everything imported anywhere in the module, with the line. `from a import b` gives a.b."""
    names: list[tuple[str, int]] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_base(module, node)
            names += [(f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return names


def resolve_base(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    for _step in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{node.module}" if node.module else package


def is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def where(module: Module, line: int) -> str:
    return f"{module.path.relative_to(ROOT)}:{line}"
