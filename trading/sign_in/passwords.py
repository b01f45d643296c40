"""What follows a changed password, wherever it was changed: an audit entry, and every session of the person ends.

A Django password validator, because that is the one hook every way of setting a password passes: the panel, the reset
by an administrator, `manage.py changepassword`. It refuses nothing.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from levi_site.request_id import get_request_id
from trading import audit
from trading.domain.actors import Actor, ActorKind
from trading.execution.operators import end_trust


class SessionsEnd:
    def validate(self, password: str, user: Any = None) -> None:
        """Strength is the other validators' business."""

    def get_help_text(self) -> str:
        return "Setting it ends every session of this person but the one it is set in."

    def password_changed(self, password: str, user: Any = None) -> None:
        if not isinstance(user, User) or user.pk is None:
            return
        actor = Actor(ActorKind.SYSTEM, "password", get_request_id())
        with transaction.atomic():
            audit.record(
                "operator.password_changed",
                actor=actor,
                object_type="operator",
                object_id=user.pk,
                data={"username": user.username},
            )
            end_trust(user, why="password changed", actor=actor)
