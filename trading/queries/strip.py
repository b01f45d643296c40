"""What the strip on every page of the panel says: may we trade, how is the day, how old is what we see.

Exactly two queries, whatever the size of the tables: every page pays for this. The day's numbers come from the latest
equity snapshots, so that they belong together. Unknown stays None, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.utils import timezone

from trading.domain.enums import HaltScope, TradingState
from trading.domain.money import divide, multiply
from trading.models import HaltState

from .halts import list_scopes

_FACTS = """
WITH mine AS (SELECT id, synced_at FROM trading_exchangeaccount WHERE mode = %(mode)s AND is_enabled),
     latest AS (SELECT s.equity, s.daily_pnl FROM mine LEFT JOIN LATERAL (
                    SELECT equity, daily_pnl FROM trading_equitysnapshot e
                     WHERE e.account_id = mine.id AND e.at > now() - interval '1 day'
                     ORDER BY e.at DESC LIMIT 1) s ON true),
     live AS (SELECT status, count(*) AS n FROM trading_order
               WHERE status IN ('open', 'partially_filled', 'approved', 'submitting', 'in_doubt', 'quarantined')
               GROUP BY status)
SELECT (SELECT count(*) FROM mine) AS accounts,
       (SELECT CASE WHEN bool_and(synced_at IS NOT NULL) THEN min(synced_at) END FROM mine) AS data_at,
       (SELECT CASE WHEN bool_and(equity IS NOT NULL) THEN sum(equity) END FROM latest) AS equity,
       (SELECT CASE WHEN bool_and(daily_pnl IS NOT NULL) THEN sum(daily_pnl) END FROM latest) AS daily_pnl,
       (SELECT max_daily_loss_pct FROM trading_limitsversion
         WHERE scope = 'everything' AND target = '' AND effective_at <= now()
           AND (expires_at IS NULL OR expires_at > now())
         ORDER BY version DESC LIMIT 1) AS loss_limit_pct,
       (SELECT coalesce(sum(n), 0) FROM live WHERE status IN ('open', 'partially_filled')) AS open_orders,
       (SELECT coalesce(sum(n), 0) FROM live WHERE status IN ('approved', 'submitting')) AS on_the_way,
       (SELECT coalesce(sum(n), 0) FROM live WHERE status = 'in_doubt') AS in_doubt,
       (SELECT coalesce(sum(n), 0) FROM live WHERE status = 'quarantined') AS quarantined,
       (SELECT count(*) FROM trading_alert WHERE severity = 'critical' AND acknowledged_at IS NULL
           AND repeat_of_id IS NULL) AS alerts,
       (SELECT count(*) FROM trading_approvalrequest WHERE state = 'pending' AND expires_at > now()) AS approvals,
       s.verdict AS sweep_verdict, s.engaged_at AS sweep_at, s.cancels_sent AS cancels_sent, s.rounds AS sweep_rounds
  FROM (SELECT 1) one LEFT JOIN LATERAL (
       SELECT verdict, engaged_at, cancels_sent, rounds FROM trading_sweep ORDER BY engaged_at DESC LIMIT 1) s ON true
"""
DATA_LATE_SECONDS = 45


@dataclass(frozen=True, slots=True)
class StripFacts:
    """The row of the one statement above."""

    accounts: int
    data_at: datetime | None
    equity: Decimal | None
    daily_pnl: Decimal | None
    loss_limit_pct: Decimal | None
    open_orders: int
    on_the_way: int
    in_doubt: int
    quarantined: int
    alerts: int
    approvals: int
    sweep_verdict: str | None
    sweep_at: datetime | None
    cancels_sent: int | None
    sweep_rounds: int | None


@dataclass(frozen=True, slots=True)
class Strip:
    """`everything` is None if its row is missing, which counts as halted; `narrower` are restricted smaller scopes."""

    facts: StripFacts
    everything: HaltState | None
    narrower: list[HaltState]

    @property
    def state(self) -> str:
        return self.everything.state if self.everything else TradingState.HALTED

    @property
    def is_active(self) -> bool:
        return self.state == TradingState.ACTIVE

    @property
    def is_halted(self) -> bool:
        return self.state == TradingState.HALTED

    @property
    def loss_limit(self) -> Decimal | None:
        """The loss of today, in dollars, at which trading stops."""
        facts = self.facts
        if facts.loss_limit_pct is None or facts.equity is None or facts.daily_pnl is None:
            return None
        return divide(multiply(facts.equity - facts.daily_pnl, facts.loss_limit_pct), Decimal(100))

    @property
    def loss_share(self) -> Decimal | None:
        """How much of that limit is used, in percent; 0 on a winning day."""
        limit, pnl = self.loss_limit, self.facts.daily_pnl
        if pnl is None or not limit:
            return None
        return divide(-pnl * 100, limit) if pnl < 0 else Decimal(0)

    @property
    def is_late(self) -> bool:
        at = self.facts.data_at
        return at is None or (timezone.now() - at).total_seconds() > DATA_LATE_SECONDS

    @property
    def sweep_belongs(self) -> bool:
        """True if the newest sweep is the one of the present halt, not of an earlier one."""
        at = self.facts.sweep_at
        return bool(self.everything and at and at >= self.everything.since)


def read_strip() -> Strip:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, {"mode": settings.LEVI_MODE})
        facts = StripFacts(*cursor.fetchone())
    scopes = list_scopes()
    everything = next((row for row in scopes if row.scope == HaltScope.EVERYTHING), None)
    return Strip(facts, everything, [row for row in scopes if row.scope != HaltScope.EVERYTHING])
