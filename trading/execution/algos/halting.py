"""An algo that met a halt stands still, also when the halt is over: what was started before it needs a person's word.

The epoch tells that a halt of some scope was engaged since; the history tells whether it was one of this algo's.
"""

from __future__ import annotations

from django.db.models import Q

from trading.domain.enums import TradingState
from trading.domain.gate import ask_gate
from trading.models import Algo, HaltChange
from trading.queries.halts import current_epoch, read_scopes, scope_names


def why_halted(algo: Algo) -> str:
    """What stands in the way of its next child now; empty: nothing. A reduce-only algo passes `reducing`."""
    scopes = read_scopes(algo.account.name, algo.instrument.symbol, _strategy(algo))
    denials = ask_gate(scopes, shrinks_position=algo.reduce_only)
    return "; ".join(denial.observed for denial in denials)


def why_stopped(algo: Algo) -> tuple[str, int]:
    """The halt that it met since it was started or resumed, and the epoch that this answer is good for."""
    epoch = current_epoch()  # before the scopes: an engagement in between is found at the next look
    if halted := why_halted(algo):
        return halted, epoch
    return (_past_halt(algo) if epoch != algo.epoch else ""), epoch


def _past_halt(algo: Algo) -> str:
    """One that is over already."""
    stopping = [TradingState.HALTED] if algo.reduce_only else [TradingState.HALTED, TradingState.REDUCING]
    mine = Q()
    for scope, target in scope_names(algo.account.name, algo.instrument.symbol, _strategy(algo)):
        mine |= Q(scope=scope, target=target)
    change = (
        HaltChange.objects.filter(mine, epoch__gt=algo.epoch, after__in=stopping).order_by("epoch").first()
    )
    if change is None:
        return ""
    name = f"{change.scope} {change.target}".strip()
    return f"{name}: was {change.after} ({change.reason})"


def _strategy(algo: Algo) -> str | None:
    return algo.strategy.name if algo.strategy else None
