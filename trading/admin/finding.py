"""Find anything by any of its ids: /admin/find/?q=… One hit leads straight to it. Reads only; exact ids only."""

from __future__ import annotations

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from trading.queries.finding import Found, find_anywhere

from . import cells
from .page import Detail, Table, page_context

_MOST_CHARACTERS = 200


def address_of(found: Found) -> str:
    return cells.page_url(found.model, "change", found.key)


@require_safe
def find_view(request: HttpRequest) -> HttpResponse:
    term = request.GET.get("q", "").strip()[:_MOST_CHARACTERS].replace("\x00", "")
    found = [row for row in find_anywhere(term) if request.user.has_perm(row.right)]
    if len(found) == 1:
        return HttpResponseRedirect(address_of(found[0]))
    rows = [[row.label, cells.link(address_of(row), row.name)] for row in found]
    empty = (
        f"Nothing has the id “{term}”. Whole ids are found, not parts: an order's, algo's or signal's id, a client "
        "order id, the venue's order or fill id, an idempotency key, a request id, an account, strategy or symbol."
        if term
        else "Type an id: of an order, algo, fill, signal, account, strategy or symbol."
    )
    page = Detail(title="Find", sections=[Table("", ["What", "Which"], rows, empty=empty)])
    context = {**page_context(request), "title": page.title, "page": page, "find_term": term}
    return TemplateResponse(request, "panel/detail.html", context)


def no_other_site_view(request: HttpRequest, row: str) -> HttpResponseBase:
    """The framework's door from a row to its page on a public site: there is no such site."""
    raise Http404("Rows have no page outside of the panel. Look for the row's id with Find.")


find_page = admin.site.admin_view(find_view)
no_other_site = admin.site.admin_view(no_other_site_view)
