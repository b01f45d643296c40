"""Break records: a difference between the venue and our books, from when it is first seen until it is gone.

Each names kind, both numbers, its worth, since when, owner and state. Beyond the tolerance of its kind it restricts its
scope (`break_response`). Nothing here moves a number of the books: a person does, with `adjustments`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor, system_actor
from trading.domain.errors import NotAllowed, UnknownName
from trading.models import Break, BreakResolution, BreakState, ExchangeAccount

ACTOR = system_actor("reconciliation")


def is_beyond_tolerance(kind: str, value: Decimal | None) -> bool:
    """What has no price counts as beyond."""
    tolerance: Decimal = getattr(settings.LEVI_CONFIG.books, f"{kind}_tolerance_usd")
    return value is None or abs(value) > tolerance


def note_break(
    account: ExchangeAccount,
    kind: str,
    subject: str,
    *,
    ours: Decimal | None,
    theirs: Decimal | None,
    value: Decimal | None = None,
    symbol: str = "",
    **detail: Any,
) -> Break | None:
    """Open a break, or note that it is still there. None if a person has accepted exactly this one.

    May run inside or outside a transaction.
    """
    accepted = Break.objects.filter(
        account=account, kind=kind, subject=subject[:120], resolution=BreakResolution.ACCEPTED
    )
    if accepted.filter(ours=ours, theirs=theirs).exists():
        return None
    now, beyond = timezone.now(), is_beyond_tolerance(kind, value)
    measured = {"ours": ours, "theirs": theirs, "value": value, "is_beyond": beyond, "last_seen_at": now}
    with transaction.atomic():
        row, created = Break.objects.exclude(state=BreakState.RESOLVED).get_or_create(
            account=account,
            kind=kind,
            subject=subject[:120],
            defaults={**measured, "since": now, "detail": detail, "symbol": symbol},
        )
        if created:
            audit.record(
                "break.opened", actor=ACTOR, object_type="break", object_id=row.id, data=break_data(row)
            )
        else:
            was_beyond = row.is_beyond
            Break.objects.filter(pk=row.pk).update(**measured, seen_count=F("seen_count") + 1)
            row.refresh_from_db()
            if beyond and not was_beyond:
                audit.record(
                    "break.beyond", actor=ACTOR, object_type="break", object_id=row.id, data=break_data(row)
                )
    return row


def keep_breaks(account: ExchangeAccount, kind: str, subjects: Iterable[str]) -> None:
    """Of what could not be judged now: a break that was there is neither confirmed nor gone."""
    rows = Break.objects.filter(account=account, kind=kind, subject__in=[name[:120] for name in subjects])
    rows.exclude(state=BreakState.RESOLVED).update(last_seen_at=timezone.now())


def break_data(row: Break, **more: Any) -> dict[str, Any]:
    return {
        "account": row.account.name,
        "kind": row.kind,
        "subject": row.subject,
        "ours": row.ours,
        "theirs": row.theirs,
        "value": row.value,
        "beyond": row.is_beyond,
        **more,
    }


def settle_breaks(account: ExchangeAccount, run_started_at: datetime, kinds: Iterable[str]) -> int:
    """Resolve the breaks of the kinds this run has looked for and did not see again; returns how many stay open."""
    live = Break.objects.filter(account=account).exclude(state=BreakState.RESOLVED)
    for row in live.filter(kind__in=list(kinds), last_seen_at__lt=run_started_at):
        with transaction.atomic():
            close_break(row, BreakResolution.GONE, actor=ACTOR)
    return live.count()


def resolve_breaks(
    account: ExchangeAccount, kind: str, subjects: Iterable[str], resolution: BreakResolution, *, actor: Actor
) -> None:
    live = Break.objects.filter(account=account, kind=kind, subject__in=list(subjects))
    for row in live.exclude(state=BreakState.RESOLVED):
        close_break(row, resolution, actor=actor)


def close_break(row: Break, resolution: BreakResolution, *, actor: Actor, reason: str = "") -> None:
    """The caller is in a transaction."""
    now = timezone.now()
    Break.objects.filter(pk=row.pk).update(
        state=BreakState.RESOLVED,
        resolved_at=now,
        resolution=resolution,
        **({"reason": reason} if reason else {}),
    )
    audit.record(
        "break.resolved",
        actor=actor,
        object_type="break",
        object_id=row.id,
        data=break_data(row, resolution=resolution, reason=reason),
    )


def get_break(break_id: UUID | str) -> Break:
    row = Break.objects.filter(pk=break_id).select_related("account").first()
    if row is None:
        raise UnknownName(f"There is no break {break_id}.", code="unknown_break")
    return row


def acknowledge_break(break_id: UUID | str, *, reason: str, actor: Actor) -> Break:
    """Somebody owns it now. It restricts its scope again only if it grows."""
    with transaction.atomic(durable=True):
        row = get_break(break_id)
        if row.state == BreakState.RESOLVED:
            raise NotAllowed(
                "This break is resolved already.", remedy="Nothing is left to do.", code="break_is_resolved"
            )
        Break.objects.filter(pk=row.pk).update(
            state=BreakState.ACKNOWLEDGED,
            owner=actor.name,
            reason=reason[:300],
            taken_at_difference=row.difference,
        )
        audit.record(
            "break.acknowledged",
            actor=actor,
            object_type="break",
            object_id=row.id,
            data=break_data(row, reason=reason[:300]),
        )
    return get_break(break_id)
