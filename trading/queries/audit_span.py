"""Where in the trail a time lies: bounds of ids, so that a list in the order of ids need not walk past what is newer.

Ids and dates rise together, but for the clocks of several hosts and the length of a transaction. The bounds are taken
hours beyond the time: an entry that is dated further off is damage, which a verification names. Only narrows; the
time itself stays the condition.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from trading.models import AuditEntry

# Twice what a verification lets an entry be dated back.
_MARGIN = timedelta(hours=2)


def within_ids(rows: QuerySet[Any], after: datetime | None, before: datetime | None) -> QuerySet[Any]:
    """The same rows of the trail between two times, with what the database can go by."""
    entries = AuditEntry.objects.order_by("at", "id")
    if before is not None:
        newer = entries.filter(at__gte=before + _MARGIN).values_list("id", flat=True).first()
        rows = rows.filter(id__lt=newer) if newer is not None else rows
    if after is not None:
        older = entries.filter(at__lte=after - _MARGIN).values_list("id", flat=True).last()
        rows = rows.filter(id__gt=older) if older is not None else rows
    return rows
