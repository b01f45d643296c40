"""Alert channels: added, changed and tried here. The address goes in and is never shown again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from unfold.decorators import display

from trading.domain.enums import Severity
from trading.domain.errors import LeviError
from trading.execution.alert_channels import change_channel, create_channel, test_channel
from trading.models import AlertChannel, AlertDelivery

from . import cells
from .acting import accept, actor_of, attempt, go, pass_on
from .alerts import channel_state, describe_deliveries
from .forms import PanelForm
from .page import Ask, Detail, Facts, Page, PanelAdmin, demand

MANAGE = "trading.change_alertchannel"
# A page that comes back with a mistake does not hold it either.
_SECRET = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})


class ChannelForm(PanelForm):
    """What a channel takes. Without an address the present one stays."""

    url = forms.CharField(
        label="New address",
        required=False,
        max_length=1000,
        widget=_SECRET,
        help_text="An Apprise address, such as jsons://host/path or tgram://token/chat. It is never shown again.",
    )
    min_severity = forms.ChoiceField(
        label="Takes", choices=[(one.value, f"{one.value} and worse") for one in Severity]
    )
    events = forms.CharField(
        required=False, max_length=600, help_text="Families or events, such as halt break.opened; none: all."
    )
    anchors = forms.BooleanField(
        label="Keeps anchors of the audit trail",
        required=False,
        help_text="One line an hour, for an auditor.",
    )
    is_enabled = forms.BooleanField(label="Enabled", required=False)


class NewChannelForm(ChannelForm):
    name = forms.CharField(max_length=40, help_text="Lower-case letters, digits, _ or -.")
    field_order = ("name", "url", "min_severity", "events", "anchors")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["is_enabled"]
        self.fields["url"].required, self.fields["url"].label = True, "Address"
        self.fields["min_severity"].initial = Severity.WARNING.value


@admin.register(AlertChannel)
class AlertChannelScreen(PanelAdmin):
    add_words = "Add a channel"
    empty_words = "Alerts go nowhere yet. Add a channel and send a test alert to it."
    list_display = ("name", "state_cell", "kind_cell", "severity_cell", "events_cell", "delivered_cell")
    list_display_links = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertChannel]:
        return super().get_queryset(request).defer("sealed_url")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trading.add_alertchannel")

    def pages(self) -> Sequence[Page]:
        return [
            ("add/", "add", self.create_view),
            ("<uuid:channel_id>/configure/", "configure", self.configure_view),
            ("<uuid:channel_id>/test/", "test", self.test_view),
        ]

    def describe(self, request: HttpRequest, row: AlertChannel) -> Detail:
        facts = Facts(
            "",
            [
                ("Kind", cells.mono(row.url_hint)),
                ("Takes", f"{row.min_severity} and worse"),
                ("Events", ", ".join(row.events) or "all"),
                ("Anchors", f"up to checkpoint {row.anchored_number}" if row.anchors else "no"),
                ("Last delivered", cells.when(row.delivered_at)),
                ("Failing since", cells.when(row.failing_since)),
                ("Failures in a row", row.failures),
                ("Last error", cells.text_or_nothing(row.last_error)),
            ],
            note="The address is stored encrypted and cannot be shown again.",
        )
        sent = describe_deliveries(AlertDelivery.objects.filter(channel=row))
        side = [_ask_test(row), _ask_change(row)] if request.user.has_perm(MANAGE) else []
        return Detail(title=row.name, badges=[channel_state(row)], sections=[facts, sent], side=side)

    def create_view(self, request: HttpRequest) -> HttpResponse:
        demand(request, "trading.add_alertchannel")
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        form = NewChannelForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                row = _create(form.cleaned_data, request)
            except LeviError as error:
                pass_on(error)
                field = str(error.context.get("field", ""))
                form.add_error(field if field in form.fields else None, str(error))
            else:
                messages.success(request, f"Channel {row.name} is added. A test is on its way to it.")
                return go("alertchannel", "change", row.pk)
        page = Detail(title="New alert channel", lead="Where people are told when they are not looking here.")
        status = 400 if request.method == "POST" else 200
        return self.show(
            request, "panel/form_page.html", page, status=status, form=form, button="Add the channel"
        )

    @method_decorator(require_POST)
    def configure_view(self, request: HttpRequest, channel_id: UUID) -> HttpResponse:
        demand(request, MANAGE)
        row, form = self.find_row(request, str(channel_id)), ChannelForm(request.POST)
        if accept(request, form) and attempt(request, lambda: _change(row, form.cleaned_data, request)):
            messages.success(request, f"{row.name} is changed.")
        return go("alertchannel", "change", channel_id)

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, channel_id: UUID) -> HttpResponse:
        demand(request, MANAGE)
        row = self.find_row(request, str(channel_id))
        if attempt(request, lambda: test_channel(row, actor=actor_of(request))):
            messages.success(request, "A test is on its way. Reload in a moment to see what came of it.")
        return go("alertchannel", "change", channel_id)

    @display(description="state")
    def state_cell(self, row: AlertChannel) -> Any:
        return channel_state(row)

    @display(description="kind")
    def kind_cell(self, row: AlertChannel) -> Any:
        return cells.mono(row.url_hint)

    @display(description="takes")
    def severity_cell(self, row: AlertChannel) -> Any:
        return cells.badge(row.min_severity)

    @display(description="events")
    def events_cell(self, row: AlertChannel) -> Any:
        return ", ".join(row.events) or "all"

    @display(description="last delivered")
    def delivered_cell(self, row: AlertChannel) -> Any:
        return cells.age(row.delivered_at)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _create(given: dict[str, Any], request: HttpRequest) -> AlertChannel:
    return create_channel(
        given["name"],
        given["url"],
        min_severity=Severity(given["min_severity"]),
        events=_words(given["events"]),
        anchors=given["anchors"],
        actor=actor_of(request),
    )


def _change(row: AlertChannel, given: dict[str, Any], request: HttpRequest) -> AlertChannel:
    return change_channel(
        row,
        url=given["url"],
        is_enabled=given["is_enabled"],
        min_severity=Severity(given["min_severity"]),
        events=_words(given["events"]),
        anchors=given["anchors"],
        actor=actor_of(request),
    )


def _ask_test(row: AlertChannel) -> Ask:
    url = cells.page_url("alertchannel", "test", row.pk)
    return Ask("Try it", url, "Send a test", None, "What came of it stands under Messages.", "main")


def _ask_change(row: AlertChannel) -> Ask:
    now = {name: getattr(row, name) for name in ("min_severity", "anchors", "is_enabled")}
    form = ChannelForm(initial={**now, "events": " ".join(row.events)})
    url = cells.page_url("alertchannel", "configure", row.pk)
    return Ask("Change", url, "Change the channel", form)
