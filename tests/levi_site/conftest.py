"""A HOME_DIR that another user may pass through: as root the database server runs as one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_home() -> Iterator[Path]:
    """pytest's own temporary folders are closed to others, and the stack would rightly look for another place."""
    home = Path(tempfile.mkdtemp(prefix="levi-home-"))
    home.chmod(0o711)
    yield home
    shutil.rmtree(home)
