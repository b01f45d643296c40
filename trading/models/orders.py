"""Orders, their decisions, attempts and evidence: the outbox and the memory of everything sent.

An order row is the durable intent. It is written before any byte leaves and its status moves only along
`domain.order_states.TRANSITIONS`, which a trigger enforces here too. Attempts and evidence are append-only history.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from trading.domain.enums import CancelState, OrderOrigin, OrderStatus, OrderType, Side, TimeInForce
from trading.domain.money import ZERO
from trading.domain.order_states import AT_RISK

from .accounts import ExchangeAccount
from .columns import choices, exact_field, new_id, one_of
from .instruments import Instrument
from .limits import LimitsVersion
from .signals import Signal
from .strategies import Strategy


class Order(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="orders")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="orders")
    strategy = models.ForeignKey(Strategy, models.PROTECT, null=True, blank=True, related_name="orders")
    signal = models.OneToOneField(Signal, models.PROTECT, null=True, blank=True, related_name="order")
    origin = models.CharField(max_length=20, choices=choices(OrderOrigin))
    actor = models.CharField(max_length=150, help_text="Who or what asked for it.")
    request_id = models.CharField(max_length=64, blank=True)

    side = models.CharField(max_length=4, choices=choices(Side))
    order_type = models.CharField(max_length=20, choices=choices(OrderType))
    time_in_force = models.CharField(max_length=3, choices=choices(TimeInForce), default=TimeInForce.GTC)
    quantity = exact_field(
        null=True, blank=True, help_text="Base units; empty for a market order by quote quantity."
    )
    quote_quantity = exact_field(null=True, blank=True)
    price = exact_field(null=True, blank=True)
    reduce_only = models.BooleanField(default=False)
    exposure_quantity = exact_field(
        help_text="Base units that count as exposure: the quantity, or its estimate."
    )
    reference_price = exact_field(null=True, help_text="The last price the decision saw.")

    client_order_id = models.CharField(max_length=36)
    exchange_order_id = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=20, choices=choices(OrderStatus))
    status_reason = models.CharField(max_length=300, blank=True)
    cancel_state = models.CharField(max_length=20, choices=choices(CancelState), default=CancelState.NONE)

    filled_quantity = exact_field(default=ZERO, help_text="Sum of the booked fills.")
    filled_notional = exact_field(default=ZERO)
    venue_filled_quantity = exact_field(default=ZERO, help_text="The most the venue ever reported as filled.")

    limits_version = models.ForeignKey(
        LimitsVersion, models.PROTECT, null=True, blank=True, help_text="The limits for everything."
    )
    limits_versions = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="Every version that judged it, of all scopes, in ascending order.",
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_epoch = models.BigIntegerField(null=True, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Not sent after this; the intent lapses."
    )
    attempt = models.IntegerField(default=0, help_text="The fencing token of the permit.")
    not_sent_count = models.IntegerField(default=0)
    permit_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    next_action_at = models.DateTimeField(
        null=True, blank=True, help_text="When the follower or resolver looks again."
    )
    window_ms = models.IntegerField(default=2000, help_text="The request window the permit was signed with.")

    doubt_since = models.DateTimeField(null=True, blank=True)
    not_found_at = models.JSONField(default=list, blank=True)
    open_orders_clear_at = models.DateTimeField(null=True, blank=True)
    fills_clear_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("place_order", "Can place orders"),
            ("cancel_order", "Can cancel orders"),
            ("resolve_order", "Can resolve quarantined orders"),
        ]
        constraints = [
            one_of("status", OrderStatus, "order_status_known"),
            one_of("side", Side, "order_side_known"),
            one_of("order_type", OrderType, "order_type_known"),
            one_of("time_in_force", TimeInForce, "order_tif_known"),
            one_of("origin", OrderOrigin, "order_origin_known"),
            one_of("cancel_state", CancelState, "order_cancel_state_known"),
            models.UniqueConstraint(fields=["account", "client_order_id"], name="order_client_id_once"),
            models.UniqueConstraint(
                fields=["account", "exchange_order_id"],
                condition=~Q(exchange_order_id=""),
                name="order_exchange_id_once",
            ),
            models.CheckConstraint(
                # Comparing with NULL is unknown, which a check lets pass: both must be asked for by name.
                condition=Q(quantity__isnull=False, quantity__gt=0)
                | Q(quantity__isnull=True, quote_quantity__isnull=False, quote_quantity__gt=0),
                name="order_quantity_positive",
            ),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gt=0), name="order_price_positive"
            ),
            models.CheckConstraint(
                condition=Q(order_type="MARKET") | Q(price__isnull=False), name="order_limit_has_price"
            ),
            # No permit without its instant, and no approval without epoch, limits and expiry.
            models.CheckConstraint(
                condition=~Q(status__in=["submitting", "in_doubt", "quarantined"])
                | Q(permit_at__isnull=False, attempt__gt=0),
                name="order_sent_has_permit",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved")
                | Q(approved_epoch__isnull=False, limits_version__isnull=False, expires_at__isnull=False),
                name="order_approved_is_complete",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="order_by_time"),
            models.Index(fields=["account", "-created_at"], name="order_by_account"),
            models.Index(fields=["instrument", "-created_at"], name="order_by_instrument"),
            models.Index(fields=["strategy", "-created_at"], name="order_by_strategy"),
            models.Index(fields=["status", "-created_at"], name="order_by_status"),
            models.Index(fields=["client_order_id"], name="order_by_client_id"),
            models.Index(fields=["exchange_order_id"], name="order_by_exchange_id"),
            models.Index(
                fields=["account", "instrument"],
                condition=Q(status__in=sorted(AT_RISK)),
                name="order_at_risk",
            ),
            models.Index(fields=["created_at"], condition=Q(status="approved"), name="order_to_send"),
            models.Index(
                fields=["next_action_at"], condition=Q(next_action_at__isnull=False), name="order_to_follow"
            ),
        ]

    def __str__(self) -> str:
        return self.client_order_id


class Decision(models.Model):
    """Why an order was allowed or denied: every check with what it saw. Append-only."""

    order = models.OneToOneField(Order, models.PROTECT, related_name="decision")
    at = models.DateTimeField()
    allowed = models.BooleanField()
    codes = models.JSONField(default=list, help_text="The denial codes; empty when allowed.")
    checks = models.JSONField(default=list)
    facts = models.JSONField(default=dict)
    limits_version = models.ForeignKey(LimitsVersion, models.PROTECT, null=True)
    epoch = models.BigIntegerField()

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["-at"], name="decision_by_time")]


class OrderAttempt(models.Model):
    """One permit and what came of it. `outcome` is empty while the request is under way."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="attempts")
    number = models.IntegerField()
    process = models.CharField(max_length=80)
    build = models.CharField(max_length=40)
    permit_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)
    http_status = models.IntegerField(null=True)
    venue_code = models.CharField(max_length=60, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    request = models.TextField(blank=True, help_text="Redacted.")
    answer = models.TextField(blank=True, help_text="Redacted, at most 64 KiB.")

    class Meta:
        ordering = ["order", "number"]
        constraints = [models.UniqueConstraint(fields=["order", "number"], name="attempt_number_once")]


class OrderEvidence(models.Model):
    """One look at an order at the venue, or one operator's word. Append-only."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="evidence")
    at = models.DateTimeField()
    source = models.CharField(
        max_length=20, help_text="placement, query, open_orders, fills, cancel or operator."
    )
    kind = models.CharField(max_length=30)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["order", "at"], name="evidence_by_order")]
