"""The order ticket: check first, then place, and never twice.

Check asks `preview`, which writes nothing. Its answer carries a signed token for exactly this order and operator; Place
uses it as the idempotency key, so a double click, a reload and the back button all end in the same one order. A token
is good for ten minutes, because what was checked should still be what is decided. Works without JavaScript.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.html import format_html

from trading.domain.enums import OrderOrigin, OrderType, Side, TimeInForce
from trading.domain.errors import LeviError
from trading.domain.money import plain
from trading.execution.intake import preview, submit
from trading.models import ExchangeAccount, Strategy

from . import cells
from .acting import actor_of, go, pass_on
from .filters import traded_symbols
from .forms import PanelForm
from .order_page import check_rows
from .page import Detail, Page, Table, demand
from .ticket_token import issue_token, read_token

FIELDS = (
    "account",
    "symbol",
    "side",
    "order_type",
    "quantity",
    "quote_quantity",
    "price",
    "time_in_force",
    "reduce_only",
    "strategy",
)


def offer_places(form: forms.Form) -> None:
    """The accounts of this mode, the usual one first, and the strategies that may trade."""
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE).order_by("-is_default", "name")
    names = [(row.name, row.name + ("" if row.is_enabled else " (disabled)")) for row in accounts]
    strategies = Strategy.objects.filter(is_enabled=True).values_list("name", flat=True)[:200]
    offered = {"account": names, "strategy": [("", "none"), *((name, name) for name in strategies)]}
    for name, choices in offered.items():
        field = form.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def _words(vocabulary: Any) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ")) for member in vocabulary]


class TicketForm(PanelForm):
    """Numbers are taken as text: what they mean is decided by intake, with exact decimals."""

    account = forms.ChoiceField()
    symbol = forms.CharField(
        max_length=40, widget=forms.TextInput(attrs={"list": "lv-symbols", "autocomplete": "off"})
    )
    side = forms.ChoiceField(choices=_words(Side), widget=forms.RadioSelect)
    order_type = forms.ChoiceField(label="Type", choices=_words(OrderType), initial=OrderType.LIMIT)
    time_in_force = forms.ChoiceField(choices=_words(TimeInForce), initial=TimeInForce.GTC)
    quantity = forms.CharField(
        required=False,
        max_length=64,
        help_text="In base units, rounded down to whole lots.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    price = forms.CharField(
        required=False,
        max_length=64,
        help_text="Empty for a market order.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    quote_quantity = forms.CharField(
        label="Or by quote quantity",
        required=False,
        max_length=64,
        help_text="Market orders only.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    strategy = forms.ChoiceField(required=False)
    reduce_only = forms.BooleanField(
        label="Reduce only", required=False, help_text="Only shrinks a position; never opens or turns one."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_places(self)

    def body(self) -> dict[str, Any]:
        """The request for intake: what was left empty is left out."""
        given = {name: self.cleaned_data[name] for name in FIELDS}
        return {
            name: value.strip() if isinstance(value, str) else value for name, value in given.items() if value
        }


class TicketPages:
    """Mixed into the order screen: GET shows the empty ticket, POST checks or places."""

    admin_site: Any

    def pages(self) -> Sequence[Page]:
        return [("new/", "ticket", self.ticket_view)]

    def ticket_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.place_order")
        if request.method in ("GET", "HEAD"):
            return self._show_ticket(request, TicketForm(initial=_initial(request)))
        if request.method != "POST":
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = TicketForm(request.POST)
        if not form.is_valid():
            return self._show_ticket(request, form, status=400)
        return (
            self._place(request, form) if request.POST.get("step") == "place" else self._check(request, form)
        )

    def _check(self, request: HttpRequest, form: TicketForm) -> HttpResponse:
        body = form.body()
        try:
            answer = preview(body, actor=actor_of(request))
        except LeviError as error:
            pass_on(error)
            _blame(form, error)
            return self._show_ticket(request, form, status=400)
        return self._show_ticket(request, form, answer=answer, body=body, token=issue_token(request, body))

    def _place(self, request: HttpRequest, form: TicketForm) -> HttpResponse:
        body = form.body()
        if request.POST.get("confirmed") != "on":
            messages.error(request, "Confirm quantity, notional and mode first. Nothing was sent.")
            return self._check(request, form)
        key = read_token(request, body)
        if key is None:
            return self._show_ticket(request, form, status=409)
        try:
            done = submit(body, actor=actor_of(request), key=key, origin=OrderOrigin.PANEL)
        except LeviError as error:
            pass_on(error)
            _blame(form, error)
            return self._show_ticket(request, form, status=400)
        _tell(request, done.answer, repeated=done.repeated)
        return go("order", "change", done.order.pk)

    def _show_ticket(
        self, request: HttpRequest, form: TicketForm, status: int = 200, **extra: Any
    ) -> HttpResponse:
        answer = extra.get("answer")
        page = Detail(
            title="New order",
            lead=_lead(request),
            extra={"form": form, "symbols": traded_symbols(), "mode": settings.LEVI_MODE},
        )
        if answer:
            extra["checks"] = _checks_table(answer)
        if request.headers.get("X-Levi-Fragment") == "1" and status == 400:
            status = 200  # half-typed is no mistake: the page's own script asks after every few keys
        return self.show(request, "panel/ticket.html", page, status=status, **extra)  # type: ignore[attr-defined]


def _lead(request: HttpRequest) -> Any:
    said = "Check shows what would happen and writes nothing. Place sends what was checked, once."
    if not request.user.has_perm("trading.start_algo"):
        return said
    split = cells.link(cells.page_url("algo", "ticket"), "an algo splits it")
    return format_html("{} Too much for one order: {}.", said, split)


def _initial(request: HttpRequest) -> dict[str, Any]:
    """A link may fill the ticket in ("sell this position"); it never checks or places."""
    proposed = {"quantity": plain(Decimal(settings.LEVI_CONFIG.live.order_size)), "side": Side.BUY}
    given = {name: request.GET[name] for name in FIELDS if request.GET.get(name)}
    return {**proposed, "symbol": (traded_symbols() or [""])[0], **given}


def _blame(form: TicketForm, error: LeviError) -> None:
    field = str(error.context.get("field", ""))
    form.add_error(field if field in form.fields else None, str(error))


def _tell(request: HttpRequest, answer: dict[str, Any], *, repeated: bool) -> None:
    if repeated:
        messages.info(request, "This order was placed already; nothing was sent a second time.")
    elif answer.get("decision") == "denied":
        messages.warning(request, "Denied: nothing was sent. The decision below says why.")
    else:
        messages.success(request, "Placed. The timeline below follows it.")


def _checks_table(answer: dict[str, Any]) -> Table:
    failed = sum(not check["passed"] for check in answer["checks"])
    words = (
        f"{failed} of {len(answer['checks'])} checks fail"
        if failed
        else f"All {len(answer['checks'])} checks pass"
    )
    return Table(words, ["Check", "Verdict", "#Observed", "#Limit", "Note"], check_rows(answer["checks"]))
