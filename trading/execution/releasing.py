"""What every door calls to release: the release itself, or in production the request that waits for a second person."""

from __future__ import annotations

from trading.domain.actors import Actor
from trading.domain.enums import ApprovalKind, HaltScope
from trading.models import ApprovalRequest, HaltState
from trading.queries.halts import current_epoch

from .approvals import act_or_propose
from .authority import needs_second_person
from .halts import release_payload


def release_or_propose(
    scope: HaltScope, target: str = "", *, reason: str, actor: Actor, seen_epoch: int | None = None
) -> HaltState | ApprovalRequest:
    """Raises what `halts.release` raises. A request is bound to the epoch that its author has seen."""
    if seen_epoch is None and needs_second_person(ApprovalKind.RELEASE):
        seen_epoch = current_epoch()
    done: HaltState | ApprovalRequest = act_or_propose(
        ApprovalKind.RELEASE,
        release_payload(scope, target, seen_epoch),
        subject=f"Release {scope} {target}".strip() + ": new orders may be sent again.",
        reason=reason,
        actor=actor,
    )
    return done
