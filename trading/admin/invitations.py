"""Inviting an operator: a link that opens once, within 24 hours, where the person sets a password.

The link is shown on the very answer that made it. The page it opens is the one page of the panel without a sign-in; a
wrong, used or old link is told nothing but that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST
from unfold.decorators import display

from levi_site.request_id import get_request_id
from trading.domain.errors import LeviError
from trading.execution.operators import accept_invitation, find_invitation, invite, revoke_invitation
from trading.models import Invitation

from . import cells
from .acting import actor_of, attempt, go, pass_on
from .forms import PanelForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, demand
from .tokens import ROLES

RIGHT = "auth.add_user"


class InvitationForm(PanelForm):
    username = forms.CharField(max_length=150, label="Name", help_text="How the audit trail will call them.")
    roles = forms.MultipleChoiceField(choices=ROLES, widget=forms.CheckboxSelectMultiple, initial=["viewer"])


class JoinForm(PanelForm):
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), max_length=128
    )
    again = forms.CharField(
        label="The same again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        max_length=128,
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("password") != given.get("again"):
            self.add_error("again", "The two differ.")
        return given


def state_of(row: Invitation) -> str:
    if row.used_at:
        return "used"
    if row.revoked_at:
        return "revoked"
    return "open" if row.expires_at > timezone.now() else "expired"


@admin.register(Invitation)
class InvitationScreen(PanelAdmin):
    add_words = "Invite an operator"
    empty_words = "Nobody is invited. Invite an operator: you get a link to hand over."
    list_display = ("created_cell", "username", "state_cell", "roles_cell", "created_by", "expires_cell")
    list_display_links = ("created_cell",)
    ordering = ("-created_at", "-id")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(RIGHT)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RIGHT)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RIGHT)

    def pages(self) -> Sequence[Page]:
        return [
            ("add/", "add", self.create_view),
            ("<uuid:invitation_id>/revoke/", "revoke", self.revoke_view),
        ]

    def get_urls(self) -> list[URLPattern]:
        joining = path("join/<str:secret>/", csrf_protect(self.join_view), name="trading_invitation_join")
        return [joining, *super().get_urls()]

    def describe(self, request: HttpRequest, row: Invitation) -> Detail:
        facts = [
            ("Roles", ", ".join(row.roles)),
            ("Made", cells.when(row.created_at)),
            ("By", row.created_by),
            ("Opens until", cells.when(row.expires_at)),
            ("Used", cells.when(row.used_at)),
            ("Revoked", cells.when(row.revoked_at)),
        ]
        url = cells.page_url("invitation", "revoke", row.pk)
        ask = Ask("Revoke", url, "Revoke this invitation", None, "Its link opens nothing then.", "quiet-bad")
        return Detail(
            title=f"Invitation of {row.username}",
            badges=[cells.badge(state_of(row))],
            sections=[Facts("", facts, note="The link itself is stored as a hash only.")],
            side=[ask] if state_of(row) == "open" else [],
        )

    def create_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, RIGHT)
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = InvitationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                row, secret = invite(given["username"], given["roles"], actor=actor_of(request))
            except LeviError as error:
                pass_on(error)
                field = str(error.context.get("field", ""))
                form.add_error(field if field in form.fields else None, str(error))
            else:
                link = request.build_absolute_uri(reverse("admin:trading_invitation_join", args=[secret]))
                page = Detail(title=f"Invitation of {row.username}")
                answer = self.show(request, "panel/invitation_once.html", page, link=link, row=row)
                add_never_cache_headers(answer)
                return answer
        page = Detail(
            title="Invite an operator",
            lead="You get a link to hand over. It opens once, within 24 hours; there they set a password.",
        )
        status = 400 if request.method == "POST" else 200
        return self.show(
            request, "panel/form_page.html", page, status=status, form=form, button="Make the link"
        )

    @method_decorator(require_POST)
    def revoke_view(self, request: HttpRequest, invitation_id: UUID) -> HttpResponse:
        demand(request, RIGHT)
        row = attempt(request, lambda: revoke_invitation(invitation_id, actor=actor_of(request)))
        if row is not None:
            messages.success(request, f"The invitation of {row.username} is revoked.")
        return go("invitation")

    def join_view(self, request: HttpRequest, secret: str) -> HttpResponse:
        """For who has no sign-in yet."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        row = find_invitation(secret)
        form = JoinForm(request.POST or None)
        if row is not None and request.method == "POST" and form.is_valid():
            try:
                accept_invitation(secret, form.cleaned_data["password"], request_id=get_request_id())
            except LeviError as error:
                pass_on(error)
                field = str(error.context.get("field", ""))
                form.add_error(field if field in form.fields else None, str(error))
            else:
                messages.success(request, f"Welcome, {row.username}. Sign in with your new password.")
                return HttpResponseRedirect(reverse("admin:login"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Join",
            "invitation": row,
            "form": form,
            "rules": password_validators_help_texts(),
        }
        status = 404 if row is None else 400 if request.method == "POST" else 200
        answer = TemplateResponse(request, "panel/join.html", context, status=status)
        add_never_cache_headers(answer)
        return answer

    @display(description="made", ordering="created_at")
    def created_cell(self, row: Invitation) -> Any:
        return cells.when(row.created_at)

    @display(description="state")
    def state_cell(self, row: Invitation) -> Any:
        return cells.badge(state_of(row))

    @display(description="roles")
    def roles_cell(self, row: Invitation) -> Any:
        return ", ".join(row.roles)

    @display(description="opens until")
    def expires_cell(self, row: Invitation) -> Any:
        return cells.age(row.expires_at)
