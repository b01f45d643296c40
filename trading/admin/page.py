"""What the panel's own pages are made of: sections of facts and tables, and the admin class that shows them.

A page is a frozen description (Detail) rendered by one template; screens only say what stands in it. `PanelAdmin` is
read-only by nature: no add, no change, no delete, no bulk action, and a POST to a page that only shows is a 405.
Lists never count their rows and never sort without an index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from .charts import Chart
from .chrome import title_here
from .life_picture import LifePicture
from .list_page import describe_list
from .lists import KeysetChangeList, ListPick

Page = tuple[str, str, Callable[..., HttpResponseBase]]  # route, name, view


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of label and value. Values are cells or plain text."""

    title: str
    rows: Sequence[tuple[str, Any]]
    note: str = ""
    template: str = "panel/section_facts.html"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headers. A header that starts with "#" names a column of numbers."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str = "Nothing here yet."
    note: Any = ""
    more_url: str = ""
    is_folded: bool = False  # long, and seldom what one came for
    template: str = "panel/section_table.html"

    @property
    def columns(self) -> list[tuple[str, bool]]:
        return [(header.lstrip("#"), header.startswith("#")) for header in self.headers]

    @property
    def lines(self) -> list[list[tuple[Any, str, bool]]]:
        return [
            [(cell, *column) for cell, column in zip(row, self.columns, strict=True)] for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing the operator can do here: a form that posts to `url`. `why` says what it will do, `instead` leads to
    another way to the same end."""

    title: str
    url: str
    button: str
    form: Any = None
    why: str = ""
    tone: str = ""
    instead: Any = ""
    template: str = "panel/section_ask.html"


@dataclass(frozen=True, slots=True)
class Detail:
    """One page. `side` sections stand beside the main ones on a wide screen."""

    title: str
    badges: Sequence[Any] = ()
    lead: Any = ""
    sections: Sequence[Facts | Table | Ask | Chart | LifePicture] = ()
    side: Sequence[Facts | Table | Ask | Chart] = ()
    back: tuple[str, str] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def has_charts(self) -> bool:
        return any(isinstance(section, Chart) for section in (*self.sections, *self.side))


def demand(request: HttpRequest, permission: str) -> None:
    """403 unless the operator holds the right."""
    if not request.user.has_perm(permission):
        raise PermissionDenied(f"Your roles do not include the right {permission}.")


class PanelAdmin(ModelAdmin):
    """A list and a page per row, both only for looking. Screens add pages of their own with `pages`."""

    actions = None
    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50
    list_max_show_all = 50
    detail_template = "panel/detail.html"
    # Pages by key instead of by offset, for tables that grow: ("-created_at", "-id"). Needs an index on it.
    keyset: Sequence[str] = ()
    # The button that leads to the page "add", for who may add.
    add_words = ""
    # What a list says while it is empty: what would stand here, and what to do next.
    empty_words = "Nothing here yet."
    # The live topics (trading.live) that make the list and the pages of its rows look again.
    topics: Sequence[str] = ()
    # The name of the export that takes this list's filters (queries/export_sources.py).
    export_name = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def pages(self) -> Sequence[Page]:
        return ()

    def get_urls(self) -> list[URLPattern]:
        """Only what exists: no delete, no history, no popup addresses."""
        own: list[Page] = [("", "changelist", self.changelist_view), *self.pages()]
        own.append(("<path:object_id>/change/", "change", self.change_view))
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path(route, self.admin_site.admin_view(view), name=f"{prefix}_{name}")
            for route, name, view in own
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:
        return ()

    def list_buttons(self, request: HttpRequest) -> Sequence[Any]:
        """Links beside the filters: what can be made here, the usual way first. Each has `title` and `url`."""
        if not self.add_words or not self.has_add_permission(request):
            return ()
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add")
        return [{"title": self.add_words, "url": url}]

    def list_pick(self, request: HttpRequest) -> ListPick | None:
        """What can be done with the rows a person chooses; None for a list that is only read."""
        return None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        named = title_here(request) or str(self.opts.verbose_name_plural).capitalize()
        if not self.has_view_permission(request):
            raise PermissionDenied(f"Your roles do not let you look at {named}.")
        try:
            cl = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(request.path)
        page = Detail(title=named, extra=describe_list(self, request, cl))
        return self.show(request, "panel/list.html", page, **(extra_context or {}))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        row = self.find_row(request, object_id)
        # The header leads back to the list; the page itself carries the row's name.
        return self.show(request, self.detail_template, self.describe(request, row), model_admin=self)

    def find_row(self, request: HttpRequest, object_id: str) -> Any:
        """The row, or 404; 403 for who may not look at rows of this kind."""
        if not self.has_view_permission(request):
            raise PermissionDenied(f"Your roles do not let you look at {self.opts.verbose_name_plural}.")
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404(f"There is no {self.opts.verbose_name} {object_id}.")
        return row

    def describe(self, request: HttpRequest, row: Any) -> Detail:
        raise NotImplementedError(f"{type(self).__name__} shows no page per row")

    def show(
        self, request: HttpRequest, template: str, page: Detail, status: int = 200, **extra: Any
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        context = {
            **page_context(request),
            "title": page.title,
            "page": page,
            "topics": ",".join(self.topics),
            **page.extra,
            **extra,
        }
        return TemplateResponse(request, template, context, status=status)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every page of ours needs. A request of the page's own script gets the page without its surroundings."""
    is_fragment = request.headers.get("X-Levi-Fragment") == "1"
    return {
        "page_base": "panel/fragment.html" if is_fragment else "panel/frame.html",
        "has_permission": True,
        "site_title": "Levi",
    }
