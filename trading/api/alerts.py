"""Alerts and the channels they leave by. The address of a channel comes in and is never part of an answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import Severity
from trading.execution.alert_channels import change_channel, create_channel, test_channel
from trading.execution.alerting import acknowledge_alert
from trading.models import Alert, AlertChannel, AlertDelivery
from trading.models.columns import choices

from .checked import StrictSerializer, check_body
from .endpoint import Endpoint, ListEndpoint
from .errors import NotFound
from .fields import RowSerializer
from .filters import RowFilter, since_filter, until_filter, words_filter

CHANNEL_NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="The channel's name.")
MAX_EVENTS = 30


class AlertRow(RowSerializer):
    class Meta:
        model = Alert
        fields = (
            *("id", "event", "severity", "subject", "text", "at", "repeat_count", "last_at", "escalations"),
            *("acknowledged_at", "acknowledged_by"),
        )


class AlertFilter(RowFilter):
    severity = words_filter("severity", choices(Severity))
    event = django_filters.CharFilter(help_text="Such as halt.engaged.")
    acknowledged = django_filters.BooleanFilter(
        field_name="acknowledged_at", lookup_expr="isnull", exclude=True
    )
    at_after = since_filter("at")
    at_before = until_filter("at")

    class Meta:
        model = Alert
        fields: tuple[str, ...] = ()


class AlertsView(ListEndpoint):
    """What people were told, the newest first; a repeat is counted on the first, not listed."""

    needs = {"GET": "trading.view_alert"}
    queryset = Alert.objects.filter(repeat_of__isnull=True)
    serializer_class = AlertRow
    filterset_class = AlertFilter
    keyset = ("-at", "-id")


class AcknowledgeBody(StrictSerializer):
    """Empty: the address says which."""


class AlertAcknowledgeView(Endpoint):
    needs = {"POST": "trading.acknowledge_alert"}

    @extend_schema(
        operation_id="alerts_acknowledge",
        summary="Say that somebody has seen it; it is not escalated any more",
        request=AcknowledgeBody,
        responses=AlertRow,
    )
    def post(self, request: Request, name: str) -> Response:
        check_body(AcknowledgeBody, request)
        try:
            alert_id = UUID(name)
        except ValueError:
            raise NotFound(f"{name[:60]!r} is no id of an alert.") from None
        return Response(AlertRow(acknowledge_alert(alert_id, actor=self.actor)).data)


class ChannelRow(RowSerializer):
    class Meta:
        model = AlertChannel
        fields = (
            *(
                "name",
                "url_hint",
                "is_enabled",
                "min_severity",
                "events",
                "anchors",
                "failures",
                "failing_since",
            ),
            *("last_error", "delivered_at", "created_at"),
        )


class ChannelFilter(RowFilter):
    is_enabled = django_filters.BooleanFilter()

    class Meta:
        model = AlertChannel
        fields: tuple[str, ...] = ()


class ChangeChannelBody(StrictSerializer):
    url = serializers.CharField(
        required=False, write_only=True, max_length=1000, help_text="An Apprise address; never shown again."
    )
    is_enabled = serializers.BooleanField(required=False)
    min_severity = serializers.ChoiceField(required=False, choices=choices(Severity))
    events = serializers.ListField(
        required=False,
        child=serializers.CharField(max_length=60),
        max_length=MAX_EVENTS,
        help_text="Families or events it takes, such as halt or break.opened; empty: all.",
    )
    anchors = serializers.BooleanField(
        required=False, help_text="Also the audit trail's anchors, one an hour."
    )


class CreateChannelBody(StrictSerializer):
    name = serializers.CharField(max_length=40, help_text="1 to 40 lower-case letters, digits, _ or -.")
    url = serializers.CharField(
        write_only=True, max_length=1000, help_text="An Apprise address; never shown again."
    )
    min_severity = serializers.ChoiceField(choices=choices(Severity), default=Severity.WARNING.value)
    events = serializers.ListField(
        required=False, child=serializers.CharField(max_length=60), max_length=MAX_EVENTS
    )
    anchors = serializers.BooleanField(default=False)


class ChannelsView(ListEndpoint):
    """The channels, without their addresses."""

    needs = {"GET": "trading.view_alertchannel", "POST": "trading.add_alertchannel"}
    queryset = AlertChannel.objects.defer("sealed_url")
    serializer_class = ChannelRow
    filterset_class = ChannelFilter
    keyset = ("name",)

    @extend_schema(
        operation_id="alert_channels_create",
        summary="Add a channel; it is tested at once",
        request=CreateChannelBody,
        responses={201: ChannelRow},
        filters=False,
    )
    def post(self, request: Request) -> Response:
        body = check_body(CreateChannelBody, request)
        channel = create_channel(
            body["name"],
            body["url"],
            min_severity=Severity(body["min_severity"]),
            events=body.get("events", ()),
            anchors=body["anchors"],
            actor=self.actor,
        )
        return Response(ChannelRow(channel).data, status=201)


def get_channel(name: str) -> AlertChannel:
    channel = AlertChannel.objects.filter(name=name).first()
    if channel is None:
        raise NotFound(f"There is no channel {name[:80]!r}.", remedy="GET /api/v1/alert-channels lists them.")
    return channel


class ChannelView(Endpoint):
    needs = {"GET": "trading.view_alertchannel", "PUT": "trading.change_alertchannel"}

    @extend_schema(
        operation_id="alert_channels_retrieve",
        summary="One channel",
        parameters=[CHANNEL_NAME],
        responses=ChannelRow,
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(ChannelRow(get_channel(name)).data)

    @extend_schema(
        operation_id="alert_channels_change",
        summary="Change a channel; what is left out stays",
        parameters=[CHANNEL_NAME],
        request=ChangeChannelBody,
        responses=ChannelRow,
    )
    def put(self, request: Request, name: str) -> Response:
        body = check_body(ChangeChannelBody, request)
        severity = body.get("min_severity")
        channel = change_channel(
            get_channel(name),
            url=body.get("url", ""),
            is_enabled=body.get("is_enabled"),
            min_severity=Severity(severity) if severity else None,
            events=body.get("events"),
            anchors=body.get("anchors"),
            actor=self.actor,
        )
        return Response(ChannelRow(channel).data)


class DeliveryRow(RowSerializer):
    class Meta:
        model = AlertDelivery
        fields = ("id", "purpose", "subject", "state", "attempts", "error", "created_at", "finished_at")


class ChannelTestBody(StrictSerializer):
    """Empty: the address says which."""


class ChannelTestView(Endpoint):
    needs: dict[str, Any] = {"POST": "trading.change_alertchannel"}

    @extend_schema(
        operation_id="alert_channels_test",
        summary="Send a test; the channel shows what came of it",
        parameters=[CHANNEL_NAME],
        request=ChannelTestBody,
        responses={202: DeliveryRow},
    )
    def post(self, request: Request, name: str) -> Response:
        check_body(ChannelTestBody, request)
        return Response(DeliveryRow(test_channel(get_channel(name), actor=self.actor)).data, status=202)
