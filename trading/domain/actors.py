"""Actor: who or what stands behind a change. Every verb of `execution` takes one, keyword-only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ActorKind(StrEnum):
    OPERATOR = "operator"  # a person
    CLIENT = "client"  # a program with an API token
    WEBHOOK = "webhook"  # a program that knows the secret of one address
    SYSTEM = "system"  # Levi itself: beat, a trigger, a worker
    COMMAND = "command"  # somebody with a shell on the host


@dataclass(frozen=True, slots=True)
class Actor:
    """`request_id` ties the change to the request, the logs and the audit trail; empty for the system.

    `factor_at`: when this person last proved the second factor in this session; None for who never did, and for
    programs, which cannot.
    """

    kind: ActorKind
    name: str
    request_id: str = ""
    factor_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def system_actor(name: str) -> Actor:
    return Actor(ActorKind.SYSTEM, name)
