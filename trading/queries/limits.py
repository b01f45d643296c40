"""Which risk limits are in force."""

from __future__ import annotations

from django.utils import timezone

from trading.domain.enums import HaltScope
from trading.models import LimitsVersion
from trading.risk.facts import LimitsFacts


def limits_in_force() -> LimitsVersion | None:
    """The newest version whose time has come; None means that nothing may be opened."""
    return (
        LimitsVersion.objects.filter(scope=HaltScope.EVERYTHING, target="", effective_at__lte=timezone.now())
        .order_by("-version")
        .first()
    )


def as_facts(limits: LimitsVersion | None) -> LimitsFacts | None:
    if limits is None:
        return None
    return LimitsFacts(
        version=limits.version,
        max_order_notional=limits.max_order_notional,
        price_collar_pct=limits.price_collar_pct,
        max_price_age_seconds=limits.max_price_age_seconds,
        max_balance_age_seconds=limits.max_balance_age_seconds,
        exposure_limit_symbol=limits.exposure_limit_symbol,
        exposure_limit_total=limits.exposure_limit_total,
        max_concurrent_positions=limits.max_concurrent_positions,
        max_open_orders=limits.max_open_orders,
        max_orders_per_minute=limits.max_orders_per_minute,
        duplicate_window_seconds=limits.duplicate_window_seconds,
        max_daily_loss_pct=limits.max_daily_loss_pct,
        allowed_symbols=None if limits.allowed_symbols is None else tuple(limits.allowed_symbols),
    )
