"""How the trail stands, for screens, metrics and schedules: the last checkpoint, what waits, the last verification.

Verifications are kept as audit entries of their own (audit.verified, audit.damaged), so that their history cannot be
tidied up by whoever damaged the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from trading.models import AuditCheckpoint, AuditEntry

VERIFIED, DAMAGED = "audit.verified", "audit.damaged"


@dataclass(frozen=True, slots=True)
class AuditState:
    """`waiting_since`: the oldest of the newest entries without a checkpoint; None if all have one."""

    checkpoint: int
    checkpoint_at: datetime | None
    waiting_since: datetime | None
    verified_at: datetime | None
    is_intact: bool | None
    verification: dict[str, Any]

    @property
    def waiting_seconds(self) -> float:
        return (timezone.now() - self.waiting_since).total_seconds() if self.waiting_since else 0.0


def last_verification() -> AuditEntry | None:
    return AuditEntry.objects.filter(kind__in=(VERIFIED, DAMAGED)).order_by("-id").first()


def last_intact(scope: str | None = None) -> AuditEntry | None:
    """The newest verification that found nothing; of this scope (`all`, `since`) where one is given."""
    rows = AuditEntry.objects.filter(kind=VERIFIED).order_by("-id")
    return (rows.filter(data__scope=scope) if scope else rows).first()


def read_audit_state() -> AuditState:
    last = AuditCheckpoint.objects.order_by("-number").values_list("number", "at", "max_entry_id").first()
    number, at, sealed = last or (0, None, 0)
    waiting = AuditEntry.objects.filter(pk__gt=sealed).order_by("id").values_list("at", flat=True).first()
    verified = last_verification()
    return AuditState(
        checkpoint=number,
        checkpoint_at=at,
        waiting_since=waiting,
        verified_at=verified.at if verified else None,
        is_intact=verified.kind == VERIFIED if verified else None,
        verification=verified.data if verified else {},
    )
