"""What a list's page needs besides its rows: filters, saved views, ways on, and what can be done with all of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, QueryDict

from trading.models import SavedFilter

from .lists import CURSOR, columns_of, menus_of, rows_of

_PAGING = (CURSOR, "p", "e")


def own_query(request: HttpRequest) -> str:
    """The filters of this address, without where in the list it stands."""
    kept = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        if name not in _PAGING:
            kept.setlist(name, values)
    return kept.urlencode()


def describe_list(screen: Any, request: HttpRequest, cl: Any) -> dict[str, Any]:
    columns, query, pick = columns_of(screen), own_query(request), screen.list_pick(request)
    return {
        "cl": cl,
        "columns": columns,
        "rows": rows_of(screen, cl, columns, pick),
        "pick": pick,
        "menus": menus_of(cl),
        "search_help": screen.search_help_text,
        "kept": [(name, value) for name, value in request.GET.items() if name not in ("q", *_PAGING)],
        "own_query": query,
        "is_narrowed": bool(query),
        "first_url": f"?{query}",
        "saved": list(SavedFilter.objects.filter(user_id=request.user.pk, page=request.path)[:20]),
        "export_name": screen.export_name,
        "empty": screen.empty_words,
        "buttons": screen.list_buttons(request),
        "before_template": screen.list_before_template,
        "after_template": screen.list_after_template,
        "pages": None if screen.keyset else _offset_pages(cl),
    }


def _offset_pages(cl: Any) -> dict[str, str] | None:
    """For small tables: by page number."""
    page = getattr(cl, "page_num", 1)
    has_more = len(cl.result_list) >= cl.list_per_page and cl.paginator.page(page).has_next()
    if page <= 1 and not has_more:
        return None
    return {
        "previous": cl.get_query_string({"p": page - 1}) if page > 1 else "",
        "next": cl.get_query_string({"p": page + 1}) if has_more else "",
    }
