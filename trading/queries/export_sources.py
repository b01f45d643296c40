"""What can be exported and how its filters read: the same words as in the lists' addresses.

Relative times are made absolute when the export is asked for, so that a file holds what the person saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from trading import audit
from trading.domain.errors import InvalidInput
from trading.models import AuditEntry, Fill, Order

from .fill_export import export_fills
from .finding import entry_by_any_word, fill_by_any_id, order_by_any_id
from .order_export import export_orders

SPANS = {"hour": 1, "day": 24, "week": 168, "month": 720}
_IN_BOOKS = {"side": "side", "symbol": "instrument__symbol", "account": "account__name"}
_SINCE = "since"


@dataclass(frozen=True, slots=True)
class ExportSource:
    model: type[Model]
    right: str
    time_column: str
    lookups: Mapping[str, str]
    search: Callable[[str], Q]
    write: Callable[[Any, str], Iterator[str]]


SOURCES: dict[str, ExportSource] = {
    "orders": ExportSource(
        Order,
        "trading.view_order",
        "created_at",
        {
            **_IN_BOOKS,
            "status": "status",
            "strategy": "strategy__name",
            "origin": "origin",
            "algo": "algo_child__algo",
        },
        order_by_any_id,
        export_orders,
    ),
    "fills": ExportSource(Fill, "trading.view_fill", "filled_at", _IN_BOOKS, fill_by_any_id, export_fills),
    "audit": ExportSource(
        AuditEntry,
        "trading.export_audit",
        "at",
        {"kind": "kind__startswith"},
        entry_by_any_word,
        audit.export_entries,
    ),
}


def get_source(name: str) -> ExportSource:
    if name not in SOURCES:
        raise InvalidInput(f"{name} cannot be exported.", remedy=f"Use one of {', '.join(SOURCES)}.")
    return SOURCES[name]


def read_filters(source: ExportSource, given: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The filters of a list's address that this source knows; what pages or sorts a list is left out."""
    kept = {name: value for name, value in given.items() if value and name in (*source.lookups, "q")}
    if "algo" in kept:
        _demand_id(kept["algo"])
    if hours := SPANS.get(given.get("within", "")):
        kept[_SINCE] = (now - timedelta(hours=hours)).isoformat()
    return kept


def _demand_id(text: str) -> None:
    try:
        UUID(text)
    except ValueError:
        raise InvalidInput(f"{text[:60]!r} is no algo's id.", field="algo") from None


def chosen_rows(source: ExportSource, filters: Mapping[str, str]) -> QuerySet[Any]:
    rows = source.model._default_manager.filter(
        **{lookup: filters[name] for name, lookup in source.lookups.items() if name in filters}
    )
    if "q" in filters:
        rows = rows.filter(source.search(filters["q"].strip()))
    if _SINCE in filters:
        rows = rows.filter(**{f"{source.time_column}__gte": datetime.fromisoformat(filters[_SINCE])})
    return rows
