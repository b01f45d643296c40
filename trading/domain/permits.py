"""What a permit asks of an approval: one answer for production, where an UPDATE asks the same, and for simulation.

An approval is void for ever once one of these reasons holds: it expired, a halt came after it, the limits changed, its
account was disabled, or a scope is not active. A scope without a state counts as halted. Reads no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .enums import TradingState
from .gate import ScopeState


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """The part of an approved order that a permit depends on."""

    expires_at: datetime | None
    approved_epoch: int | None
    limits_versions: tuple[int, ...]
    reduce_only: bool = False
    flattens: bool = False


@dataclass(frozen=True, slots=True)
class PermitFacts:
    """The world at the instant of the permit. `limits_versions` are those of all scopes; None: there are none for
    everything, so that nothing may be sent."""

    now: datetime
    epoch: int
    limits_versions: tuple[int, ...] | None
    account_is_usable: bool
    scopes: Sequence[ScopeState]


def why_void(approval: ApprovalView, facts: PermitFacts) -> str:
    """Why this approval cannot be used (any more), as a sentence; empty if it can."""
    if approval.expires_at is None or approval.expires_at <= facts.now:
        return "expired before it could be sent"
    if approval.approved_epoch != facts.epoch:
        return "approved before a halt"
    if facts.limits_versions is None or approval.limits_versions != facts.limits_versions:
        return "the risk limits changed after the approval"
    if not facts.account_is_usable:
        return "the account is disabled"
    return next((_named(scope) for scope in facts.scopes if not _passes(scope, approval)), "")


def passing_states(*, reduce_only: bool, flattens: bool) -> list[TradingState]:
    """The states of a scope that let such an order through. Flattening without reduce-only is nothing special."""
    states = [TradingState.ACTIVE]
    if reduce_only:
        states.append(TradingState.REDUCING)
        if flattens:
            states.append(TradingState.HALTED)
    return states


def _passes(scope: ScopeState, approval: ApprovalView) -> bool:
    return scope.state in passing_states(reduce_only=approval.reduce_only, flattens=approval.flattens)


def _named(scope: ScopeState) -> str:
    return f"{scope.scope} {scope.target}".strip() + f" is {scope.state or 'without a halt state'}"
