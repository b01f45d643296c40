"""Unfold's configuration: the panel's name, colours, own style sheets and navigation.

Every navigation entry names the right that shows it; the pages check the same right themselves. Nothing is loaded
from another host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def file(name: str) -> Callable[[HttpRequest], str]:
    return lambda _request: static(f"trading/{name}")


def holds(right: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(right)


def is_operator(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_staff)


def is_under(path: str, *, but_not: str) -> Callable[[HttpRequest], bool]:
    """Unfold marks every entry whose address begins the page's; an overview is no list of its rows."""
    return lambda request: request.path.startswith(path) and not request.path.startswith(path + but_not)


def entry(
    title: str, icon: str, model: str, *, app: str = "trading", right: str = "", page: str = "changelist"
) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_{page}"),
        "permission": holds(right or f"{app}.view_{model}"),
    }


NAVIGATION = [
    {
        "items": [
            {"title": "Control room", "icon": "monitoring", "link": reverse_lazy("admin:index")},
            entry("Kill switch", "emergency_home", "haltstate"),
            entry("Alerts", "notifications", "alert"),
            entry("Approvals", "how_to_reg", "approvalrequest"),
            entry("New order", "edit_square", "order", page="ticket", right="trading.place_order"),
        ],
    },
    {
        "title": "Trading",
        "separator": True,
        "items": [
            {
                **entry("Orders", "list_alt", "order"),
                "active": is_under("/admin/trading/order/", but_not="new/"),
            },
            entry("Algos", "stacked_line_chart", "algo"),
            entry("Fills", "done_all", "fill"),
            entry("Signals", "sensors", "signal"),
            entry("Positions", "stacked_bar_chart", "position"),
            entry("Balances", "account_balance_wallet", "balance"),
            entry("Portfolio", "pie_chart", "equitysnapshot", page="portfolio"),
            {
                **entry("Equity", "show_chart", "equitysnapshot"),
                "active": is_under("/admin/trading/equitysnapshot/", but_not="portfolio/"),
            },
        ],
    },
    {
        "title": "Control",
        "separator": True,
        "items": [
            entry("Risk limits", "speed", "limitsversion"),
            entry("Reconciliation", "balance", "break", page="overview"),
            {
                **entry("Breaks", "difference", "break"),
                "active": is_under("/admin/trading/break/", but_not="overview/"),
            },
            entry("Daily reports", "fact_check", "dailyreport"),
            entry("Sync runs", "sync", "syncrun"),
            entry("Audit trail", "history_edu", "auditentry"),
            entry("Exports", "download", "exportjob"),
        ],
    },
    {
        "title": "Set-up",
        "separator": True,
        "items": [
            entry("Accounts", "key", "exchangeaccount"),
            entry("Instruments", "candlestick_chart", "instrument"),
            entry("Strategies", "psychology", "strategy"),
            entry("Alert channels", "campaign", "alertchannel"),
            entry("API tokens", "vpn_key", "apitoken"),
            entry("Webhooks", "webhook", "webhook"),
            {
                "title": "System",
                "icon": "dns",
                "link": reverse_lazy("panel_system"),
                "permission": holds("trading.view_order"),
            },
            entry("Operators", "group", "user", app="auth"),
            entry("Invitations", "person_add", "invitation", right="auth.add_user"),
            entry("Roles", "badge", "group", app="auth"),
            {
                "title": "Sessions",
                "icon": "devices",
                "link": reverse_lazy("admin:trading_operatorsession_changelist"),
                "permission": is_operator,
            },
            {
                "title": "My second factor",
                "icon": "phonelink_lock",
                "link": reverse_lazy("admin:trading_secondfactor_changelist"),
                "permission": is_operator,
            },
            entry(
                "Schedules",
                "schedule",
                "periodictask",
                app="django_celery_beat",
                right="trading.change_exchangeaccount",
            ),
        ],
    },
]

# A quiet blue: red, amber and green are left to the states that need them.
PRIMARY = {
    "50": "oklch(97.2% .012 255)",
    "100": "oklch(93.6% .03 255)",
    "200": "oklch(88.4% .056 255)",
    "300": "oklch(80.6% .098 254)",
    "400": "oklch(71.4% .142 255)",
    "500": "oklch(62.4% .174 257)",
    "600": "oklch(54.6% .18 259)",
    "700": "oklch(48.4% .17 260)",
    "800": "oklch(42% .14 261)",
    "900": "oklch(37% .11 262)",
    "950": "oklch(28% .08 264)",
}

UNFOLD = {
    "SITE_TITLE": "Levi",
    "SITE_HEADER": "Levi",
    "SITE_SUBHEADER": "Trading control",
    "SITE_SYMBOL": "balance",
    "SITE_URL": None,  # the panel is the site
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": file("icon.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "6px",
    # The strip shows the mode in colour on every page; the browser's tab says it too.
    "ENVIRONMENT_TITLE_PREFIX": "trading.admin.dashboard.mode_prefix",
    "STYLES": [file("tokens.css"), file("parts.css"), file("page.css"), file("strip.css"), file("room.css")],
    "SCRIPTS": [file("panel.js")],
    "COLORS": {"primary": PRIMARY},
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}
