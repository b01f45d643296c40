"""What watchers may have missed: audit entries after a given one, as the live hints that announced them.

Ids are given at insert and visible at commit, so that a smaller one may appear after a larger one: entries shortly
before the given one are read again if they are young. Whoever hears a hint twice reads a row twice, no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from trading.live import describe_hint, topics_of
from trading.models import AuditEntry

MOST = 200
_OVERLAP = 100
_OVERLAP_SPAN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class MissedHints:
    """`is_cut`: there were more than a watcher should hear one by one; it must read everything anew."""

    hints: list[tuple[tuple[str, ...], dict[str, Any]]]
    newest: int
    is_cut: bool


def newest_entry() -> int:
    return AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def read_missed(after: int) -> MissedHints:
    young = Q(id__gt=after - _OVERLAP, at__gte=timezone.now() - _OVERLAP_SPAN)
    rows = AuditEntry.objects.filter(Q(id__gt=after) | young, id__gt=after - _OVERLAP).order_by("id")
    found = list(rows.values_list("id", "kind", "object_id", "at", "data")[: MOST + 1])
    if len(found) > MOST:
        return MissedHints([], newest_entry(), True)
    hints = [(topics_of(row[1]), describe_hint(*row)) for row in found]
    return MissedHints(hints, max([after, *(row[0] for row in found)]), False)
