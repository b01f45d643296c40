"""Commands as an operator types them: in this process, or as a process of their own with a world that is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

REPO = Path(__file__).resolve().parents[2]
DEAD_REDIS = {"REDIS_URL": "redis://127.0.0.1:1/0"}
DEAD_DATABASE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}


@dataclass
class Typed:
    """What came of it: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def type_here(*words: str) -> Typed:
    """In this process: quick, and in the test's database connection."""
    out, err = StringIO(), StringIO()
    try:
        call_command(*words, stdout=out, stderr=err)
    except CommandError as error:
        return Typed(error.returncode, out.getvalue(), f"{err.getvalue()}{error}")
    return Typed(0, out.getvalue(), err.getvalue())


def type_in_shell(*words: str, **environment: str) -> Typed:
    """As a process of its own: with exit codes, without anything of this one."""
    done = subprocess.run(
        [sys.executable, str(REPO / "manage.py"), *words],
        env={**os.environ, **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Typed(done.returncode, done.stdout, done.stderr)
