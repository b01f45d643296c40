"""The role matrix, read from the program: every address of the URLconf, its methods, and the roles that may.

The API's rights come from the views themselves, the panel's from the tables of tests/admin/test_pages.py, which holds
them against real requests. Which role has which right is read from the database as the migrations left it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Permission
from django.urls import URLPattern, URLResolver, get_resolver

from tests.admin import test_pages as panel
from tests.admin.addresses import Address
from trading.api.access import PUBLIC
from trading.api.urls import ADDRESSES

ROLES = ("viewer", "trader", "risk", "admin")
PAGE = Path(settings.REPO_DIR) / "docs" / "security.md"
BEGIN, END = "<!-- role matrix -->\n", "<!-- /role matrix -->"
# The panel's pages that belong to no table, and the framework's: name -> (methods, who). "operator": every role, for
# themselves. What an export holds is asked for by its source (tests/admin/test_around.py).
FRAMEWORK = {
    "panel_control_room": ("GET", "operator"),
    "panel_find": ("GET", "operator"),
    "panel_strip": ("GET", "operator"),
    "panel_system": ("GET", "trading.view_order"),
    "panel_export": ("POST", "trading.view_order"),
    "panel_save_filter": ("POST", "operator"),
    "panel_forget_filter": ("POST", "operator"),
    "index": ("GET", "operator"),
    "login": ("GET POST", PUBLIC),
    "logout": ("POST", "operator"),
    "password_change": ("GET POST", "operator"),
    "password_change_done": ("GET", "operator"),
    "search": ("GET", "operator"),
    "toggle_sidebar": ("POST", "operator"),
    "autocomplete": ("GET", "operator"),
    "jsi18n": ("GET", "operator"),
    "view_on_site": ("GET", "operator"),
    "app_list": ("GET", "operator"),
    "": ("GET", "operator"),
}
EVERYBODY = (PUBLIC, "operator", "")
SHOWS_AND_TAKES = ("add", "ticket", "join", "confirm", "password_change")


@dataclass(frozen=True)
class Row:
    """One address and method. `right`: what it takes; PUBLIC or "operator" for the rest."""

    address: str
    method: str
    right: str


def walk(
    patterns: list[URLPattern | URLResolver] | None = None, head: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Every address of the URLconf, the panel's and the API's."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        text = head + str(pattern.pattern).removeprefix("^" if head else "")
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, text)
        else:
            yield text, pattern


def rows() -> list[Row]:
    found = [row for address, pattern in walk() for row in rows_of(address, pattern)]
    return sorted(set(found), key=lambda row: (row.address.startswith("admin/"), row.address, row.method))


def rows_of(address: str, pattern: URLPattern) -> list[Row]:
    if not address:
        return [Row("/", "GET", PUBLIC)]
    if address.startswith("admin/"):
        return panel_rows(address, pattern)
    view = ADDRESSES.get(address.rstrip("/"))
    needs = view.needs if view else dict.fromkeys(("GET", "POST", "PUT"), PUBLIC)
    name = re.sub(r"<\w+:(\w+)>", r"{\1}", address.rstrip("/") if view else "any other under api/ and live/")
    return [Row(f"/{name}", method, right) for method, right in needs.items()]


def panel_rows(address: str, pattern: URLPattern) -> list[Row]:
    shown = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address)
    name = pattern.name or ""
    if name in FRAMEWORK:
        methods, who = FRAMEWORK[name]
        shown = {
            "": "/admin/{anything else}",
            "app_list": "/admin/{app_label}/",
        }.get(name, shown)
        return [Row(shown, method, who) for method in methods.split()]
    _app, model, page = name.split("_", 2) if not name.startswith("django_celery_beat") else (
        "", *name.removeprefix("django_celery_beat_").split("_", 1)
    )  # fmt: skip
    right = PUBLIC if page in panel.PUBLIC else panel.right_of(Address(model, page, "")) or "operator"
    if page in panel.ACTING:
        return [Row(shown, "POST", right)]
    if model == "user" and page == "change":
        return [Row(shown, "GET", right), Row(shown, "POST", "auth.change_user")]
    return [Row(shown, method, right) for method in ("GET", *(["POST"] if page in SHOWS_AND_TAKES else []))]


def rights_of_roles() -> dict[str, set[str]]:
    rights: dict[str, set[str]] = {role: set() for role in ROLES}
    named = Permission.objects.values_list("group__name", "content_type__app_label", "codename")
    for role, app, codename in named:
        if role in rights:
            rights[role].add(f"{app}.{codename}")
    return rights


def render() -> str:
    rights = rights_of_roles()
    lines = ["| address | method | right | viewer | trader | risk | admin |", "|---|---|---|---|---|---|---|"]
    for row in rows():
        may = ["●" if row.right in EVERYBODY or row.right in rights[role] else "" for role in ROLES]
        shown = {"operator": "any operator", PUBLIC: "nobody's sign-in"}.get(row.right, f"`{row.right}`")
        lines.append(f"| `{row.address}` | {row.method} | {shown} | {' | '.join(may)} |")
    return "\n".join(lines) + "\n"


def written() -> str:
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(head + BEGIN + render() + END + rest.partition(END)[2], encoding="utf-8")
