"""Operators and their roles: Django's users and groups in the panel's clothes, with every change in the audit trail.

An administrator manages people, never superusers and never their own roles: nobody can give themselves the right to
trade or to release. Nobody is deleted, because the audit trail names them; they are switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display

from trading import audit
from trading.execution.authority import demand_fresh_factor
from trading.execution.operators import end_trust
from trading.models import SecondFactor
from trading.sign_in.sessions import ABSOLUTE

from . import cells
from .acting import actor_of
from .filters import by
from .page import Detail, Page, PanelAdmin, Table
from .tokens import ROLES

admin.site.unregister(User)
admin.site.unregister(Group)

_PLAIN = ("username", "first_name", "last_name", "email")
_POWER = ("is_active", "is_staff", "groups")
_ROLES = ("viewer", "trader", "risk", "admin")
# Django's words for its fields, in the panel's.
_WORDS = {
    "username": ("Name", "How the audit trail calls them: letters, digits and @.+-_"),
    "is_active": ("Enabled", "Nobody is deleted: who leaves is switched off."),
    "is_staff": ("May open the panel", ""),
    "groups": ("Roles", ""),
    "password1": ("Password", "At least 15 characters, and none that is on every list."),
    "password2": ("The same again", ""),
}
_RIGHTS = ("roles", "is_active", "is_staff", "is_superuser")


def snapshot(user: User) -> dict[str, Any]:
    """What the audit trail says about an operator: no password, not even its hash."""
    names = sorted(user.groups.values_list("name", flat=True))
    return {
        "username": user.username,
        "email": user.email,
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
        "roles": names,
    }


@admin.register(User)
class OperatorScreen(UserAdmin, PanelAdmin):
    """The list is the panel's; the forms are Django's own, drawn by the panel's templates."""

    add_form_template = change_form_template = "panel/person_form.html"
    change_user_password_template = "panel/person_password.html"
    empty_words = "Nobody but superusers yet. Invite an operator: they get a link and set a password there."
    search_help_text = "A name or an e-mail address"
    list_display_links = ("username",)
    list_display = (
        "username",
        "name_cell",
        "roles_cell",
        "factor_cell",
        "active_cell",
        "sessions_cell",
        "login_cell",
    )
    list_filter = (
        by("role", "role", "groups__name", lambda: [(name, name) for name in _ROLES]),
        "is_active",
    )
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    fieldsets = (
        ("Who", {"fields": (*_PLAIN, "password")}),
        ("May do", {"fields": _POWER}),
        ("Dates", {"fields": ("login_cell", "joined_cell")}),
    )
    add_fieldsets = (
        ("Who", {"fields": ("username", "password1", "password2")}),
        (
            "May do",
            {
                "fields": ("is_staff", "groups"),
                "description": "Operators sign in to the panel; their roles say what they may do.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """With what the list says of each: whether a phone is enrolled, and in how many browsers they are signed in."""
        enrolled = SecondFactor.objects.filter(user=OuterRef("pk"), sealed_key__isnull=False)
        open_ones = Q(
            operator_sessions__ended_at=None, operator_sessions__began_at__gt=timezone.now() - ABSOLUTE
        )
        people = super().get_queryset(request).prefetch_related("groups")
        return people.annotate(
            has_factor=Exists(enrolled), signed_in=Count("operator_sessions", filter=open_ones, distinct=True)
        )

    def pages(self) -> Sequence[Page]:
        return [("add/", "add", self.add_view)]

    def list_buttons(self, request: HttpRequest) -> Sequence[Any]:
        if not self.has_add_permission(request):
            return ()
        invite, make = reverse("admin:trading_invitation_add"), reverse("admin:auth_user_add")
        return [{"title": "Invite", "url": invite}, {"title": "Add with a password", "url": make}]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.changeform_view(request, object_id, *args, **kwargs)

    def get_form_title(self, obj: User | None) -> str:
        return obj.username if obj else "Add an operator"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["title"] = self.get_form_title(context.get("original"))
        return super().render_change_form(request, context, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("auth.add_user")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser is out of an administrator's reach: resetting that password would be a way to all rights."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return request.user.has_perm("auth.change_user")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        dates = ("login_cell", "joined_cell")
        is_self = obj is not None and obj.pk == request.user.pk
        return (*dates, *_POWER) if is_self and not request.user.is_superuser else dates

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = forms.CheckboxSelectMultiple(attrs={"class": "lv-checks"})
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        for name, (label, help_text) in _WORDS.items():
            if name in form.base_fields:
                form.base_fields[name].label, form.base_fields[name].help_text = label, help_text
        if obj is None and "is_staff" in form.base_fields:
            form.base_fields["is_staff"].initial = True
        return form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Roles are saved here, so this is where before and after are both known."""
        demand_fresh_factor(actor_of(request), "a change of an operator")
        before = snapshot(type(form.instance).objects.get(pk=form.instance.pk)) if change else {}
        before |= {
            name: form.initial[name]
            for name in ("username", "email", "is_active", "is_staff")
            if name in form.initial
        }
        super().save_related(request, form, formsets, change)
        kind = "operator.changed" if change else "operator.created"
        after = snapshot(form.instance)
        data = {"before": before, "after": after}
        audit.record(
            kind, actor=actor_of(request), object_type="operator", object_id=form.instance.pk, data=data
        )
        if change and any(before.get(name, after[name]) != after[name] for name in _RIGHTS):
            end_trust(form.instance, why="roles or standing changed", actor=actor_of(request))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django's own log is not kept: the audit trail is."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """See log_addition."""

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if request.method == "POST":
            demand_fresh_factor(actor_of(request), "a new password for somebody")
        with transaction.atomic():
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == 302:
                actor = actor_of(request)
                audit.record("operator.password_reset", actor=actor, object_type="operator", object_id=id)
        return answer

    @display(description="name")
    def name_cell(self, row: User) -> Any:
        return cells.text_or_nothing(row.get_full_name())

    @display(description="roles")
    def roles_cell(self, row: User) -> Any:
        names = sorted(group.name for group in row.groups.all())
        return ", ".join(["superuser", *names] if row.is_superuser else names) or cells.badge(
            "no role", "warn"
        )

    @display(description="state")
    def active_cell(self, row: User) -> Any:
        return cells.badge("enabled" if row.is_active and row.is_staff else "disabled")

    @display(description="second factor")
    def factor_cell(self, row: Any) -> Any:
        return cells.badge("enrolled", "good") if row.has_factor else cells.badge("none", "warn")

    @display(description="signed in")
    def sessions_cell(self, row: Any) -> Any:
        return row.signed_in or cells.NOTHING

    @display(description="joined")
    def joined_cell(self, row: User) -> Any:
        return cells.when(row.date_joined)

    @display(description="last sign-in")
    def login_cell(self, row: User) -> Any:
        return cells.age(row.last_login)


@admin.register(Group)
class RoleScreen(PanelAdmin):
    """The four roles and what they may do. They come from the product and are not edited."""

    empty_words = "The roles are missing: run manage.py migrate."
    list_display = ("name", "may_cell", "people_cell")
    list_display_links = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).annotate(people=Count("user", filter=Q(user__is_active=True)))

    @display(description="what it may do")
    def may_cell(self, row: Group) -> Any:
        return cells.text_or_nothing(dict(ROLES).get(row.name, "").partition(": ")[2])

    @display(description="operators who have it")
    def people_cell(self, row: Group) -> Any:
        return row.people

    def describe(self, request: HttpRequest, row: Group) -> Detail:
        rights = row.permissions.select_related("content_type").order_by("content_type__model", "codename")
        rows = [[right.content_type.name, right.name] for right in rights]
        people = [[user.username] for user in row.user_set.order_by("username")[:100]]
        return Detail(
            title=f"Role {row.name}",
            sections=[Table("What it may do", ["On", "Right"], rows)],
            side=[Table("Who has it", ["Operator"], people, empty="Nobody.")],
        )
