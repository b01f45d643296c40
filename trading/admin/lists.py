"""The lists: rows as cells in one plain table, pages by key, and a table for who asked for what.

Django's ChangeList finds the rows (filters, search, rights); this shows them. Lists of big tables name a `keyset`: they
page by key, never count and never skip rows, so that the last page costs what the first does. Rendering is a loop over
cells instead of a template per cell, which for fifty rows was most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import capfirst

from trading.domain.errors import InvalidInput
from trading.queries import key_walk
from trading.queries.key_walk import KeyWalk, instant_of
from trading.queries.keyset import decode_cursor, encode_cursor, get_field, split_keyset

from . import cells

CURSOR = "cursor"
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
    | {"slippage", "breaks_open", "runs", "people", "sessions"}
)


@dataclass(frozen=True, slots=True)
class ListColumn:
    name: str
    label: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class ListRow:
    """`key` names the row for the page's script; `lines` are (cell, column); `pick` says in words what is chosen with
    it, and is empty where it cannot be chosen."""

    key: str
    lines: list[tuple[Any, ListColumn]]
    pick: str = ""


@dataclass(frozen=True, slots=True)
class ListPick:
    """One thing that can be done with the rows that are chosen: a form that posts their keys to `url`."""

    url: str
    button: str
    name_of: Callable[[Any], str]  # empty for a row that it cannot be done with


class KeysetChangeList(ChangeList):
    """Pages by the screen's keyset where it has one. A cursor that is none of ours is the first page.

    A narrowed list whose filters match hardly anything is looked through in part only (queries/key_walk.py); the page
    says so (`looked_until`) and leads on.
    """

    next_url = previous_url = ""
    is_first = True
    looked_until: datetime | None = None
    window = 0

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
        rows, edge = walk.read(
            self.queryset, self.list_per_page + 1, is_filtered=bool(self.queryset.query.where)
        )
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
            self.looked_until, self.window = instant_of(edge, names), key_walk.WINDOW
            ahead = url(edge, backward)
            self.next_url, self.previous_url = ("", ahead) if backward else (ahead, "")
        elif rows and (has_more or backward):
            self.next_url = url(rows[-1], False)
        if rows and not self.previous_url and (has_more if backward else bool(key)):
            self.previous_url = url(rows[0], True)

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


def rows_of(
    screen: Any, cl: ChangeList, columns: Sequence[ListColumn], pick: ListPick | None = None
) -> list[ListRow]:
    links = set(screen.list_display_links or ())
    return [
        ListRow(
            str(row.pk),
            [(_cell(screen, cl, row, column.name, column.name in links), column) for column in columns],
            pick.name_of(row) if pick else "",
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
