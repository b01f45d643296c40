"""Who may do what costs most: a fresh second factor, and in production a second person. Every verb asks here itself.

So that no door can forget it: the panel, the API and the command line only make an Actor that says when its person
last proved the factor. Paper mode asks for neither; stopping asks for neither, ever. Levi itself (a system actor) is no
person and passes the factor; it never passes for a second person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from trading.domain.actors import Actor, ActorKind
from trading.domain.chain import canonical_bytes
from trading.domain.enums import ApprovalKind, ApprovalState, TradingMode
from trading.domain.errors import NotAllowed, StaleDecision
from trading.models import ApprovalRequest
from trading.queries.halts import current_epoch

FACTOR_LIFE = timedelta(minutes=5)
FACTOR_REQUIRED = "second_factor_required"
SECOND_PERSON_REQUIRED = "second_person_required"
_WAYS = {
    ActorKind.OPERATOR: "Confirm with a code of your authenticator (API: the header X-Levi-Code).",
    ActorKind.CLIENT: "A token cannot prove one: do it in the panel, or over the API with the panel's session and the"
    " header X-Levi-Code.",
    ActorKind.COMMAND: "Say who you are: --operator NAME --code 123456.",
}


def factor_is_required() -> bool:
    """Whether this installation asks operators for a second factor at all."""
    return bool(settings.LEVI_MODE != TradingMode.PAPER)


def has_fresh_factor(actor: Actor) -> bool:
    if actor.factor_at is None:
        return False
    return abs(timezone.now() - actor.factor_at) <= FACTOR_LIFE  # the web hosts' clocks may differ a little


def demand_fresh_factor(actor: Actor, action: str) -> None:
    """Raise NotAllowed unless the person proved the second factor within five minutes. `action` is a noun phrase."""
    if not factor_is_required() or actor.kind is ActorKind.SYSTEM or has_fresh_factor(actor):
        return
    raise NotAllowed(
        f"A second factor not older than five minutes is needed for {action}.",
        remedy=_WAYS[actor.kind],
        code=FACTOR_REQUIRED,
    )


def needs_second_person(kind: ApprovalKind | str) -> bool:
    """Production only. Raises ValueError for a kind nobody knows."""
    ApprovalKind(kind)
    return bool(settings.LEVI_MODE == TradingMode.PRODUCTION)


def hash_payload(kind: ApprovalKind | str, payload: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_bytes({"kind": str(kind), "payload": dict(payload)})).hexdigest()


def use_approval(
    kind: ApprovalKind | str, payload: Mapping[str, Any], approval: ApprovalRequest | None
) -> None:
    """Called by a verb inside its transaction: the second person's word for exactly this, used up by it.

    Raises NotAllowed where one is needed and none is given, StaleDecision if it does not fit (any more).
    """
    if approval is None:
        if not needs_second_person(kind):
            return
        raise NotAllowed(
            "In production a second person must approve this.",
            remedy="Ask for it in the panel or over the API; another operator with the role risk approves it.",
            code=SECOND_PERSON_REQUIRED,
        )
    fitting = ApprovalRequest.objects.filter(
        pk=approval.pk,
        kind=kind,
        payload_hash=hash_payload(kind, payload),
        state=ApprovalState.APPROVED,
        used_at=None,
        expires_at__gt=timezone.now(),
        epoch=current_epoch(),
    ).exclude(decided_by=F("requested_by"))
    if not fitting.update(used_at=timezone.now()):
        raise StaleDecision(
            "The approval does not fit any more: it was used, ran out, or a halt was engaged since.",
            remedy="Look again, and ask again.",
        )
