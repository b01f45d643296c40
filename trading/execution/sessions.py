"""Sessions of operators: each sign-in is a row, ended by its person, by an administrator, or by a change of rights.

Ending a row signs the browser out at its next request (trading.sign_in.gate). Every beginning and end is in the audit
trail.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.models import OperatorSession


def begin_session(user: User, *, address: str, browser: str, actor: Actor) -> OperatorSession:
    now = timezone.now()
    with transaction.atomic():
        row = OperatorSession.objects.create(
            user=user, address=address[:64], browser=browser[:200], began_at=now, acted_at=now
        )
        power = {"is_superuser": True} if user.is_superuser else {}  # past every role: alarmed
        _record("session.began", row, actor, address=row.address, **power)
    return row


def note_act(session_id: UUID) -> None:
    """The person proved the factor: seen in the list of sessions."""
    OperatorSession.objects.filter(pk=session_id).update(acted_at=timezone.now())


def session_is_open(session_id: UUID) -> bool:
    return OperatorSession.objects.filter(pk=session_id, ended_at=None).exists()


def end_sessions(user: User, *, why: str, actor: Actor, but_not: UUID | None = None) -> int:
    """All of a person's open sessions, but for one."""
    rows = OperatorSession.objects.filter(user=user, ended_at=None)
    return sum(end_session(row.pk, why=why, actor=actor) for row in rows if row.pk != but_not)


def end_session(session_id: UUID, *, why: str, actor: Actor) -> bool:
    """False if it had ended already."""
    with transaction.atomic():
        fresh = OperatorSession.objects.filter(pk=session_id, ended_at=None)
        if not fresh.update(ended_at=timezone.now(), ended_why=why[:100]):
            return False
        row = OperatorSession.objects.select_related("user").get(pk=session_id)
        _record("session.ended", row, actor, why=why[:100])
    return True


def _record(kind: str, row: OperatorSession, actor: Actor, **data: Any) -> None:
    audit.record(
        kind,
        actor=actor,
        object_type="session",
        object_id=row.pk,
        data={"username": row.user.username, **data},
    )
