"""The lists: rows as cells in one plain table, pages by key, and a table for who asked for what.

Django's ChangeList finds the rows (filters, search, rights); this shows them. Lists of big tables name a `keyset`: they
page by key, never count and never skip rows, so that the last page costs what the first does. Rendering is a loop over
cells instead of a template per cell, which for fifty rows was most of the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst
from psycopg.errors import QueryCanceled

from trading.domain.errors import InvalidInput
from trading.queries.keyset import beyond, decode_cursor, encode_cursor, get_field, split_keyset

from . import cells

CURSOR = "cursor"
# How long a narrowed list may look for a page's rows among all, and how many rows are looked through after that.
PATIENCE_MS = 75
WINDOW = 50_000
# Columns of numbers: to the right, with digits of one width.
NUMBERS = frozenset(
    {
        "quantity",
        "price",
        "filled",
        "notional",
        "fee",
        "pnl",
        "average",
        "last",
        "unrealized",
        "realized",
        "free",
    }
    | {
        "locked",
        "total",
        "equity",
        "cash",
        "exposure",
        "positions",
        "ours",
        "theirs",
        "difference",
        "tick",
        "lot",
    }
    | {"took", "share", "size", "progress", "count", "version", "rows_done", "fills_booked", "orders_updated"}
    | {"breaks_open", "runs", "people"}
)


@dataclass(frozen=True, slots=True)
class ListColumn:
    name: str
    label: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class ListRow:
    """`key` names the row for the page's script; `lines` are (cell, column)."""

    key: str
    lines: list[tuple[Any, ListColumn]]


@dataclass(frozen=True, slots=True)
class KeyWalk:
    """One direction through a table by its key, from behind `key` on."""

    names: list[str]
    goes_down: bool
    key: list[Any]

    def along(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        ahead = (
            rows.filter(beyond(self.names, self.key, "lt" if self.goes_down else "gt")) if self.key else rows
        )
        return ahead.order_by(*[("-" if self.goes_down else "") + name for name in self.names])

    def up_to(self, edge: Any) -> Q:
        """The edge included."""
        at, operator = [getattr(edge, name) for name in self.names], "gt" if self.goes_down else "lt"
        # The first condition stands alone, so that an index is read from the edge on.
        bound = Q(**{f"{self.names[0]}__{operator}e": at[0]})
        return bound & (beyond(self.names, at, operator) | Q(pk=edge.pk))


@contextmanager
def patience() -> Iterator[None]:
    """A statement in it is ended after a moment."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
        yield


class KeysetChangeList(ChangeList):
    """Pages by the screen's keyset where it has one. A cursor that is none of ours is the first page.

    A narrowed list whose filters match hardly anything could make the database read every row. It gets a moment for
    that; then only the next `WINDOW` rows are looked through, and the page says so (`looked_until`) and leads on.
    """

    next_url = previous_url = ""
    is_first = True
    looked_until: datetime | None = None
    window = WINDOW

    def get_filters_params(self, params: Any = None) -> Any:
        return {name: value for name, value in super().get_filters_params(params).items() if name != CURSOR}

    def get_results(self, request: HttpRequest) -> None:
        if not self.model_admin.keyset:
            super().get_results(request)
            return
        names, goes_down = split_keyset(self.model_admin.keyset)
        fields = [get_field(self.model, name) for name in names]
        backward, key = self._read_cursor(request, fields)
        walk = KeyWalk(names, goes_down != backward, key)
        rows, edge = self._read(walk)
        has_more, rows = len(rows) > self.list_per_page, rows[: self.list_per_page]
        if backward:
            rows.reverse()
        self.result_list, self.result_count, self.full_result_count = rows, len(rows), None
        self.can_show_all = self.multi_page = self.show_admin_actions = False
        self.is_first = not key

        def url(row: Any, is_backward: bool) -> str:
            cursor = encode_cursor(is_backward, [field.value_to_string(row) for field in fields])
            return self.get_query_string({CURSOR: cursor})

        if edge is not None and not has_more:  # looked through a part only: on from where that ended
            times = (getattr(edge, name, None) for name in (*names, "at"))
            self.looked_until = next(at for at in times if isinstance(at, datetime))
            ahead = url(edge, backward)
            self.next_url, self.previous_url = ("", ahead) if backward else (ahead, "")
        elif rows and (has_more or backward):
            self.next_url = url(rows[-1], False)
        if rows and not self.previous_url and (has_more if backward else bool(key)):
            self.previous_url = url(rows[0], True)

    def _read(self, walk: KeyWalk) -> tuple[list[Any], Any]:
        """One row more than the page shows; and the last row that was looked at, if that were not all."""
        count = self.list_per_page + 1
        if not self.queryset.query.where:
            return list(walk.along(self.queryset)[:count]), None
        try:
            with patience():
                return list(walk.along(self.queryset)[:count]), None
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
        edge = next(
            iter(walk.along(self.model._default_manager.only(*walk.names))[self.window - 1 : self.window]),
            None,
        )
        rows = walk.along(self.queryset)
        return list((rows.filter(walk.up_to(edge)) if edge else rows)[:count]), edge

    def _read_cursor(self, request: HttpRequest, fields: Sequence[Any]) -> tuple[bool, list[Any]]:
        text = request.GET.get(CURSOR)
        try:
            return decode_cursor(text, fields) if text else (False, [])
        except InvalidInput:
            return False, []


def columns_of(screen: Any) -> list[ListColumn]:
    found = []
    for name in screen.list_display:
        label = label_for_field(name, screen.model, model_admin=screen)
        is_number = name.removesuffix("_cell") in NUMBERS
        found.append(ListColumn(name, capfirst(str(label)), is_number))
    return found


def rows_of(screen: Any, cl: ChangeList, columns: Sequence[ListColumn]) -> list[ListRow]:
    links = set(screen.list_display_links or ())
    return [
        ListRow(
            str(row.pk),
            [(_cell(screen, cl, row, column.name, column.name in links), column) for column in columns],
        )
        for row in cl.result_list
    ]


def _cell(screen: Any, cl: ChangeList, row: Any, name: str, is_link: bool) -> Any:
    try:
        _, _, value = lookup_field(name, row, screen)
    except FieldDoesNotExist:
        value = None
    shown = _shown(value)
    return (
        format_html('<a class="lv-row-link" href="{}">{}</a>', cl.url_for_result(row), shown)
        if is_link
        else shown
    )


def _shown(value: Any) -> Any:
    if value is None or value == "":
        return cells.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return cells.when(value) if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class FilterChoice:
    word: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class FilterMenu:
    title: str
    choices: list[FilterChoice]

    @property
    def chosen(self) -> str:
        """Empty while it filters nothing: the first choice is "all"."""
        return next((choice.word for choice in self.choices[1:] if choice.is_chosen), "")


def menus_of(cl: ChangeList) -> list[FilterMenu]:
    return [
        FilterMenu(
            str(spec.title),
            [
                FilterChoice(str(choice["display"]), choice["query_string"], bool(choice["selected"]))
                for choice in spec.choices(cl)
            ],
        )
        for spec in cl.filter_specs
    ]
