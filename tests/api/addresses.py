"""Every address of the API, read from the URLconf, so that no test can overlook one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trading.api.urls import urlpatterns

METHODS = ("GET", "POST", "PUT")
OTHER_METHODS = ("DELETE", "PATCH", "OPTIONS", "TRACE")


def views() -> Iterator[tuple[str, Any]]:
    """(route, view class), the twins with a trailing slash included."""
    for pattern in urlpatterns:
        yield str(pattern.pattern), pattern.callback.view_class  # type: ignore[union-attr]


def path_of(route: str, **names: str) -> str:
    """A path that the route matches."""
    for name, value in {"name": "paper", **names}.items():
        route = route.replace(f"<str:{name}>", value)
    return "/api/nowhere" if route.startswith("^") else f"/{route}"
