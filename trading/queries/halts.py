"""What is halted, why and since when: the scopes, the epoch and the sweep."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from trading.domain.enums import HaltScope, OrderStatus, TradingState
from trading.domain.gate import ScopeState, effective_state
from trading.domain.order_states import UNRESOLVED, WORKING
from trading.models import ControlEpoch, HaltState, Order, Sweep
from trading.stop_flag import find_stop_flag

from .builds import build_record

STOP_FLAG_TRIGGER = "stop_flag"


def heed_stop_flag(row: HaltState | None) -> HaltState | None:
    """The widest scope as this host must take it: halted while the local stop flag is raised, whatever the row says.

    The flag alone stands after a break-glass and after a halt that found no database: its words are shown instead.
    """
    flag = (
        None if row is not None and row.state == TradingState.HALTED else find_stop_flag(settings.STOP_FLAG)
    )
    if flag is None:
        return row
    return HaltState(
        scope=HaltScope.EVERYTHING,
        target="",
        state=TradingState.HALTED,
        reason=flag.reason,
        trigger=STOP_FLAG_TRIGGER,
        actor=flag.actor,
        since=flag.since,
        epoch=row.epoch if row is not None else 0,
    )


def scope_names(account: str, symbol: str, strategy: str | None) -> list[tuple[HaltScope, str]]:
    """Every scope that applies to an order."""
    names = [(HaltScope.EVERYTHING, ""), (HaltScope.ACCOUNT, account), (HaltScope.INSTRUMENT, symbol)]
    return [*names, (HaltScope.STRATEGY, strategy)] if strategy else names


def read_scopes(account: str, symbol: str, strategy: str | None) -> list[ScopeState]:
    """The states of these scopes; a missing row comes back with state None, which counts as halted."""
    names = scope_names(account, symbol, strategy)
    condition = Q()
    for scope, target in names:
        condition |= Q(scope=scope, target=target)
    rows = {(row.scope, row.target): row for row in HaltState.objects.filter(condition)}
    widest = (HaltScope.EVERYTHING.value, "")
    if (everything := heed_stop_flag(rows.get(widest))) is not None:
        rows[widest] = everything
    found = [(scope, target, rows.get((scope.value, target))) for scope, target in names]
    return [
        ScopeState(scope, target, TradingState(row.state) if row else None, row.reason if row else "")
        for scope, target, row in found
    ]


def current_epoch() -> int:
    """The global epoch; 0 if its row is missing, which no approval can equal."""
    return ControlEpoch.objects.filter(id=1).values_list("epoch", flat=True).first() or 0


def list_scopes() -> list[HaltState]:
    """Everything that is not simply active, the widest scope first, and always that one."""
    rows = HaltState.objects.filter(Q(scope=HaltScope.EVERYTHING) | ~Q(state=TradingState.ACTIVE))
    narrower = [row for row in rows if row.scope != HaltScope.EVERYTHING]
    everything = heed_stop_flag(next((row for row in rows if row.scope == HaltScope.EVERYTHING), None))
    order = list(HaltScope)
    return sorted(
        [*([everything] if everything else []), *narrower],
        key=lambda row: (order.index(HaltScope(row.scope)), row.target),
    )


def everything_is_halted() -> bool:
    return HaltState.objects.filter(scope=HaltScope.EVERYTHING, state=TradingState.HALTED).exists()


def latest_sweep() -> Sweep | None:
    return Sweep.objects.select_related("change").order_by("-engaged_at").first()


def sweep_record(sweep: Sweep | None) -> dict[str, Any] | None:
    if sweep is None:
        return None
    return {
        "id": str(sweep.id),
        "verdict": sweep.verdict,
        "scope": sweep.change.scope,
        "target": sweep.change.target,
        "cancel_scope": sweep.cancel_scope,
        "engaged_at": sweep.engaged_at,
        "first_cancel_at": sweep.first_cancel_at,
        "emptied_at": sweep.emptied_at,
        "finished_at": sweep.finished_at,
        "rounds": sweep.rounds,
        "cancels_sent": sweep.cancels_sent,
        "report": sweep.report,
    }


def scope_record(row: HaltState) -> dict[str, Any]:
    return {
        "scope": row.scope,
        "target": row.target or None,
        "state": row.state,
        "reason": row.reason or None,
        "trigger": row.trigger or None,
        "actor": row.actor or None,
        "since": row.since,
        "epoch": row.epoch,
    }


def read_status() -> dict[str, Any]:
    """The answer of GET /live/status. An unreadable control state is reported as halted."""
    rows = list_scopes()
    everything = next((row for row in rows if row.scope == HaltScope.EVERYTHING), None)
    state = effective_state(
        [ScopeState(HaltScope.EVERYTHING, "", TradingState(everything.state) if everything else None)]
    )
    counts = Order.objects.filter(status__in=WORKING | UNRESOLVED).aggregate(
        open_orders=Count("id", filter=Q(status__in=WORKING)),
        submitting=Count("id", filter=Q(status=OrderStatus.SUBMITTING)),
        in_doubt=Count("id", filter=Q(status=OrderStatus.IN_DOUBT)),
        quarantined=Count("id", filter=Q(status=OrderStatus.QUARANTINED)),
    )
    halted = state is TradingState.HALTED
    return {
        "kill_switch": halted,
        "reason": (everything.reason or None)
        if everything and halted
        else (None if everything else "no halt state"),
        "mode": settings.LEVI_MODE,
        "active": state is TradingState.ACTIVE,
        "state": state.value,
        "since": everything.since if everything else None,
        "actor": (everything.actor or None) if everything else None,
        "epoch": current_epoch(),
        "scopes": [scope_record(row) for row in rows],
        "sweep": sweep_record(latest_sweep()),
        **build_record(),
        **counts,
    }
