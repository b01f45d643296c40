"""What waits for a second person now."""

from __future__ import annotations

from django.utils import timezone

from trading.domain.enums import ApprovalKind, ApprovalState
from trading.models import ApprovalRequest

_MOST = 20


def waiting_requests(kind: ApprovalKind | None = None) -> list[ApprovalRequest]:
    """Still undecided and in time; the newest first."""
    rows = ApprovalRequest.objects.filter(state=ApprovalState.PENDING, expires_at__gt=timezone.now())
    return list((rows.filter(kind=kind) if kind else rows)[:_MOST])
