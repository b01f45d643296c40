"""Webhooks: made here with a secret that is shown once and a message ready to be pasted; switched off and revoked here.

The plain secret is never put into a message, a session or a redirect: who reloads the page has lost it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from trading.execution.tokens import MAX_DAYS
from trading.execution.webhooks import create_webhook, replace_secret, revoke_webhook, set_webhook_enabled
from trading.models import ExchangeAccount, Signal, Strategy, Webhook

from . import cells
from .acting import actor_of, attempt, go, pass_on
from .forms import PanelForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, Table, demand

ADD, CHANGE = "trading.add_webhook", "trading.change_webhook"
_NEWEST = 20
MESSAGE = """{{
  "secret": "{secret}",
  "symbol": "{{{{ticker}}}}",
  "side": "{{{{strategy.order.action}}}}",
  "quantity": "{{{{strategy.order.contracts}}}}",
  "price": "{{{{close}}}}",
  "sent_at": "{{{{timenow}}}}",
  "id": "{{{{strategy.order.id}}}} {{{{timenow}}}}"
}}"""


class WebhookForm(PanelForm):
    name = forms.CharField(max_length=60, help_text="The program or chart that sends to it.")
    strategy = forms.ChoiceField(help_text="Whose signals they become: its limits and its halt apply.")
    account = forms.ChoiceField(required=False)
    quantity = forms.CharField(
        required=False, help_text="Base units of an alert that names no quantity. Empty: each must name one."
    )
    days = forms.IntegerField(label="Days it is valid", min_value=1, max_value=MAX_DAYS, initial=90)
    addresses = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Addresses or networks it may come from, separated by blanks. Empty: any.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        strategies = Strategy.objects.order_by("name").values_list("name", flat=True)
        accounts = ExchangeAccount.objects.order_by("name").values_list("name", flat=True)
        self.fields["strategy"].choices = [(name, name) for name in strategies]  # type: ignore[attr-defined]
        self.fields["account"].choices = [  # type: ignore[attr-defined]
            ("", "the default account"),
            *((name, name) for name in accounts),
        ]


def state_of(row: Webhook) -> str:
    if row.revoked_at:
        return "revoked"
    if row.expires_at <= timezone.now():
        return "expired token"
    return "valid" if row.is_enabled else "disabled"


def state_badge(row: Webhook) -> Any:
    state = state_of(row)
    return cells.badge(state.removesuffix(" token"), cells.tone_of(state))


@admin.register(Webhook)
class WebhookScreen(PanelAdmin):
    add_words = "Make a webhook"
    empty_words = (
        "No webhook yet. One turns the alerts of a chart program into signals of a strategy; "
        "its secret is shown once."
    )
    list_display = (
        "name",
        "state_cell",
        "strategy",
        "account_cell",
        "used_cell",
        "expires_cell",
        "created_by",
    )
    list_display_links = ("name",)
    list_select_related = ("strategy", "account")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        return super().get_queryset(request).defer("secret_hash").select_related("strategy", "account")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ADD)

    def pages(self) -> Sequence[Page]:
        return [
            ("add/", "add", self.create_view),
            ("<uuid:webhook_id>/secret/", "secret", self.secret_view),
            ("<uuid:webhook_id>/enable/", "enable", self.enable_view),
            ("<uuid:webhook_id>/disable/", "disable", self.disable_view),
            ("<uuid:webhook_id>/revoke/", "revoke", self.revoke_view),
        ]

    def describe(self, request: HttpRequest, row: Webhook) -> Detail:
        facts = [
            ("Address", cells.mono(address_of(request, row))),
            ("Strategy", cells.row_link("strategy", row.strategy_id, row.strategy)),
            ("Account", row.account or "the default account"),
            ("Usual quantity", cells.exact(row.quantity) if row.quantity else "each alert names one"),
            ("Allowed from", ", ".join(row.addresses) or "any address"),
            ("Last used", cells.when(row.last_used_at)),
            ("Expires", cells.when(row.expires_at)),
            ("Created", cells.when(row.created_at)),
            ("By", row.created_by),
            ("Revoked", cells.when(row.revoked_at)),
        ]
        may = row.revoked_at is None and request.user.has_perm(CHANGE)
        note = "The secret is stored as a hash only and cannot be shown again."
        return Detail(
            title=row.name,
            badges=[state_badge(row)],
            sections=[Facts("", facts, note=note), _signals(row)],
            side=_asks(row) if may else [],
        )

    def create_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, ADD)
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = WebhookForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                row, secret = _create(form.cleaned_data, request)
            except LeviError as error:
                pass_on(error)
                field = str(error.context.get("field", ""))
                form.add_error(field if field in form.fields else None, str(error))
            else:
                return self._show_once(request, row, secret, f"Webhook {row.name} is made")
        page = Detail(
            title="New webhook", lead="Its secret is shown once, with a message ready to be pasted."
        )
        status = 400 if request.method == "POST" else 200
        return self.show(
            request, "panel/form_page.html", page, status=status, form=form, button="Make the webhook"
        )

    def _show_once(self, request: HttpRequest, row: Webhook, secret: str, title: str) -> HttpResponse:
        message = MESSAGE.format(secret=secret)
        given = {"row": row, "secret": secret, "address": address_of(request, row), "message": message}
        return self.show(request, "panel/webhook_once.html", Detail(title=title), **given)

    @method_decorator(require_POST)
    def secret_view(self, request: HttpRequest, webhook_id: UUID) -> HttpResponse:
        demand(request, CHANGE)
        made = attempt(request, lambda: replace_secret(webhook_id, actor=actor_of(request)))
        if made is None:
            return go("webhook", "change", webhook_id)
        return self._show_once(request, made[0], made[1], f"{made[0].name} has a new secret")

    @method_decorator(require_POST)
    def enable_view(self, request: HttpRequest, webhook_id: UUID) -> HttpResponse:
        return self._change(
            request, webhook_id, lambda **who: set_webhook_enabled(webhook_id, True, **who), "is switched on."
        )

    @method_decorator(require_POST)
    def disable_view(self, request: HttpRequest, webhook_id: UUID) -> HttpResponse:
        said = "is switched off: its next alert is refused."
        return self._change(
            request, webhook_id, lambda **who: set_webhook_enabled(webhook_id, False, **who), said
        )

    @method_decorator(require_POST)
    def revoke_view(self, request: HttpRequest, webhook_id: UUID) -> HttpResponse:
        said = "is revoked: its next alert is refused."
        return self._change(request, webhook_id, lambda **who: revoke_webhook(webhook_id, **who), said)

    def _change(
        self, request: HttpRequest, webhook_id: UUID, verb: Callable[..., Webhook], said: str
    ) -> HttpResponse:
        demand(request, CHANGE)
        row = attempt(request, lambda: verb(actor=actor_of(request)))
        if row is not None:
            messages.success(request, f"{row.name} {said}")
        return go("webhook", "change", webhook_id)

    @display(description="state")
    def state_cell(self, row: Webhook) -> Any:
        return state_badge(row)

    @display(description="account")
    def account_cell(self, row: Webhook) -> Any:
        return row.account or "default"

    @display(description="last used")
    def used_cell(self, row: Webhook) -> Any:
        return cells.age(row.last_used_at)

    @display(description="expires")
    def expires_cell(self, row: Webhook) -> Any:
        return cells.age(row.expires_at)


def address_of(request: HttpRequest, row: Webhook) -> str:
    return f"{request.scheme}://{request.get_host()}/api/v1/webhooks/{row.slug}"


def _create(given: dict[str, Any], request: HttpRequest) -> tuple[Webhook, str]:
    return create_webhook(
        given["name"],
        strategy=given["strategy"],
        account=given["account"],
        quantity=given["quantity"],
        days=given["days"],
        addresses=given["addresses"].replace(",", " ").split(),
        actor=actor_of(request),
    )


def _signals(row: Webhook) -> Table:
    found = Signal.objects.filter(source=f"webhook:{row.name}").select_related("order__instrument")
    rows = [
        [
            cells.row_link("signal", signal.pk, cells.when(signal.received_at)),
            signal.order.instrument.symbol,
            cells.badge(signal.order.side),
            cells.exact(signal.order.quantity),
            cells.row_link("order", signal.order.pk, cells.badge(signal.order.status)),
        ]
        for signal in found.order_by("-received_at")[:_NEWEST]
    ]
    empty = (
        "Nothing came yet. Paste the message into the sender's alert, and its address as the webhook's URL."
    )
    return Table("The last signals it brought", ["Time", "Symbol", "Side", "#Quantity", "Order"], rows, empty)


def _asks(row: Webhook) -> list[Ask]:
    def url(page: str) -> str:
        return cells.page_url("webhook", page, row.pk)

    switch = (
        Ask(
            "Switch off",
            url("disable"),
            "Switch it off",
            why="Alerts are refused until it is switched on again.",
        )
        if row.is_enabled
        else Ask("Switch on", url("enable"), "Switch it on", why="Alerts with its secret are taken again.")
    )
    why = "For when the secret was seen by somebody. The one before is good for nothing from then on."
    gone = "The next alert with it is refused. This cannot be undone."
    return [
        switch,
        Ask("New secret", url("secret"), "Make a new secret", why=why),
        Ask("Revoke", url("revoke"), "Revoke this webhook", None, gone, "quiet-bad"),
    ]
