"""Break records: a difference between the venue and our books, from when it is first seen until it is gone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.models import Break, BreakState, ExchangeAccount

ACTOR = system_actor("reconciliation")


def note_break(
    account: ExchangeAccount,
    kind: str,
    subject: str,
    *,
    ours: Decimal | None,
    theirs: Decimal | None,
    **detail: Any,
) -> Break:
    """Open a break, or note that it is still there. May run inside or outside a transaction."""
    now = timezone.now()
    with transaction.atomic():
        row, created = Break.objects.exclude(state=BreakState.RESOLVED).get_or_create(
            account=account,
            kind=kind,
            subject=subject[:120],
            defaults={"ours": ours, "theirs": theirs, "since": now, "last_seen_at": now, "detail": detail},
        )
        if created:
            audit.record(
                "break.opened",
                actor=ACTOR,
                object_type="break",
                object_id=row.id,
                data={
                    "account": account.name,
                    "kind": kind,
                    "subject": subject,
                    "ours": ours,
                    "theirs": theirs,
                },
            )
        else:
            Break.objects.filter(pk=row.pk).update(
                ours=ours, theirs=theirs, last_seen_at=now, seen_count=F("seen_count") + 1
            )
    return row


def settle_breaks(account: ExchangeAccount, run_started_at: datetime) -> int:
    """Resolve the account's breaks that this complete run did not see again; returns how many stay open."""
    live = Break.objects.filter(account=account).exclude(state=BreakState.RESOLVED)
    for row in live.filter(last_seen_at__lt=run_started_at):
        with transaction.atomic():
            Break.objects.filter(pk=row.pk).update(state=BreakState.RESOLVED, resolved_at=timezone.now())
            audit.record(
                "break.resolved",
                actor=ACTOR,
                object_type="break",
                object_id=row.id,
                data={"account": account.name, "kind": row.kind, "subject": row.subject},
            )
    return live.count()
