"""The panel: one file per screen, registered with Django's own admin site (a second site breaks Unfold).

GET and HEAD change nothing anywhere; every change is a POST with a right of its own. Screens call the verbs of
trading.execution and read through trading.queries; they decide nothing about trading themselves.
"""

from . import (
    accounts,
    alert_channels,
    alerts,
    algos,
    approvals,
    audit_page,
    daily_reports,
    exports,
    fills,
    instruments,
    invitations,
    kill_switch,
    limits,
    operators,
    orders,
    portfolio,
    positions,
    reconciliation,
    schedules,
    second_factor,
    sessions,
    signals,
    strategies,
    tokens,
)

__all__ = [
    "accounts",
    "alert_channels",
    "alerts",
    "algos",
    "approvals",
    "audit_page",
    "daily_reports",
    "exports",
    "fills",
    "instruments",
    "invitations",
    "kill_switch",
    "limits",
    "operators",
    "orders",
    "portfolio",
    "positions",
    "reconciliation",
    "schedules",
    "second_factor",
    "sessions",
    "signals",
    "strategies",
    "tokens",
]
