"""Operators: inviting, joining, and what follows when somebody's rights change.

An invitation is a one-time secret, good for 24 hours, by which a new operator sets a password nobody else ever knew.
When roles, password or second factor change, the person's sessions end, and what they asked a second person for is
refused.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import ApprovalState
from trading.domain.errors import InvalidInput, NotAllowed, StaleDecision
from trading.models import ApprovalRequest, Invitation

from .approvals import refuse
from .authority import demand_fresh_factor
from .second_factor import remove_second_factor
from .sessions import end_sessions

INVITATION_LIFE = timedelta(hours=24)


def invite(username: str, roles: Sequence[str], *, actor: Actor) -> tuple[Invitation, str]:
    """The row and the secret of the link, which is never to be had again."""
    demand_fresh_factor(actor, "an invitation")
    username = username.strip()
    try:
        User.username_validator(username)
    except ValidationError:
        username = ""
    if not username or len(username) > 150:
        raise InvalidInput(
            "That is no name for an operator.", remedy="Use letters, digits and @.+-_ only.", field="username"
        )
    if User.objects.filter(username__iexact=username).exists():
        raise InvalidInput(f"There is an operator {username} already.", field="username")
    groups = Group.objects.filter(name__in=roles)
    if not roles or groups.count() != len(set(roles)):
        raise InvalidInput("Choose at least one role.", field="roles")
    secret, now = secrets.token_urlsafe(32), timezone.now()
    with transaction.atomic(durable=True):
        row = Invitation.objects.create(
            username=username,
            roles=sorted(set(roles)),
            secret_hash=_hash(secret),
            created_by=str(actor),
            created_at=now,
            expires_at=now + INVITATION_LIFE,
        )
        _record("made", row, actor)
    return row, secret


def find_invitation(secret: str) -> Invitation | None:
    """The one this link belongs to, if it still opens."""
    return Invitation.objects.filter(
        secret_hash=_hash(secret), used_at=None, revoked_at=None, expires_at__gt=timezone.now()
    ).first()


def accept_invitation(secret: str, password: str, *, request_id: str = "") -> User:
    """Make the operator. Raises InvalidInput for a weak password, StaleDecision if the link is used up."""
    row = find_invitation(secret)
    if row is None:
        raise StaleDecision("This invitation does not open any more.", remedy="Ask for a new one.")
    user = User(username=row.username, is_staff=True)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), field="password") from None
    user.set_password(password)
    actor = Actor(ActorKind.OPERATOR, row.username, request_id)
    with transaction.atomic(durable=True):
        if not Invitation.objects.filter(pk=row.pk, used_at=None, revoked_at=None).update(
            used_at=timezone.now()
        ):
            raise StaleDecision("This invitation was used just now.", remedy="Ask for a new one.")
        user.save(force_insert=True)
        user.groups.set(Group.objects.filter(name__in=row.roles))
        _record("accepted", row, actor)
        audit.record(
            "operator.created",
            actor=actor,
            object_type="operator",
            object_id=user.pk,
            data={"username": user.username, "roles": row.roles, "invited_by": row.created_by},
        )
    return user


def revoke_invitation(invitation_id: UUID, *, actor: Actor) -> Invitation:
    with transaction.atomic(durable=True):
        row = Invitation.objects.filter(pk=invitation_id).first()
        if row is None or row.used_at is not None:
            raise StaleDecision("This invitation was used already.", remedy="Look at the operators.")
        if row.revoked_at is None:
            row.revoked_at = timezone.now()
            row.save(update_fields=["revoked_at"])
            _record("revoked", row, actor)
    return row


def reset_second_factor(user: User, *, reason: str, actor: Actor) -> User:
    """For a lost phone, by somebody else: the person enrols anew at the next sign-in."""
    demand_fresh_factor(actor, "removing a second factor")
    if actor.kind is ActorKind.OPERATOR and actor.name == user.username:
        raise NotAllowed(
            "Nobody removes their own second factor.",
            remedy="Replace it, or ask another administrator.",
            code="same_person",
        )
    remove_second_factor(user, reason=reason, actor=actor)
    end_trust(user, why="second factor removed", actor=actor)
    return user


def end_trust(user: User, *, why: str, actor: Actor, but_not: UUID | None = None) -> None:
    """Somebody's rights or proofs changed: sign them out everywhere, and take back what they asked for."""
    end_sessions(user, why=why, actor=actor, but_not=but_not)
    asked = ApprovalRequest.objects.filter(
        requested_by=f"{ActorKind.OPERATOR}:{user.username}", state=ApprovalState.PENDING
    )
    for row in asked:
        refuse(row.pk, reason=f"Its author's standing changed: {why}.", actor=actor)


def _hash(secret: str) -> str:
    return hashlib.sha256(f"levi invitation|{secret}".encode()).hexdigest()


def _record(verb: str, row: Invitation, actor: Actor) -> None:
    audit.record(
        f"invitation.{verb}",
        actor=actor,
        object_type="invitation",
        object_id=row.pk,
        data={"username": row.username, "roles": row.roles, "created_by": row.created_by},
    )
