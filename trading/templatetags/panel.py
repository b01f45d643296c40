"""`{% load panel %}`: the panel's cells as filters, and the strip that stands on every page.

The strip belongs to signed-in operators only; nothing of the trading state is shown to anybody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static

from trading.admin import cells
from trading.admin.chrome import navigation, person_links
from trading.admin.kill_words import QUICK_REASONS
from trading.queries.strip import read_strip
from trading.sign_in.sessions import Standing

register = template.Library()

FILTERS: dict[str, Callable[..., Any]] = {
    "exact": cells.exact,
    "dollars": cells.dollars,
    "gain": cells.gain,
    "percent": cells.percent,
    "age": cells.age,
    "when": cells.when,
    "duration": cells.duration,
    "badge": cells.badge,
    "mono": cells.mono,
    "share_bar": cells.share_bar,
    "band": cells.band_of,
}
for name, function in FILTERS.items():
    register.filter(name, function)


@register.inclusion_tag("panel/strip.html", takes_context=True)
def control_strip(context: dict[str, Any]) -> dict[str, Any]:
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not (user.is_active and user.is_staff):
        return {"strip": None}
    may_stop = user.has_perm("trading.engage_halt")
    if (
        getattr(request, "standing", None) is Standing.HALF
    ):  # a password alone shows nothing; it may still stop
        return {"strip": None, "only_stop": may_stop, "csrf_token": context.get("csrf_token")}
    return {
        "strip": read_strip(),
        "mode": settings.LEVI_MODE,
        "may_stop": may_stop,
        "may_see_halts": user.has_perm("trading.view_haltstate"),
        "quick_reasons": QUICK_REASONS,
        "csrf_token": context.get("csrf_token"),
    }


STYLES = ("tokens", "base", "parts", "page", "chrome", "strip", "room")


@register.simple_tag
def mode_prefix() -> str:
    return f"{settings.LEVI_MODE.upper()} ·"


@register.inclusion_tag("panel/styles.html")
def panel_styles() -> dict[str, Any]:
    return {"names": [f"trading/{name}.css" for name in STYLES]}


@register.inclusion_tag("panel/nav.html", takes_context=True)
def panel_nav(context: dict[str, Any]) -> dict[str, Any]:
    request = context["request"]
    is_half = getattr(request, "standing", None) is Standing.HALF  # a password alone opens none of them
    return {"groups": [] if is_half else navigation(request), "icon": static("trading/icon.svg")}


@register.inclusion_tag("panel/person.html", takes_context=True)
def panel_person(context: dict[str, Any]) -> dict[str, Any]:
    request = context["request"]
    return {
        "name": request.user.get_username(),
        "links": person_links(request),
        "csrf_token": context.get("csrf_token"),
    }
