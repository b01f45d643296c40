"""Verification of the audit trail: every chain, every checkpoint and every anchor; or what came since a checkpoint.

Reads only. What it can find stands in damage.py; how, in inspection.py. A verification since a checkpoint takes what
lies before for granted and is for every hour; only one from the beginning proves the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from .anchors import read_anchors
from .damage import AuditReport
from .inspection import Inspection
from .reading import find_checkpoint, find_heads, long_reading, newest_checkpoint, read_rest, read_sealed
from .signing import public_key


def verify(
    *,
    until: datetime | None = None,
    since: int = 0,
    progress: Callable[[int], None] | None = None,
) -> AuditReport:
    """Check everything, or what came after checkpoint `since`, up to a time where one is given."""
    with long_reading():
        start = find_checkpoint(since) if since else None
        heads = find_heads(start.number) if start else None
        if heads is None:
            start = None  # nothing to go on from: all of it, then
        inspection = Inspection(
            settings.AUDIT_KEY.encode(),
            public_key(),
            heads=heads,
            last=start,
            progress=progress,
        )
        # Before the checkpoints: whatever is anchored now was committed before.
        inspection.read_anchors(read_anchors(after=start.number if start else 0))
        for checkpoint, rows in read_sealed(after=start.number if start else 0, until=until):
            inspection.inspect_checkpoint(checkpoint, rows)
        inspection.inspect_rest(read_rest(inspection.heads, until))
        return inspection.finish(newest_checkpoint())
