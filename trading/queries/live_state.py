"""The state that metrics show, read from the database in a handful of queries. Computes; never decides, never writes.

Sums over several accounts are None as soon as one of them is unknown: half a sum would look like a loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count

from trading.audit.state import read_audit_state
from trading.domain.algo_states import LIVING
from trading.domain.enums import AlgoKind, HaltScope, OrderStatus, TradingState
from trading.domain.money import ZERO
from trading.models import (
    Break,
    BreakKind,
    BreakState,
    ExchangeAccount,
    HaltState,
    Heartbeat,
    Order,
    Position,
)

from .algos import count_living_kinds, read_progress, running_algos
from .dead_man import read_dead_man
from .drills import read_drills
from .halts import list_scopes
from .streams import read_streams
from .triggers import trigger_ages
from .utilisation import read_utilisation, worst_shares
from .valuation import PriceTable, day_start_equity, value_account

# Always shown, so that an alert sees them go from 0 to 1.
STANDARD_REASONS = ("manual", "daily_loss", "exposure")
NO_STATE = "no halt state"
_REASON_LENGTH = 60
# Processes that ended are remembered as a growing age for this long, then forgotten.
_HEARTBEAT_MEMORY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account in dollars; None where a price or a balance is missing."""

    equity: Decimal | None
    day_start: Decimal | None

    @property
    def daily_pnl(self) -> Decimal | None:
        known = self.equity is not None and self.day_start is not None
        return self.equity - self.day_start if known else None  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class LiveState:
    kill_switch: dict[str, float]
    halt_age_seconds: float
    position_notional: dict[str, float]
    in_doubt_orders: float
    breaks: dict[str, float]
    limit_utilisation: dict[str, float]
    trigger_age_seconds: dict[str, float]
    heartbeat_age_seconds: dict[str, float]
    equity: float | None
    daily_pnl: float | None
    account_equity: dict[str, float]
    account_daily_pnl: dict[str, float]
    sync_age_seconds: dict[str, float]
    stream_live: dict[str, float]
    stream_age_seconds: dict[str, float]
    algos: dict[tuple[str, str], float]
    algo_behind_ratio: float
    dead_man_armed: float | None
    drill_overdue: float
    audit_checkpoint_age_seconds: float
    audit_damage: float | None
    audit_verified_age_seconds: float | None


def read_live_state(mode: str, now: datetime) -> LiveState:
    """Raises Django's database errors."""
    rows = ExchangeAccount.objects.filter(mode=mode, is_enabled=True)
    accounts = {account: read_account(account, now) for account in rows}
    kill_switch, halt_age = _read_halts(now)
    dead_man = read_dead_man()
    doubt = Order.objects.filter(status__in=[OrderStatus.IN_DOUBT, OrderStatus.QUARANTINED])
    return LiveState(
        kill_switch=kill_switch,
        halt_age_seconds=halt_age,
        position_notional=_read_positions(list(accounts)),
        in_doubt_orders=doubt.count(),
        breaks=_read_breaks(),
        limit_utilisation=read_limit_shares(now),
        trigger_age_seconds={name: float(age) for name, age in trigger_ages(now).items() if age is not None},
        heartbeat_age_seconds=_read_heartbeats(now),
        equity=_total(state.equity for state in accounts.values()),
        daily_pnl=_total(state.daily_pnl for state in accounts.values()),
        account_equity=_known({account.name: state.equity for account, state in accounts.items()}),
        account_daily_pnl=_known({account.name: state.daily_pnl for account, state in accounts.items()}),
        sync_age_seconds={
            account.name: (now - account.synced_at).total_seconds() for account in rows if account.synced_at
        },
        **_read_streams(list(accounts), now),
        **_read_algos(now),
        dead_man_armed=float(dead_man.is_armed) if dead_man.seconds else None,
        drill_overdue=float(read_drills().is_overdue),
        **_read_audit(now),
    )


def _read_streams(accounts: list[ExchangeAccount], now: datetime) -> dict[str, Any]:
    """Of accounts that should have one; no age where nobody ever listened."""
    found = read_streams(accounts, now)
    streams = {account.name: found[account.pk] for account in accounts if found[account.pk].is_expected}
    ages = {name: stream.unconfirmed_seconds for name, stream in streams.items()}
    return {
        "stream_live": {name: float(stream.is_live) for name, stream in streams.items()},
        "stream_age_seconds": {name: float(age) for name, age in ages.items() if age is not None},
    }


def _read_algos(now: datetime) -> dict[str, Any]:
    """How many live, by kind and state, and the largest part of its quantity by which a running one is late."""
    counts = count_living_kinds()
    running = running_algos()
    progress = read_progress(running, now)
    late = [progress[algo.pk].behind / algo.quantity for algo in running]
    return {
        "algos": {
            (kind.value, state.value): float(counts.get((kind, state), 0))
            for kind in AlgoKind
            for state in sorted(LIVING)
        },
        "algo_behind_ratio": float(max(late, default=Decimal(0))),
    }


def _read_audit(now: datetime) -> dict[str, Any]:
    """A quiet trail makes no checkpoint, so that what counts is the oldest entry that waits for one."""
    state = read_audit_state()
    verified = state.verified_at
    return {
        "audit_checkpoint_age_seconds": state.waiting_seconds,
        "audit_damage": None if state.is_intact is None else float(not state.is_intact),
        "audit_verified_age_seconds": (now - verified).total_seconds() if verified else None,
    }


def _known(numbers: dict[str, Decimal | None]) -> dict[str, float]:
    return {name: float(number) for name, number in numbers.items() if number is not None}


def _total(numbers: Iterable[Decimal | None]) -> float | None:
    found = list(numbers)
    known = [number for number in found if number is not None]
    return float(sum(known, ZERO)) if found and len(known) == len(found) else None


def _read_halts(now: datetime) -> tuple[dict[str, float], float]:
    """A missing state of the widest scope counts as halted, here as at the gate."""
    scopes = list_scopes()
    halted = [row for row in scopes if row.state == TradingState.HALTED]
    reasons = {_reason_label(row): 1.0 for row in halted}
    if not any(row.scope == HaltScope.EVERYTHING for row in scopes):
        reasons[NO_STATE] = 1.0
    age = max(((now - row.since).total_seconds() for row in halted), default=0.0)
    return {**dict.fromkeys(STANDARD_REASONS, 0.0), **reasons}, max(age, 0.0)


def _reason_label(row: HaltState) -> str:
    """The person's words; for an automatic halt its trigger, because its words carry changing numbers."""
    if row.trigger not in ("", "manual"):
        return row.trigger
    return row.reason[:_REASON_LENGTH] or "manual"


def _read_positions(accounts: list[ExchangeAccount]) -> dict[str, float]:
    """Closed positions stay as 0 dollars; a symbol that cannot be priced is left out."""
    sums: dict[str, Decimal | None] = {}
    tables = {account.pk: PriceTable(account) for account in accounts}
    held = Position.objects.filter(account__in=accounts)
    for account_id, symbol, quantity in held.values_list("account_id", "instrument__symbol", "quantity"):
        worth = tables[account_id].worth(symbol, quantity) if quantity else ZERO
        before = sums.get(symbol, ZERO)
        sums[symbol] = None if worth is None or before is None else before + worth
    return _known(sums)


def _read_breaks() -> dict[str, float]:
    rows = Break.objects.exclude(state=BreakState.RESOLVED).order_by().values_list("kind")
    return {**dict.fromkeys(BreakKind.values, 0.0), **dict(rows.annotate(n=Count("id")))}


def _read_heartbeats(now: datetime) -> dict[str, float]:
    """By role and host, the youngest of each: process ids come and go."""
    beats: dict[str, float] = {}
    rows = Heartbeat.objects.filter(beat_at__gte=now - _HEARTBEAT_MEMORY).values_list("process", "beat_at")
    for process, beat_at in rows:
        name, age = process.rpartition(":")[0] or process, max((now - beat_at).total_seconds(), 0.0)
        beats[name] = min(age, beats.get(name, age))
    return beats


def read_account(account: ExchangeAccount, now: datetime) -> AccountState:
    prices = PriceTable(account)
    worth = value_account(account, prices)
    return AccountState(
        equity=worth.equity if worth is not None and not worth.unpriced else None,
        day_start=day_start_equity(account, now),
    )


def read_limit_shares(now: datetime) -> dict[str, float]:
    """The fullest scope of each limit; 1 is all of it."""
    return {name: float(share) / 100 for name, share in worst_shares(read_utilisation(now)).items()}
