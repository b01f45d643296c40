"""Everybody's own second factor: enrol an authenticator, confirm a sign-in, new recovery codes.

The first page a new operator sees outside paper mode. Keys and codes stand in the page that answers and nowhere else;
the QR code is drawn here, as an image inside the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from trading.execution import second_factor
from trading.execution.authority import factor_is_required
from trading.execution.operators import reset_second_factor
from trading.models import SecondFactor
from trading.sign_in.gate import take_code
from trading.sign_in.sessions import Standing, prove_factor

from . import cells
from .acting import accept, actor_of, attempt, go
from .forms import PanelForm, ReasonForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, Table, demand

_MODEL = "secondfactor"
MANAGE = "auth.change_user"
_WHY_REMOVE = "Be sure who asks. They are signed out everywhere, and enrol anew at their next sign-in."


class CodeForm(PanelForm):
    code = forms.CharField(
        max_length=40,
        label="Code of your authenticator",
        help_text="Six digits, new every half minute.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


def installation_name() -> str:
    """What the authenticator shows beside the operator's name."""
    return "Levi" if settings.LEVI_MODE == "production" else f"Levi {settings.LEVI_MODE}"


def person_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the pages are behind the panel's sign-in
    return request.user


@admin.register(SecondFactor)
class SecondFactorScreen(PanelAdmin):
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Everybody their own."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def pages(self) -> Sequence[Page]:
        return [
            ("confirm/", "confirm", self.confirm_view),
            ("enrol/", "enrol", self.enrol_view),
            ("begin/", "begin", self.begin_view),
            ("activate/", "activate", self.activate_view),
            ("codes/", "codes", self.codes_view),
            ("<int:user_id>/remove/", "remove", self.remove_view),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is no list: a person has one or none."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        user = person_of(request)
        row = SecondFactor.objects.filter(pk=user.pk, sealed_key__isnull=False).first()
        page = Detail(
            title="Your second factor",
            badges=[cells.badge("enrolled", "good") if row else cells.badge("none", "warn")],
            lead="A phone that shows codes, asked for at the sign-in and before what costs most.",
            sections=[
                _state(user, row),
                *([_new_codes()] if row else []),
                *([_everybody()] if request.user.has_perm(MANAGE) else []),
            ],
            side=[_enrol(row is not None)],
        )
        return self.show(request, self.detail_template, page)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Somebody's, for administrators: whether there is one, and how to start over after a lost phone."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not request.user.has_perm(MANAGE):
            return go(_MODEL)
        row = self.find_row(request, object_id)
        url = cells.page_url(_MODEL, "remove", row.pk)
        ask = Ask("Lost phone", url, "Remove this second factor", ReasonForm(), _WHY_REMOVE, "quiet-bad")
        is_self = row.pk == request.user.pk
        page = Detail(
            title=f"Second factor of {row.user.username}",
            badges=[
                cells.badge("enrolled", "good") if row.sealed_key else cells.badge("not confirmed", "warn")
            ],
            sections=[_state(row.user, row)],
            side=[] if is_self else [ask],
        )
        return self.show(request, self.detail_template, page, model_admin=self)

    @method_decorator(require_POST)
    def remove_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        demand(request, MANAGE)
        user, form = User.objects.filter(pk=user_id).first(), ReasonForm(request.POST)
        if user is None:
            raise Http404("There is no such operator.")
        if user.is_superuser and not request.user.is_superuser:
            raise PermissionDenied("A superuser is out of an administrator's reach.")
        if accept(request, form):
            reason, actor = form.cleaned_data["reason"], actor_of(request)
            done = attempt(request, lambda: reset_second_factor(user, reason=reason, actor=actor))
            if done:
                text = f"{user.username} enrols anew at the next sign-in, and is signed out everywhere."
                messages.success(request, text)
        return go(_MODEL)

    def confirm_view(self, request: HttpRequest) -> HttpResponse:
        """After the password: the code."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        if not second_factor.has_second_factor(person_of(request)):
            return go(_MODEL, "enrol")
        if request.method == "POST" and take_code(request, request.POST.get("code", "")[:40]):
            return HttpResponseRedirect(_next_of(request))
        page = Detail(title="Second factor", lead="The password was right. Now a code of your authenticator.")
        return self._show(request, "panel/confirm.html", page, next=request.GET.get("next", ""))

    def enrol_view(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._show_enrolment(request, CodeForm())

    @method_decorator(require_POST)
    def begin_view(self, request: HttpRequest) -> HttpResponse:
        attempt(request, lambda: second_factor.begin_enrolment(person_of(request), actor=actor_of(request)))
        return go(_MODEL, "enrol")

    @method_decorator(require_POST)
    def activate_view(self, request: HttpRequest) -> HttpResponse:
        form, user = CodeForm(request.POST), person_of(request)
        if not form.is_valid():
            return self._show_enrolment(request, form, status=400)
        code = form.cleaned_data["code"]
        codes = attempt(request, lambda: second_factor.confirm_enrolment(user, code, actor=actor_of(request)))
        if codes is None:
            return go(_MODEL, "enrol")
        prove_factor(request, timezone.now())
        messages.success(request, "Your second factor is in force.")
        return self._show_codes(request, codes)

    @method_decorator(require_POST)
    def codes_view(self, request: HttpRequest) -> HttpResponse:
        user = person_of(request)
        codes = attempt(request, lambda: second_factor.replace_recovery_codes(user, actor=actor_of(request)))
        return go(_MODEL) if codes is None else self._show_codes(request, codes)

    def _show_enrolment(self, request: HttpRequest, form: CodeForm, status: int = 200) -> HttpResponse:
        user = person_of(request)
        key = second_factor.find_new_key(user)
        page = Detail(title="Enrol a second factor", lead=_why_enrol())
        extra: dict[str, Any] = {"form": form, "key": key}
        if key:
            uri = second_factor.provisioning_uri(user, key, installation_name())
            extra["qr"] = segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="white")
            extra["grouped_key"] = " ".join(key[start : start + 4] for start in range(0, len(key), 4))
        return self._show(request, "panel/enrol.html", page, status=status, **extra)

    def _show_codes(self, request: HttpRequest, codes: list[str]) -> HttpResponse:
        page = Detail(title="Recovery codes")
        return self._show(
            request, "panel/recovery_codes.html", page, codes=codes, installation=installation_name()
        )

    def _show(self, request: HttpRequest, template: str, page: Detail, **extra: Any) -> HttpResponse:
        """Never kept by a cache; without the navigation for who is not fully signed in."""
        if getattr(request, "standing", None) is Standing.HALF:
            extra |= {"is_nav_sidebar_enabled": False, "is_half": True}
        answer = self.show(request, template, page, **extra)
        add_never_cache_headers(answer)
        return answer


def _why_enrol() -> str:
    if factor_is_required():
        return f"In {settings.LEVI_MODE} mode every operator has one. Until then only STOP works."
    return "Optional in paper mode. From then on it is asked for at your sign-in."


def _state(user: User, row: SecondFactor | None) -> Facts:
    if row is None:
        needed = "yes" if factor_is_required() else "no, it is optional in paper mode"
        return Facts("", [("In force", "none"), ("Required", needed)])
    left = second_factor.count_recovery_codes(user)
    return Facts("", [("In force since", cells.when(row.confirmed_at)), ("Recovery codes left", str(left))])


def _enrol(is_replaced: bool) -> Ask:
    title = "Another phone" if is_replaced else "Enrol"
    why = (
        "The one in force stays until the new one has shown a code."
        if is_replaced
        else "You need an authenticator: any app that shows time-based codes (TOTP)."
    )
    return Ask(title, reverse(f"admin:trading_{_MODEL}_begin"), "Show a new key", None, why, "plain")


def _everybody() -> Table:
    operators = User.objects.filter(is_active=True, is_staff=True).select_related("second_factor")
    rows = []
    for user in operators.order_by("username")[:200]:
        row = getattr(user, "second_factor", None)
        known = row is not None and row.sealed_key
        name = cells.row_link(_MODEL, row.pk, user.username) if known else user.username
        since = cells.when(row.confirmed_at) if known else cells.badge("none", "warn")
        rows.append([name, since])
    return Table("Of all operators", ["Operator", "In force since"], rows)


def _new_codes() -> Ask:
    why = "Ten new ones; the old ones are void from then on."
    return Ask(
        "Recovery codes", reverse(f"admin:trading_{_MODEL}_codes"), "Make new codes", None, why, "plain"
    )


def _next_of(request: HttpRequest) -> str:
    """Back to where the person wanted to go: a page of this panel, and nothing else."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe and wanted.startswith("/admin/") else reverse("admin:index")
