"""A bundle of a small trail, and the verifier run as an auditor runs it: a file of its own, without Levi."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from trading import audit
from trading.audit.bundle import export_bundle
from trading.domain.actors import system_actor

TOOL = Path(__file__).resolve().parents[2] / "tools" / "verify_levi_audit.py"
TESTS = system_actor("tests")


@dataclass
class Verdict:
    code: int
    out: str
    err: str


@pytest.fixture
def trail(db, settings, tmp_path) -> list[int]:
    """Ids of twelve entries under three checkpoints."""
    settings.AUDIT_ANCHOR_FILE = tmp_path / "kept-elsewhere.jsonl"
    ids = []
    for _checkpoint in range(3):
        with transaction.atomic():
            ids += [
                audit.record("note.made", actor=TESTS, data={"text": f"Zoë {n}\u2028"}).pk for n in range(4)
            ]
        audit.seal("test", actor=TESTS)
    return ids


@pytest.fixture
def bundle(trail, tmp_path) -> Path:
    export_bundle(tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def verify_alone() -> Callable[..., Verdict]:
    """As an auditor runs it: isolated (-I, -S), without this environment's packages and without the project."""

    def run(script: Path, *words: object, python: str = sys.executable) -> Verdict:
        done = subprocess.run(
            [python, "-I", "-S", str(script), *map(str, words)],
            capture_output=True,
            text=True,
            cwd="/",
            env={"PYTHONIOENCODING": "utf-8"},
            timeout=60,
            check=False,
        )
        return Verdict(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def verify(tool, capsys) -> Callable[..., Verdict]:
    """The same program in this process, because forty processes take their time."""

    def run(*words: object) -> Verdict:
        capsys.readouterr()
        code = tool["main"]([str(word) for word in words])
        return Verdict(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def tool() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "tool"}
    exec(compile(TOOL.read_text(encoding="utf-8"), str(TOOL), "exec"), names)
    return names
