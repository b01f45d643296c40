"""Warnings at 50, 75 and 90 percent of a limit, and at the limit itself: once each time a band is entered.

Asked with the automatic halts. A band is left only some percent below it (`queries.utilisation`), so that a value that
trembles at an edge warns once. An audit entry per warning, from which the alert is made. Never stops anything.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.domain.money import ZERO, plain
from trading.models import LimitBand
from trading.queries.utilisation import UseRow, next_band, read_utilisation

from .jobs import claim_slot

ACTOR = system_actor("limits")
_SLOT_SECONDS = 5
_LARGEST = Decimal(10**9)  # a limit of next to nothing is used a million times over: the column has an end


def warn_of_limits() -> list[UseRow]:
    """The limits that entered a higher band since the last look, each with its audit entry."""
    if not claim_slot("limit bands", _SLOT_SECONDS):
        return []
    rows = read_utilisation()
    known = {(band.limit, band.scope, band.target): band for band in LimitBand.objects.all()}
    raised = []
    for row in rows:
        band = known.pop((row.limit, row.scope, row.target), None)
        before = band.band if band else 0
        after = next_band(before, row.share_pct)
        if after == before and band is not None and row.share_pct is None:
            continue
        with transaction.atomic():
            _keep(row, band, before, after)
            if after > before:
                _tell(row, before, after)
                raised.append(row)
    LimitBand.objects.filter(pk__in=[band.pk for band in known.values()]).delete()  # limits that are gone
    return raised


def _keep(row: UseRow, band: LimitBand | None, before: int, after: int) -> None:
    now = timezone.now()
    LimitBand.objects.update_or_create(
        limit=row.limit,
        scope=row.scope,
        target=row.target,
        defaults={
            "band": after,
            "share_pct": min(row.share_pct or ZERO, _LARGEST),
            "looked_at": now,
            "since": band.since if band is not None and after == before else now,
        },
    )


def _tell(row: UseRow, before: int, after: int) -> None:
    audit.record(
        "limits.band",
        actor=ACTOR,
        object_type="limits",
        object_id=row.version,
        data={
            "limit": row.limit,
            "label": row.label,
            "scope_name": row.scope_name,
            "subject": row.subject,
            "used": plain(row.used),
            "maximum": plain(row.maximum),
            "share_pct": f"{row.share_pct:.0f}",
            "before": before,
            "band": after,
        },
    )
