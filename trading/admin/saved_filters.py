"""Saved views: a person's own names for a list's filters. Saving under a known name replaces it."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve
from django.views.decorators.http import require_POST

from trading.models import SavedFilter

MOST = 20
_LONGEST = {"name": 40, "page": 120, "query": 500}


def _list_page(path: str) -> str:
    """The path, if it is a list of the panel: saved views never lead anywhere else."""
    try:
        match = resolve(path)
    except Resolver404:
        raise Http404("There is no such list.") from None
    if "admin" not in match.namespaces or not str(match.url_name).endswith("_changelist"):
        raise PermissionDenied("Views are saved of the panel's lists only.")
    return path


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    given = {name: request.POST.get(name, "").strip()[:most] for name, most in _LONGEST.items()}
    page = _list_page(given["page"])
    mine = SavedFilter.objects.filter(user_id=request.user.pk)
    if not given["name"] or not given["query"]:
        messages.error(request, "A view needs a name, and filters to remember.")
    elif mine.filter(page=page).exclude(name=given["name"]).count() >= MOST:
        messages.error(request, f"There are {MOST} views of this list already: forget one first.")
    else:
        SavedFilter.objects.update_or_create(
            user_id=request.user.pk, page=page, name=given["name"], defaults={"query": given["query"]}
        )
        messages.success(request, f"Saved as “{given['name']}”.")
    return HttpResponseRedirect(f"{page}?{given['query']}")


@require_POST
def forget_view(request: HttpRequest, filter_id: int) -> HttpResponse:
    row = SavedFilter.objects.filter(pk=filter_id, user_id=request.user.pk).first()
    if row is None:
        raise Http404("There is no such view of yours.")
    row.delete()
    return HttpResponseRedirect(row.page)


save_page = admin.site.admin_view(save_view)
forget_page = admin.site.admin_view(forget_view)
