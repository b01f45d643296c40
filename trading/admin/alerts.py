"""Alerts: what waits for a person first, one button to say it was seen, and what became of every message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from trading.domain.enums import Severity
from trading.execution.alerting import acknowledge_alert
from trading.models import Alert, AlertChannel, AlertDelivery
from trading.queries.alerts import last_delivery_failure, list_alerts

from . import cells
from .acting import actor_of, attempt, go
from .page import Ask, Detail, Facts, Page, PanelAdmin, Table, demand

MAY = "trading.acknowledge_alert"
MOST_WAITING, MOST_SEEN = 50, 100


def severity_badge(row: Alert) -> Any:
    return cells.badge(row.severity)


@admin.register(Alert)
class AlertScreen(PanelAdmin):
    def pages(self) -> Sequence[Page]:
        return [("<uuid:alert_id>/acknowledge/", "acknowledge", self.acknowledge_view)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied("Your roles do not let you look at alerts.")
        alerts = list_alerts()
        page = Detail(
            title="Alerts",
            lead="A critical alert is told again, to every channel, until somebody acknowledges it.",
            extra={
                "waiting": _worst_first(alerts.filter(acknowledged_at__isnull=True)),
                "seen": describe_seen(alerts.filter(acknowledged_at__isnull=False)[:MOST_SEEN]),
                "channels": describe_channels(may_add=request.user.has_perm("trading.add_alertchannel")),
                "failure": last_delivery_failure(),
                "may_acknowledge": request.user.has_perm(MAY),
            },
        )
        return self.show(request, "panel/alerts.html", page)

    def describe(self, request: HttpRequest, row: Alert) -> Detail:
        facts = Facts(
            "",
            [
                ("Said", row.text or cells.NOTHING),
                *([("About", about)] if (about := link_to_subject(row)) else []),
                ("When", cells.when(row.at)),
                ("Event", cells.mono(row.event)),
                (
                    "Repeated",
                    f"{row.repeat_count} times, last {row.last_at:%H:%M:%S} UTC" if row.last_at else "no",
                ),
                ("Told again", f"{row.escalations} times"),
                ("Acknowledged", cells.when(row.acknowledged_at)),
                ("By", cells.text_or_nothing(row.acknowledged_by)),
            ],
        )
        may = row.acknowledged_at is None and request.user.has_perm(MAY)
        return Detail(
            title=row.subject,
            badges=[severity_badge(row)],
            sections=[facts, describe_deliveries(AlertDelivery.objects.filter(alert=row))],
            side=[_ask(row)] if may else [],
        )

    @method_decorator(require_POST)
    def acknowledge_view(self, request: HttpRequest, alert_id: UUID) -> HttpResponse:
        demand(request, MAY)
        row = attempt(request, lambda: acknowledge_alert(alert_id, actor=actor_of(request)))
        if row is not None:
            messages.success(request, f"Acknowledged: {row.subject}.")
        return go("alert")


def link_to_subject(row: Alert) -> Any:
    """To the algo that it tells of; empty for what has no page of its own."""
    kind, _, key = row.dedupe_key.partition("|")[0].partition(" ")
    return cells.row_link("algo", key, "Open the algo") if kind == "algo" else ""


def _worst_first(rows: Any) -> list[tuple[Alert, Any]]:
    """Of what waits, the newest, and of these the critical ones first; each with the way to what it tells of."""
    waiting = sorted(rows[:MOST_WAITING], key=lambda row: -Severity(row.severity).rank)
    return [(row, link_to_subject(row)) for row in waiting]


def _ask(row: Alert) -> Ask:
    why = "Says that you have seen it. It is not told again, and nothing else changes."
    return Ask(
        "Acknowledge", cells.page_url("alert", "acknowledge", row.pk), "I have seen it", None, why, "main"
    )


def describe_seen(rows: Any) -> Table:
    lines = [
        [
            cells.when(row.at),
            severity_badge(row),
            cells.row_link("alert", row.pk, row.subject),
            row.acknowledged_by,
            cells.age(row.acknowledged_at),
        ]
        for row in rows
    ]
    headers = ["Time", "Severity", "Alert", "Acknowledged by", "When"]
    return Table("Acknowledged", headers, lines, empty="Nothing was acknowledged yet.")


def describe_channels(*, may_add: bool) -> Table:
    lines = [
        [
            cells.row_link("alertchannel", row.pk, row.name),
            channel_state(row),
            cells.mono(row.url_hint),
            cells.badge(row.min_severity),
            ", ".join(row.events) or "all events",
            cells.age(row.delivered_at),
        ]
        for row in AlertChannel.objects.defer("sealed_url")
    ]
    headers = ["Channel", "State", "Kind", "From", "Events", "Last delivered"]
    empty = "No channel yet: alerts are only seen here."
    if may_add:
        note = cells.link(cells.page_url("alertchannel", "add"), "Add a channel")
    else:
        note = "" if lines else "Somebody with the role admin adds one."
    more = cells.page_url("alertchannel", "changelist")
    return Table("Channels", headers, lines, empty=empty, note=note, more_url=more)


def channel_state(row: AlertChannel) -> Any:
    if not row.is_enabled:
        return cells.badge("disabled")
    if row.failing_since is not None:
        return cells.badge("failing", "bad")
    return cells.badge("works", "good") if row.delivered_at else cells.badge("not tested yet", "warn")


def describe_deliveries(rows: Any) -> Table:
    lines = [
        [
            cells.when(row.created_at),
            cells.row_link("alertchannel", row.channel_id, row.channel.name),
            row.purpose,
            cells.badge(row.state),
            row.attempts,
            cells.text_or_nothing(row.error),
        ]
        for row in rows.select_related("channel").order_by("-created_at", "-id")[:30]
    ]
    headers = ["Time", "Channel", "Purpose", "State", "#Tries", "Last error"]
    return Table("Messages", headers, lines, empty="No channel takes it.")
