"""What syncs found: each run, and every difference between the venue and our books."""

from __future__ import annotations

import django_filters
from rest_framework import serializers

from trading.models import Break, BreakKind, BreakState, SyncRun

from .endpoint import ListEndpoint
from .fields import RowSerializer, name_field
from .filters import RowFilter, account_filter, since_filter, until_filter, words_filter


class SyncRunRow(RowSerializer):
    account = name_field("account.name")

    class Meta:
        model = SyncRun
        fields = (
            "id",
            "account",
            "trigger",
            "started_at",
            "finished_at",
            "is_complete",
            "error",
            "fills_booked",
            "orders_updated",
            "breaks_open",
        )


class SyncRunFilter(RowFilter):
    account = account_filter()
    is_complete = django_filters.BooleanFilter()
    started_after = since_filter("started_at")
    started_before = until_filter("started_at")

    class Meta:
        model = SyncRun
        fields: tuple[str, ...] = ()


class ReconciliationsView(ListEndpoint):
    """Portfolio syncs, the newest first."""

    needs = {"GET": "trading.view_syncrun"}
    queryset = SyncRun.objects.select_related("account")
    serializer_class = SyncRunRow
    filterset_class = SyncRunFilter
    keyset = ("-started_at", "-id")


class BreakRow(RowSerializer):
    account = name_field("account.name")
    detail = serializers.DictField(read_only=True)

    class Meta:
        model = Break
        fields = (
            "id",
            "account",
            "kind",
            "subject",
            "ours",
            "theirs",
            "detail",
            "state",
            "owner",
            "since",
            "last_seen_at",
            "resolved_at",
            "seen_count",
        )


class BreakFilter(RowFilter):
    account = account_filter()
    kind = words_filter("kind", BreakKind.choices)
    state = words_filter("state", BreakState.choices)
    subject = django_filters.CharFilter()
    since_after = since_filter("since")
    since_before = until_filter("since")

    class Meta:
        model = Break
        fields: tuple[str, ...] = ()


class BreaksView(ListEndpoint):
    """Differences between the venue and our books."""

    needs = {"GET": "trading.view_break"}
    queryset = Break.objects.select_related("account")
    serializer_class = BreakRow
    filterset_class = BreakFilter
    keyset = ("-since", "-id")
