"""How orders look in answers: a row of the list, and the whole story of one order.

The story needs a fixed number of queries, whatever the order went through.
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from trading.domain.money import divide, plain
from trading.models import AuditEntry, Decision, Fill, Order, OrderAttempt, OrderEvidence

from .fields import PlainNumber, RowSerializer, name_field

MOST = 500


class OrderRow(RowSerializer):
    account = name_field("account.name")
    symbol = name_field("instrument.symbol")
    strategy = name_field("strategy.name", default=None, allow_null=True)
    signal_id = serializers.UUIDField(read_only=True, allow_null=True)
    limits_version = serializers.IntegerField(source="limits_version_id", read_only=True, allow_null=True)
    limits_versions = serializers.ListField(
        child=serializers.IntegerField(), read_only=True, help_text="Every version that judged it."
    )
    average_price = serializers.SerializerMethodField(help_text="Of the booked fills.")
    algo_id = serializers.UUIDField(
        source="algo_child.algo_id", read_only=True, default=None, allow_null=True, help_text="Its parent."
    )
    algo_child = serializers.IntegerField(
        source="algo_child.number",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="Its number there.",
    )

    class Meta:
        model = Order
        fields = (
            "id",
            "client_order_id",
            "exchange_order_id",
            "account",
            "symbol",
            "strategy",
            "origin",
            "side",
            "order_type",
            "time_in_force",
            "quantity",
            "quote_quantity",
            "price",
            "reduce_only",
            "status",
            "status_reason",
            "cancel_state",
            "filled_quantity",
            "filled_notional",
            "average_price",
            "reference_price",
            "actor",
            "request_id",
            "signal_id",
            "algo_id",
            "algo_child",
            "limits_version",
            "limits_versions",
            "approved_epoch",
            "attempt",
            "created_at",
            "approved_at",
            "expires_at",
            "permit_at",
            "acknowledged_at",
            "doubt_since",
            "finished_at",
            "updated_at",
        )

    def get_average_price(self, order: Order) -> str | None:
        return plain(divide(order.filled_notional, order.filled_quantity)) if order.filled_quantity else None


class FillRow(RowSerializer):
    account = name_field("account.name")
    symbol = name_field("instrument.symbol")
    order_id = serializers.UUIDField(read_only=True)
    client_order_id = name_field("order.client_order_id")

    class Meta:
        model = Fill
        fields = (
            "id",
            "venue_fill_id",
            "order_id",
            "client_order_id",
            "account",
            "symbol",
            "side",
            "price",
            "quantity",
            "notional",
            "fee",
            "fee_asset",
            "is_maker",
            "realized_pnl",
            "filled_at",
            "booked_at",
        )


class DecisionRow(RowSerializer):
    order_id = serializers.UUIDField(read_only=True)
    client_order_id = name_field("order.client_order_id")
    account = name_field("order.account.name")
    symbol = name_field("order.instrument.symbol")
    decision = serializers.SerializerMethodField()
    codes = serializers.ListField(child=serializers.CharField(), read_only=True)
    checks = serializers.ListField(child=serializers.DictField(), read_only=True)
    facts = serializers.DictField(read_only=True)
    limits_version = serializers.IntegerField(source="limits_version_id", read_only=True, allow_null=True)

    class Meta:
        model = Decision
        fields = (
            "id",
            "order_id",
            "client_order_id",
            "account",
            "symbol",
            "at",
            "decision",
            "codes",
            "checks",
            "facts",
            "limits_version",
            "epoch",
        )

    def get_decision(self, row: Decision) -> str:
        return "approved" if row.allowed else "denied"


class TimelineEvent(serializers.Serializer[Any]):
    """One thing that happened to the order."""

    at = serializers.DateTimeField()
    source = serializers.CharField(help_text="audit, attempt or evidence.")  # type: ignore[assignment]
    kind = serializers.CharField()
    actor = serializers.CharField(allow_null=True)
    detail = serializers.DictField()


class OrderStory(OrderRow):
    exposure_quantity = PlainNumber()
    venue_filled_quantity = PlainNumber()
    decision = DecisionRow(allow_null=True, read_only=True)
    fills = FillRow(source="shown_fills", many=True, read_only=True)
    events = TimelineEvent(many=True, read_only=True)
    is_cut = serializers.BooleanField(
        read_only=True, help_text=f"Fills or events beyond {MOST} are left out."
    )

    class Meta(OrderRow.Meta):
        fields = (  # type: ignore[assignment]
            *OrderRow.Meta.fields,
            "exposure_quantity",
            "venue_filled_quantity",
            "window_ms",
            "next_action_at",
            "decision",
            "fills",
            "events",
            "is_cut",
        )


def _attempt_events(attempt: OrderAttempt) -> list[dict[str, Any]]:
    about = {"attempt": attempt.number, "process": attempt.process, "build": attempt.build}
    events = [{"at": attempt.permit_at, "kind": "permitted", "detail": about}]
    if attempt.sent_at:
        events.append(
            {"at": attempt.sent_at, "kind": "sent", "detail": {**about, "request": attempt.request}}
        )
    if attempt.finished_at:
        came_back = {
            "outcome": attempt.outcome,
            "http_status": attempt.http_status,
            "venue_code": attempt.venue_code,
            "detail": attempt.detail,
            "answer": attempt.answer,
        }
        events.append({"at": attempt.finished_at, "kind": "answered", "detail": {**about, **came_back}})
    return [{"source": "attempt", "actor": None, **event} for event in events]


def _evidence_event(evidence: OrderEvidence) -> dict[str, Any]:
    detail = {"source": evidence.source, **evidence.detail}
    return {"at": evidence.at, "source": "evidence", "kind": evidence.kind, "actor": None, "detail": detail}


def _audit_event(entry: AuditEntry) -> dict[str, Any]:
    detail = {"audit_id": entry.pk, "request_id": entry.request_id, **entry.data}
    return {"at": entry.at, "source": "audit", "kind": entry.kind, "actor": entry.actor, "detail": detail}


def _timeline(order: Order) -> tuple[list[dict[str, Any]], bool]:
    """Attempts, evidence and audit entries, oldest first, and whether there are more than are shown."""
    trail = AuditEntry.objects.filter(object_type="order", object_id=str(order.pk)).order_by("id")
    entries = list(trail[:MOST])
    attempts = list(order.attempts.order_by("number")[:MOST])
    looks = list(order.evidence.order_by("at", "id")[:MOST])
    events = [
        *(_audit_event(entry) for entry in entries),
        *(event for attempt in attempts for event in _attempt_events(attempt)),
        *(_evidence_event(look) for look in looks),
    ]
    is_cut = MOST in (len(entries), len(attempts), len(looks))
    return sorted(events, key=lambda event: event["at"]), is_cut


def tell_story(order: Order) -> dict[str, Any]:
    """Four queries: fills, attempts, evidence, audit."""
    fills = order.fills.select_related("account", "instrument", "order").order_by("filled_at", "id")
    story: Any = order
    story.shown_fills = list(fills[:MOST])
    story.events, is_cut = _timeline(order)
    story.is_cut = is_cut or len(story.shown_fills) == MOST
    return dict(OrderStory(story).data)
