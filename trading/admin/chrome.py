"""What surrounds every page of the panel: navigation, the search for anything, and what belongs to the person.

Reads the same table as Unfold's own pages (levi_site.unfold_settings), so that an entry is written once. Shows an entry
only to who holds its right; the page behind it checks the same right itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class NavLink:
    title: str
    url: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class NavGroup:
    title: str
    links: list[NavLink]


def _is_here(request: HttpRequest, item: dict[str, Any]) -> bool:
    if callable(item.get("active")):
        return bool(item["active"](request))
    url = str(item["link"])
    return request.path == url or (url.count("/") > 2 and request.path.startswith(url))


def _allowed(request: HttpRequest, item: dict[str, Any]) -> bool:
    permission = item.get("permission")
    return permission(request) if callable(permission) else True


def _links(request: HttpRequest, items: Iterable[dict[str, Any]]) -> list[NavLink]:
    return [
        NavLink(str(item["title"]), str(item["link"]), _is_here(request, item))
        for item in items
        if _allowed(request, item)
    ]


def navigation(request: HttpRequest) -> list[NavGroup]:
    groups = [
        NavGroup(str(group.get("title", "")), _links(request, group["items"]))
        for group in settings.UNFOLD["SIDEBAR"]["navigation"]
    ]
    return [group for group in groups if group.links]


def title_here(request: HttpRequest) -> str:
    """A list is called what the navigation calls it."""
    for group in settings.UNFOLD["SIDEBAR"]["navigation"]:
        for item in group["items"]:
            if str(item["link"]) == request.path:
                return str(item["title"])
    return ""


def person_links(request: HttpRequest) -> list[NavLink]:
    account = settings.UNFOLD.get("ACCOUNT", {}).get("navigation", ())
    return _links(request, account if not callable(account) else account(request))
