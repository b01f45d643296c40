"""A phone with an authenticator, as tests hold it: it knows a key and shows the code of any step near now."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django_otp.oath import totp

from trading.domain.actors import Actor, ActorKind
from trading.execution.second_factor import begin_enrolment, confirm_enrolment, find_new_key


@dataclass
class Authenticator:
    """`text` is the key in base32."""

    text: str
    recovery_codes: list[str] = field(default_factory=list)

    @property
    def key(self) -> bytes:
        return base64.b32decode(self.text)

    def code(self, steps: int = 0) -> str:
        """The code of now, or of so many half minutes later."""
        return f"{totp(self.key, drift=steps):06d}"

    @classmethod
    def of(cls, user: User, *, actor: Actor | None = None) -> Authenticator:
        """Enrolled by that person."""
        actor = actor or Actor(ActorKind.OPERATOR, user.username)
        begin_enrolment(user, actor=actor)
        phone = cls(str(find_new_key(user)))
        # The code of the step before: the code of now stays unused.
        phone.recovery_codes = confirm_enrolment(user, phone.code(steps=-1), actor=actor)
        return phone


def enrol(user: User) -> Authenticator:
    return Authenticator.of(user)
