"""How algos look in answers: a row with its progress, and the whole of one with plan, children and both curves."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from trading.domain.enums import AlgoKind, Side
from trading.domain.money import divide, plain
from trading.models import Algo, AlgoChild
from trading.models.columns import choices
from trading.queries.algos import ends_at, read_children, read_curves, read_progress, thin

from .fields import AskedNumber, PlainNumber, RowSerializer, name_field
from .signals import AppliedLimits, CheckAnswer
from .told import Told, fields_of

MOST = 500


class AlgoBody(serializers.Serializer[Any]):
    """For the schema only: the verb reads the body itself, and is stricter than a schema can say."""

    source_id = serializers.CharField(required=False, help_text="Idempotency key, if the header is not sent.")
    kind = serializers.ChoiceField(choices=choices(AlgoKind))
    symbol = serializers.CharField(help_text="BASE/QUOTE, such as BTC/USDT.")
    side = serializers.ChoiceField(choices=choices(Side))
    quantity = AskedNumber(help_text="Base units, of all children together.")
    price = AskedNumber(required=False, help_text="The worst that is accepted; an iceberg rests at it.")
    duration_seconds = serializers.IntegerField(
        required=False, help_text="twap and vwap need it; an iceberg without it has no end."
    )
    slices = serializers.IntegerField(required=False, help_text="twap and vwap; left out: one a minute.")
    profile = serializers.ListField(
        child=AskedNumber(),
        required=False,
        help_text="vwap: one weight per slice; left out: from the venue's candles.",
    )
    visible_quantity = AskedNumber(required=False, help_text="iceberg: what one child shows.")
    start_at = serializers.DateTimeField(required=False, help_text="Left out: now.")
    reduce_only = serializers.BooleanField(required=False)
    account = serializers.CharField(required=False, help_text="Its name; left out: the default account.")
    strategy = serializers.CharField(required=False)


class AlgoCheck(CheckAnswer):
    of = serializers.CharField(help_text="child: one order of it; whole: all of it together.")


class PlannedSlice(serializers.Serializer[Any]):
    slice = serializers.IntegerField()
    at = serializers.DateTimeField()
    quantity = PlainNumber()
    target = PlainNumber(help_text="Of all slices so far.")


class AlgoPreview(serializers.Serializer[Any]):
    """What would be decided, or was."""

    decision = serializers.ChoiceField(choices=("started", "denied"))
    codes = serializers.ListField(
        child=serializers.CharField(), help_text="Denial codes; empty when started."
    )
    checks = AlgoCheck(many=True)
    kind = serializers.CharField()
    mode = serializers.CharField()
    account = serializers.CharField()
    symbol = serializers.CharField()
    side = serializers.CharField()
    order_type = serializers.CharField(help_text="Of the children.")
    time_in_force = serializers.CharField(help_text="Of the children.")
    quantity = PlainNumber(help_text="After rounding to the lot.")
    quote_quantity = PlainNumber(allow_null=True)
    price = PlainNumber(allow_null=True, help_text="After rounding to the tick.")
    asked_quantity = PlainNumber()
    asked_price = PlainNumber(allow_null=True)
    reduce_only = serializers.BooleanField()
    strategy = serializers.CharField(allow_null=True)
    largest_child = PlainNumber()
    visible_quantity = PlainNumber(allow_null=True)
    plan = PlannedSlice(many=True)
    profile_source = serializers.CharField(allow_null=True)
    arrival_price = PlainNumber(allow_null=True, help_text="The last price now.")
    notional = PlainNumber(allow_null=True)
    fee_estimate = PlainNumber(allow_null=True)
    quote_asset = serializers.CharField()
    start_at = serializers.DateTimeField()
    duration_seconds = serializers.IntegerField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    limits_version = serializers.IntegerField(allow_null=True)
    limits = AppliedLimits(many=True)
    epoch = serializers.IntegerField()


class AlgoStarted(AlgoPreview):
    algo_id = serializers.UUIDField()


TOLD = Told(
    order=fields_of(AlgoStarted),
    lists={
        "checks": fields_of(AlgoCheck),
        "limits": fields_of(AppliedLimits),
        "plan": fields_of(PlannedSlice),
    },
    times=("start_at", "ends_at", "at"),
)


class ProgressAnswer(serializers.Serializer[Any]):
    filled = PlainNumber()
    notional = PlainNumber()
    alive = PlainNumber(help_text="Ordered and not ended, in doubt included.")
    scheduled = PlainNumber(help_text="By now.")
    left = PlainNumber()
    behind = PlainNumber(help_text="Scheduled by now and neither filled nor alive.")
    average_price = PlainNumber(allow_null=True)
    slippage_bps = serializers.SerializerMethodField(
        help_text="How much worse than the price at the start, in basis points."
    )
    children = serializers.IntegerField()
    elapsed_seconds = serializers.SerializerMethodField(
        help_text="Of its own clock, which stands in a pause."
    )

    @extend_schema_field({"type": "string", "nullable": True})
    def get_slippage_bps(self, progress: Any) -> str | None:
        found = progress.slippage_bps
        return None if found is None else plain(round(found, 2))

    def get_elapsed_seconds(self, progress: Any) -> str:
        return plain(round(progress.elapsed_seconds, 3))


class AlgoRow(RowSerializer):
    account = name_field("account.name")
    symbol = name_field("instrument.symbol")
    strategy = name_field("strategy.name", default=None, allow_null=True)
    codes = serializers.ListField(child=serializers.CharField(), read_only=True)
    ends_at = serializers.SerializerMethodField(help_text="As things stand; null without an end.")
    progress = ProgressAnswer(read_only=True)

    class Meta:
        model = Algo
        fields = (
            *("id", "kind", "account", "symbol", "strategy", "side", "quantity", "price", "reduce_only"),
            *("visible_quantity", "arrival_price", "profile_source", "state", "state_reason", "state_since"),
            *("waiting_for", "codes", "start_at", "duration_seconds", "ends_at", "progress"),
            *("actor", "source", "key", "request_id", "epoch", "created_at", "finished_at"),
        )

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_ends_at(self, algo: Algo) -> Any:
        end = None if algo.finished_at else ends_at(algo, timezone.now())
        return serializers.DateTimeField().to_representation(end) if end else None


class ChildRow(serializers.ModelSerializer[Any]):
    order_id = serializers.UUIDField(read_only=True)
    client_order_id = name_field("order.client_order_id")
    status = name_field("order.status")
    status_reason = name_field("order.status_reason")
    quantity = PlainNumber(source="order.quantity")
    filled_quantity = PlainNumber(source="order.filled_quantity")
    average_price = serializers.SerializerMethodField()
    finished_at = serializers.DateTimeField(source="order.finished_at", read_only=True, allow_null=True)

    class Meta:
        model = AlgoChild
        fields = (
            *("number", "slice", "order_id", "client_order_id", "status", "status_reason", "quantity"),
            *("filled_quantity", "average_price", "at", "finished_at"),
        )

    def get_average_price(self, child: AlgoChild) -> str | None:
        order = child.order
        return plain(divide(order.filled_notional, order.filled_quantity)) if order.filled_quantity else None


class AlgoPoint(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    quantity = PlainNumber(help_text="Cumulative base units.")


class AlgoStory(AlgoRow):
    plan = serializers.SerializerMethodField(help_text="As it was made at the start.")
    checks = serializers.SerializerMethodField(help_text="What was asked before it was started.")
    children = ChildRow(source="shown_children", many=True, read_only=True)
    is_cut = serializers.BooleanField(
        read_only=True,
        help_text=f"Of more than {MOST} children the last are shown; ?algo= of orders has all.",
    )
    schedule = AlgoPoint(many=True, read_only=True, help_text="The plan as its pauses have moved it.")
    achieved = AlgoPoint(many=True, read_only=True, help_text=f"By its fills; at most {MOST} of them.")

    class Meta(AlgoRow.Meta):
        fields = (  # type: ignore[assignment]
            *AlgoRow.Meta.fields,
            *("plan", "checks", "children", "is_cut", "schedule", "achieved"),
        )

    @extend_schema_field(PlannedSlice(many=True))
    def get_plan(self, algo: Algo) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = TOLD.tell({"plan": algo.answer.get("plan", ())})["plan"]
        return told

    @extend_schema_field(AlgoCheck(many=True))
    def get_checks(self, algo: Algo) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = TOLD.tell({"checks": algo.checks})["checks"]
        return told


def add_progress(rows: list[Algo]) -> list[Algo]:
    """One query for all of them."""
    found = read_progress(rows, timezone.now())
    for row in rows:
        row.progress = found[row.pk]  # type: ignore[attr-defined]
    return rows


def tell_algo(algo: Algo) -> dict[str, Any]:
    """Three queries: progress, children, fills."""
    story: Any = add_progress([algo])[0]
    story.shown_children = list(read_children(algo).reverse()[:MOST])[::-1]
    story.is_cut = story.progress.children > MOST
    curves = read_curves(algo)
    story.schedule = [{"at": at, "quantity": quantity} for at, quantity in curves.schedule]
    story.achieved = [{"at": at, "quantity": quantity} for at, quantity in thin(curves.achieved, MOST)]
    return dict(AlgoStory(story).data)
