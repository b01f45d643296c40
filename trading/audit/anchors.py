"""Anchors: what the database cannot take back. One line per checkpoint in an append-only file outside of it.

The file knows numbers and hashes that a rewritten, cut off or restored database does not have. It is worth as much as
the distance between it and the database: settings.AUDIT_ANCHOR_FILE can put it on another disk or host. Lines are only
ever appended, and synced before `write_anchors` returns; a line torn by a crash is skipped and written again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from trading.domain.chain import canonical_bytes
from trading.models import AuditCheckpoint

_TAIL_BYTES = 4096
_CATCH_UP = 10_000  # anchors written at once after an outage of the file's disk


@dataclass(frozen=True, slots=True)
class Anchor:
    number: int
    hash: str
    signature: str
    line: int


def anchor_line(checkpoint: AuditCheckpoint) -> bytes:
    names = ("number", "hash", "at", "signature", "key_id")
    return canonical_bytes({name: getattr(checkpoint, name) for name in names}) + b"\n"


def write_anchors(made: AuditCheckpoint, file: Path | None = None) -> int:
    """Append `made` and whatever the file missed before it; returns how many lines. A new file begins with `made`."""
    path = file or settings.AUDIT_ANCHOR_FILE
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # until closed: two processes never write the same anchor
        last, is_torn = _read_end(handle)
        missed = _missed(last, made)
        if missed:
            text = (b"\n" if is_torn else b"") + b"".join(map(anchor_line, missed))
            os.write(handle.fileno(), text)
            os.fsync(handle.fileno())
    return len(missed)


def _missed(last: int | None, made: AuditCheckpoint) -> list[AuditCheckpoint]:
    if last is None or last == made.number - 1:
        return [made]
    if last >= made.number:
        return []  # anchored already, or the file knows a later past: verification will say so
    rows = AuditCheckpoint.objects.filter(number__gt=last, number__lte=made.number).order_by("number")
    return list(rows[:_CATCH_UP])


def _read_end(handle: Any) -> tuple[int | None, bool]:
    """The last number that can be read, and whether the file ends in the middle of a line."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(max(0, size - _TAIL_BYTES))
    tail = handle.read(_TAIL_BYTES)
    numbers = [found.number for line in tail.split(b"\n") if (found := parse_anchor(line))]
    return (max(numbers) if numbers else None), bool(tail) and not tail.endswith(b"\n")


def parse_anchor(line: bytes, number_of_line: int = 0) -> Anchor | None:
    """None for a line that is no anchor."""
    try:
        found = json.loads(line)
        return Anchor(int(found["number"]), str(found["hash"]), str(found["signature"]), number_of_line)
    except (ValueError, KeyError, TypeError):
        return None


def read_anchors(*, after: int = 0, file: Path | None = None) -> Iterator[Anchor | int]:
    """Anchors of checkpoints after this number; a line that cannot be read comes as its line number."""
    path = file or settings.AUDIT_ANCHOR_FILE
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return
    with handle:
        for count, line in enumerate(handle, start=1):
            found = parse_anchor(line, count)
            if found is None and line.strip():
                yield count
            elif found is not None and found.number > after:
                yield found
