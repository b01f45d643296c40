"""The gate: may an order of this intent be sent now? Pure; asked twice (approval and permit), fails closed.

A scope that has no state row is treated as halted: a fresh, a damaged and a half-restored database send nothing.
Cancels never come here: nothing may stop a cancel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .denials import Denial, DenialCode
from .enums import HaltScope, TradingState


@dataclass(frozen=True, slots=True)
class ScopeState:
    """One scope that applies to the order; `state` is None where its row is missing or unreadable."""

    scope: HaltScope
    target: str
    state: TradingState | None
    reason: str = ""


def _readable(state: TradingState | str | None) -> TradingState | None:
    """The state as a member of the vocabulary (a database row gives plain text), None for anything else."""
    try:
        return TradingState(state) if state else None
    except ValueError:
        return None


def effective_state(scopes: Iterable[ScopeState]) -> TradingState:
    """The most restrictive state of all scopes; an unreadable one counts as halted, and so does no scope at all."""
    states = [_readable(scope.state) or TradingState.HALTED for scope in scopes]
    return max(states, key=lambda state: state.restriction, default=TradingState.HALTED)


def ask_gate(scopes: Iterable[ScopeState], *, shrinks_position: bool, flattens: bool = False) -> list[Denial]:
    """Denials of every scope that stands in the way; an empty list means pass.

    `shrinks_position`: the order can only bring its position nearer to zero and was asked for as reduce-only. Such
    orders pass `reducing`; they pass `halted` only if the flatten verb asks (`flattens`), which needs a right of its
    own. A state that is missing or unreadable stops even that.
    """
    denials: list[Denial] = []
    seen = False
    for scope in scopes:
        seen = True
        name = scope.scope if not scope.target else f"{scope.scope} {scope.target}"
        state = _readable(scope.state)
        if state is None:
            denials.append(Denial(DenialCode.HALT_STATE_UNREADABLE, f"{name}: no state", "active"))
        elif state is TradingState.HALTED and not (flattens and shrinks_position):
            denials.append(Denial(DenialCode.HALTED, f"{name}: halted ({scope.reason})", "active"))
        elif state is TradingState.REDUCING and not shrinks_position:
            denials.append(Denial(DenialCode.REDUCING, f"{name}: reducing ({scope.reason})", "reduce-only"))
    if not seen:
        denials.append(Denial(DenialCode.HALT_STATE_UNREADABLE, "no scope", "active"))
    return denials
