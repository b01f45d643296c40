"""Every address of the panel, found in the registry: nothing a test could forget to list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import reverse

from trading.models import ExchangeAccount

OWN_PAGES = (
    "admin:index",
    "admin:password_change",
    "admin:password_change_done",
    "panel_find",
    "panel_strip",
    "panel_system",
)


@dataclass(frozen=True)
class Address:
    """`model` and `page` name it: ("order", "changelist")."""

    model: str
    page: str
    url: str


def first_key(model: Any) -> Any:
    row = model._default_manager.order_by("pk").first()
    return row.pk if row else None


def panel_addresses() -> list[Address]:
    """Every named address of every registered model that can be built, with the first row where one is needed."""
    found = []
    for model, screen in admin.site._registry.items():
        key = first_key(model)
        for pattern in screen.get_urls():
            if not pattern.name:
                continue
            needs_key = "<" in str(pattern.pattern)
            named = first_key(ExchangeAccount) if "<uuid:account_id>" in str(pattern.pattern) else key
            if needs_key and named is None:
                continue
            page = pattern.name.removeprefix(f"{model._meta.app_label}_{model._meta.model_name}_")
            url = reverse(f"admin:{pattern.name}", args=[named] if needs_key else [])
            found.append(Address(model._meta.model_name, page, url))
    return found
