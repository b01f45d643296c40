"""Exchange accounts: which venue, which mode, whether it may trade, and its API key.

Credentials go in and never come out: neither the page nor an error shows a value again. Testing and syncing ask the
venue and therefore are POSTs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.domain.enums import Environment, TradingMode, VenueName
from trading.domain.errors import LeviError
from trading.execution.accounts import (
    check_connection,
    create_account,
    set_account_enabled,
    store_credentials,
)
from trading.execution.sync import sync_account
from trading.models import ExchangeAccount

from . import cells
from .account_page import KEYS, MANAGE, AccountForm, CredentialForm, describe_account
from .acting import accept, actor_of, attempt, go, pass_on
from .forms import ReasonForm
from .page import Detail, Page, PanelAdmin, demand


@admin.register(ExchangeAccount)
class AccountScreen(PanelAdmin):
    add_words = "Add an account"
    empty_words = (
        "No exchange account yet. Add one, store its key, and test the connection: that places nothing."
    )
    list_display = (
        "name",
        "enabled_cell",
        "mode_cell",
        "venue",
        "environment",
        "key_cell",
        "synced_cell",
        "default_cell",
    )
    list_display_links = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExchangeAccount]:
        # The sealed values are never even read here.
        return (
            super()
            .get_queryset(request)
            .select_related("credential")
            .defer("credential__sealed_key", "credential__sealed_secret")
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trading.add_exchangeaccount")

    def pages(self) -> Sequence[Page]:
        return [
            ("add/", "add", self.create_view),
            ("<uuid:account_id>/switch/", "switch", self.switch_view),
            ("<uuid:account_id>/credentials/", "credentials", self.credentials_view),
            ("<uuid:account_id>/test/", "test", self.test_view),
            ("<uuid:account_id>/sync/", "sync", self.sync_view),
        ]

    def describe(self, request: HttpRequest, row: ExchangeAccount) -> Detail:
        return describe_account(request, row)

    def create_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.add_exchangeaccount")
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = AccountForm(
            request.POST or None, initial={"mode": settings.LEVI_MODE, "base_url": settings.SIMULATOR_URL}
        )
        if request.method == "POST" and form.is_valid():
            try:
                account = _create(form.cleaned_data, request)
            except LeviError as error:
                pass_on(error)
                field = str(error.context.get("field", ""))
                form.add_error(field if field in form.fields else None, str(error))
            else:
                messages.success(request, f"Account {account.name} is created. Store its API key next.")
                return go("exchangeaccount", "change", account.pk)
        page = Detail(title="New account", lead="One set of balances at one venue.")
        status = 400 if request.method == "POST" else 200
        return self.show(
            request, "panel/form_page.html", page, status=status, form=form, button="Create the account"
        )

    @method_decorator(require_POST)
    def switch_view(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        demand(request, MANAGE)
        account, form = self._get(account_id), ReasonForm(request.POST)
        if accept(request, form):
            enabled, reason = not account.is_enabled, form.cleaned_data["reason"]
            if attempt(
                request, lambda: set_account_enabled(account, enabled, actor=actor_of(request), reason=reason)
            ):
                messages.success(request, f"{account.name} is {'enabled' if enabled else 'disabled'}.")
        return go("exchangeaccount", "change", account_id)

    @method_decorator([require_POST, sensitive_post_parameters("key", "secret")])
    def credentials_view(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        demand(request, KEYS)
        account, form = self._get(account_id), CredentialForm(request.POST)
        if accept(request, form):
            key, secret = form.cleaned_data["key"], form.cleaned_data["secret"]
            if attempt(request, lambda: store_credentials(account, key, secret, actor=actor_of(request))):
                messages.success(
                    request,
                    "The key is stored, encrypted. Test the connection to see its rights. Break glass does not know it "
                    "before manage.py break_glass --prepare.",
                )
        return go("exchangeaccount", "change", account_id)

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        demand(request, MANAGE)
        self._get(account_id)
        found = attempt(request, lambda: check_connection(account_id, actor=actor_of(request)))
        if found is not None:
            _tell_connection(request, found)
        return go("exchangeaccount", "change", account_id)

    @method_decorator(require_POST)
    def sync_view(self, request: HttpRequest, account_id: UUID) -> HttpResponse:
        demand(request, MANAGE)
        self._get(account_id)
        run = attempt(request, lambda: sync_account(account_id, trigger="demand"))
        if run is not None and run.is_complete:
            messages.success(
                request, f"Synced: {run.fills_booked} fills booked, {run.breaks_open} breaks open."
            )
        elif run is not None:
            messages.error(request, f"The sync is not complete: {run.error}")
        return go("exchangeaccount", "change", account_id)

    def _get(self, account_id: UUID) -> ExchangeAccount:
        account = ExchangeAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise Http404(f"There is no account {account_id}.")
        return account

    @display(description="state")
    def enabled_cell(self, row: ExchangeAccount) -> Any:
        return cells.badge("enabled" if row.is_enabled else "disabled")

    @display(description="mode")
    def mode_cell(self, row: ExchangeAccount) -> Any:
        return cells.badge(row.mode)

    @display(description="API key")
    def key_cell(self, row: ExchangeAccount) -> Any:
        key = getattr(row, "credential", None)
        return cells.mono(f"…{key.key_hint}") if key else cells.badge("no key", "warn")

    @display(description="last sync")
    def synced_cell(self, row: ExchangeAccount) -> Any:
        return (
            cells.stack([cells.age(row.synced_at), row.sync_error[:60]])
            if row.sync_error
            else cells.age(row.synced_at)
        )

    @display(description="default")
    def default_cell(self, row: ExchangeAccount) -> Any:
        return "default" if row.is_default else cells.NOTHING


def _create(given: dict[str, Any], request: HttpRequest) -> ExchangeAccount:
    return create_account(
        given["name"],
        venue=VenueName(given["venue"]),
        environment=Environment(given["environment"]),
        mode=TradingMode(given["mode"]),
        base_url=given["base_url"],
        is_default=given["is_default"],
        rate_limit_rps=given["rate_limit_rps"],
        actor=actor_of(request),
    )


def _tell_connection(request: HttpRequest, found: dict[str, Any]) -> None:
    if found.get("error"):
        reached = (
            "The venue answers, but the key does not work"
            if found.get("reachable")
            else "The venue could not be reached"
        )
        messages.error(request, f"{reached}: {found['error']}")
        return
    key = found["key"]
    messages.success(
        request,
        f"The venue answers, its clock differs by {found['clock_offset_ms']} ms. "
        f"Rights of the key: {', '.join(key['rights']) or 'none'}.",
    )
    if key["dangerous"]:
        messages.error(
            request,
            f"This key may do what a trading key must not: {', '.join(key['dangerous'])}. Replace it.",
        )
