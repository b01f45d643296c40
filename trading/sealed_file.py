"""Where the sealed key file of `manage.py break_glass` stands, and what of it can be read without any key.

Only when it was written, which a stranger may change: it serves to remind people and proves nothing. Opening it is
`trading.break_glass`'s. Knows no Django.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path


def key_path(home_dir: Path) -> Path:
    return home_dir / "secrets" / "break-glass.json"


def find_written_at(path: Path) -> datetime | None:
    """None for a file that is missing or cannot be read: breaking the glass would not find its keys either."""
    try:
        written_at = datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["written_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return written_at if written_at.tzinfo else written_at.replace(tzinfo=UTC)
