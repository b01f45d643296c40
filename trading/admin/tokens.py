"""API tokens: made here, shown once on the very answer that made them, revoked here.

The plain token is never put into a message, a session or a redirect: who reloads the page has lost it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.domain.errors import LeviError
from trading.execution.tokens import MAX_DAYS, create_token, revoke_token
from trading.models import ApiToken

from . import cells
from .acting import actor_of, attempt, go, pass_on
from .forms import PanelForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, demand

ROLES = (
    ("viewer", "viewer: reads"),
    ("trader", "trader: places and cancels orders, halts"),
    ("risk", "risk: halts and releases, changes limits"),
    ("admin", "admin: manages accounts and tokens"),
)


class TokenForm(PanelForm):
    name = forms.CharField(max_length=60, help_text="The program that uses it.")
    roles = forms.MultipleChoiceField(choices=ROLES, widget=forms.CheckboxSelectMultiple, initial=["trader"])
    days = forms.IntegerField(label="Days it is valid", min_value=1, max_value=MAX_DAYS, initial=90)
    addresses = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Addresses or networks it may come from, separated by blanks. Empty: any.",
    )


def state_of(row: ApiToken) -> str:
    if row.revoked_at:
        return "revoked"
    return "valid" if row.expires_at > timezone.now() else "expired token"


def state_badge(row: ApiToken) -> Any:
    state = state_of(row)
    return cells.badge(state.removesuffix(" token"), cells.tone_of(state))


@admin.register(ApiToken)
class TokenScreen(PanelAdmin):
    add_words = "Make a token"
    empty_words = "No program may speak to the API yet. Make a token; it is shown once."
    list_display = ("name", "state_cell", "roles_cell", "used_cell", "expires_cell", "created_by")
    list_display_links = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        return super().get_queryset(request).defer("secret_hash").prefetch_related("roles")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trading.add_apitoken")

    def pages(self) -> Sequence[Page]:
        return [("add/", "add", self.create_view), ("<uuid:token_id>/revoke/", "revoke", self.revoke_view)]

    def describe(self, request: HttpRequest, row: ApiToken) -> Detail:
        facts = [
            ("Roles", self.roles_cell(row)),
            ("Allowed from", ", ".join(row.addresses) or "any address"),
            ("Last used", cells.when(row.last_used_at)),
            ("Expires", cells.when(row.expires_at)),
            ("Created", cells.when(row.created_at)),
            ("By", row.created_by),
            ("Revoked", cells.when(row.revoked_at)),
        ]
        may = state_of(row) == "valid" and request.user.has_perm("trading.change_apitoken")
        return Detail(
            title=row.name,
            badges=[state_badge(row)],
            sections=[
                Facts("", facts, note="The token itself is stored as a hash only and cannot be shown again.")
            ],
            side=[_revoke(row)] if may else [],
        )

    def create_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.add_apitoken")
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = TokenForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                row, plain_token = _create(form.cleaned_data, request)
            except LeviError as error:
                pass_on(error)
                field = str(error.context.get("field", ""))
                form.add_error(field if field in form.fields else None, str(error))
            else:
                page = Detail(title=f"Token {row.name} is made")
                return self.show(request, "panel/token_once.html", page, token=plain_token, row=row)
        page = Detail(title="New API token", lead="It is shown once. Give a program no more than it needs.")
        status = 400 if request.method == "POST" else 200
        return self.show(
            request, "panel/form_page.html", page, status=status, form=form, button="Make the token"
        )

    @method_decorator(require_POST)
    def revoke_view(self, request: HttpRequest, token_id: UUID) -> HttpResponse:
        demand(request, "trading.change_apitoken")
        row = attempt(request, lambda: revoke_token(token_id, actor=actor_of(request)))
        if row is None:
            return go("apitoken")
        messages.success(request, f"{row.name} is revoked: its next request is refused.")
        return go("apitoken", "change", token_id)

    @display(description="state")
    def state_cell(self, row: ApiToken) -> Any:
        return state_badge(row)

    @display(description="roles")
    def roles_cell(self, row: ApiToken) -> Any:
        return ", ".join(sorted(group.name for group in row.roles.all())) or cells.NOTHING

    @display(description="last used")
    def used_cell(self, row: ApiToken) -> Any:
        return cells.age(row.last_used_at)

    @display(description="expires")
    def expires_cell(self, row: ApiToken) -> Any:
        return cells.age(row.expires_at)


def _create(given: dict[str, Any], request: HttpRequest) -> tuple[ApiToken, str]:
    addresses = given["addresses"].replace(",", " ").split()
    return create_token(
        given["name"], given["roles"], days=given["days"], addresses=addresses, actor=actor_of(request)
    )


def _revoke(row: ApiToken) -> Ask:
    url = cells.page_url("apitoken", "revoke", row.pk)
    return Ask(
        "Revoke",
        url,
        "Revoke this token",
        None,
        "The next request with it is refused. This cannot be undone.",
        "quiet-bad",
    )
