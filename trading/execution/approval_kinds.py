"""What a second person can approve: for each kind, the check made before asking and the act itself.

One row per kind. `act` is the verb the doors would call; it gets the approval and uses it up in its own transaction
(authority.use_approval), so that neither a door nor this table can get around the second person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from trading.domain.actors import Actor
from trading.domain.enums import ApprovalKind, HaltScope
from trading.domain.errors import NotAllowed
from trading.models import ApprovalRequest, Break, Flattening, HaltState, LimitsVersion

from .adjustments import adjust_break, check_adjustment
from .flatten import check_flatten, flatten
from .halts import missing_for_release, release
from .limit_changes import LimitsChange, preview_change, write_version

Payload = Mapping[str, Any]


class Act(Protocol):
    def __call__(
        self, payload: Payload, *, reason: str, actor: Actor, approval: ApprovalRequest | None
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class ApprovableAct:
    """`noun` completes "a second factor is needed for …". `check` raises what would refuse the act now."""

    noun: str
    act: Act
    check: Callable[[Payload], None] = lambda _payload: None


def _check_release(payload: Payload) -> None:
    if missing := missing_for_release(HaltScope(payload["scope"]), payload["target"]):
        raise NotAllowed(f"It cannot be released: {' '.join(missing)}", code="not_ready")


def _release(payload: Payload, *, reason: str, actor: Actor, approval: ApprovalRequest | None) -> HaltState:
    return release(
        HaltScope(payload["scope"]),
        payload["target"],
        reason=reason,
        actor=actor,
        seen_epoch=payload["seen_epoch"],
        approval=approval,
    )


def _check_limits(payload: Payload) -> None:
    preview_change(LimitsChange.from_payload(payload))


def _change_limits(
    payload: Payload, *, reason: str, actor: Actor, approval: ApprovalRequest | None
) -> LimitsVersion:
    return write_version(LimitsChange.from_payload(payload), reason=reason, actor=actor, approval=approval)


def _flatten(payload: Payload, *, reason: str, actor: Actor, approval: ApprovalRequest | None) -> Flattening:
    return flatten(payload, reason=reason, actor=actor, approval=approval)


def _adjust(payload: Payload, *, reason: str, actor: Actor, approval: ApprovalRequest | None) -> Break:
    return adjust_break(payload["break"], payload=payload, reason=reason, actor=actor, approval=approval)


ACTS: dict[ApprovalKind, ApprovableAct] = {
    ApprovalKind.RELEASE: ApprovableAct("a release", _release, _check_release),
    ApprovalKind.LIMITS: ApprovableAct("a change of limits", _change_limits, _check_limits),
    ApprovalKind.FLATTEN: ApprovableAct("flattening", _flatten, check_flatten),
    ApprovalKind.ADJUSTMENT: ApprovableAct("an adjustment of the books", _adjust, check_adjustment),
}
