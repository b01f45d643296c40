"""What the kill-switch page shows: every scope worth naming with its state, the sweeps, the history.

Halt rows exist for every symbol a venue lists; only those that are traded, held or restricted are worth a line. A scope
without a row is shown as halted, because that is what it counts as.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q

from trading.domain.enums import HaltScope, TradingState
from trading.models import ExchangeAccount, HaltChange, HaltState, Position, Strategy, Sweep

from .halts import heed_stop_flag
from .limits import limits_in_force


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """One line of the tree. `row` is None where the state is missing."""

    scope: str
    target: str
    row: HaltState | None
    is_root: bool = False

    @property
    def state(self) -> str:
        return self.row.state if self.row else TradingState.HALTED

    @property
    def is_active(self) -> bool:
        return self.state == TradingState.ACTIVE


@dataclass(frozen=True, slots=True)
class ScopeGroup:
    scope: str
    title: str
    rows: list[ScopeRow]


def symbols_worth_showing() -> list[str]:
    limits = limits_in_force()
    allowed = (limits.allowed_symbols or []) if limits else []
    held = Position.objects.exclude(quantity=0).values_list("instrument__symbol", flat=True)
    return sorted({*allowed, *held})


def read_scope_tree() -> tuple[ScopeRow, list[ScopeGroup]]:
    """The widest scope, and the narrower ones in groups."""
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE).values_list("name", flat=True)
    wanted = {
        HaltScope.ACCOUNT: list(accounts),
        HaltScope.INSTRUMENT: symbols_worth_showing(),
        HaltScope.STRATEGY: list(Strategy.objects.values_list("name", flat=True)[:200]),
    }
    rows = _load(wanted)
    for scope, target in rows:
        if scope in wanted and target not in wanted[HaltScope(scope)]:
            wanted[HaltScope(scope)].append(target)
    everything = heed_stop_flag(rows.get((HaltScope.EVERYTHING, "")))
    root = ScopeRow(HaltScope.EVERYTHING, "", everything, is_root=True)
    titles = (
        (HaltScope.ACCOUNT, "Accounts"),
        (HaltScope.INSTRUMENT, "Symbols"),
        (HaltScope.STRATEGY, "Strategies"),
    )
    groups = [ScopeGroup(scope, title, _lines(scope, wanted[scope], rows)) for scope, title in titles]
    return root, groups


def _load(wanted: dict[HaltScope, list[str]]) -> dict[tuple[str, str], HaltState]:
    """The named scopes and whatever else is not simply active, in one query."""
    condition = Q(scope=HaltScope.EVERYTHING) | ~Q(state=TradingState.ACTIVE)
    for scope, targets in wanted.items():
        condition |= Q(scope=scope, target__in=targets)
    return {(row.scope, row.target): row for row in HaltState.objects.filter(condition)}


def _lines(
    scope: HaltScope, targets: Iterable[str], rows: dict[tuple[str, str], HaltState]
) -> list[ScopeRow]:
    lines = [ScopeRow(scope, target, rows.get((scope, target))) for target in sorted(targets)]
    return sorted(lines, key=lambda line: line.is_active)


def recent_changes(most: int = 30) -> list[HaltChange]:
    return list(HaltChange.objects.select_related("sweep").order_by("-at", "-id")[:most])


def recent_sweeps(most: int = 5) -> list[Sweep]:
    return list(Sweep.objects.select_related("change", "flattening").order_by("-engaged_at")[:most])
