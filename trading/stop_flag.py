"""The local stop flag: a file that every process of this host looks at before it writes a new order.

It needs no database, so it is raised first by every halt of the widest scope, by the break-glass command, and by the
dead man when the database is gone. It is latched: only a release removes it. What cannot be read counts as raised.
Knows no Django.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

NO_WORDS = "the stop flag of this host is raised"


@dataclass(frozen=True, slots=True)
class StopFlag:
    """Why and by whom first, and when it was raised last, as far as the file tells."""

    reason: str
    actor: str
    since: datetime


def raise_stop_flag(path: Path, reason: str, actor: str) -> None:
    """Raise it. One that stands keeps its words, the first ones are why; its time is now, so that a release that was
    decided on before does not take it down."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        with suppress(OSError):  # it stands all the same
            os.utime(path)
        return
    # It is raised now. A full disk may still refuse the words, which are for people only.
    with suppress(OSError), os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump({"reason": reason[:300], "actor": actor[:150]}, handle)


def find_stop_flag(path: Path) -> StopFlag | None:
    """None only where there certainly is no flag."""
    try:
        raised_at = datetime.fromtimestamp(os.stat(path).st_mtime, UTC)
    except FileNotFoundError:
        return None
    except OSError as error:
        return StopFlag(f"the stop flag cannot be read ({error.strerror})", "", datetime.now(UTC))
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        words = None  # raised by hand (touch), or half-written by a process that died: raised all the same
    if not isinstance(words, dict):
        words = {}
    return StopFlag(str(words.get("reason") or NO_WORDS), str(words.get("actor") or ""), raised_at)


def lower_stop_flag(path: Path, seen: StopFlag | None) -> None:
    """Take down the one that was seen; one that was raised since stays."""
    flag = find_stop_flag(path)
    if flag is not None and seen is not None and flag.since <= seen.since:
        path.unlink(missing_ok=True)
