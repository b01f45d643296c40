"""Algos: parents that split a quantity into child orders by a plan, and which orders those are.

The plan stands in the row before the first child is made. A child is an ordinary order; the row that ties it to its
parent is written in the same transaction, once per number, and never changes.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from trading.domain.algo_states import LIVING
from trading.domain.enums import AlgoKind, AlgoState, Side

from .accounts import ExchangeAccount
from .columns import choices, exact_field, new_id, one_of
from .instruments import Instrument
from .orders import Order
from .strategies import Strategy


class Algo(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=choices(AlgoKind))
    account = models.ForeignKey(ExchangeAccount, models.PROTECT, related_name="algos")
    instrument = models.ForeignKey(Instrument, models.PROTECT, related_name="algos")
    strategy = models.ForeignKey(Strategy, models.PROTECT, null=True, related_name="algos")
    actor = models.CharField(max_length=150, help_text="Who or what asked for it.")
    request_id = models.CharField(max_length=64, blank=True)

    side = models.CharField(max_length=4, choices=choices(Side))
    quantity = exact_field(help_text="Base units, in whole lots.")
    price = exact_field(null=True, help_text="The worst that is accepted; an iceberg rests at it.")
    reduce_only = models.BooleanField(default=False)
    visible_quantity = exact_field(null=True, help_text="Of an iceberg: base units of one child.")
    plan = models.JSONField(default=list, help_text="Seconds of the algo's clock and cumulative quantity.")
    profile_source = models.CharField(
        max_length=200, blank=True, help_text="Where a VWAP's weights are from."
    )
    arrival_price = exact_field(null=True, help_text="The last price when it was started.")
    start_at = models.DateTimeField()
    duration_seconds = models.IntegerField(null=True, help_text="Empty: an iceberg without an end.")

    state = models.CharField(max_length=10, choices=choices(AlgoState))
    state_reason = models.CharField(max_length=300, blank=True)
    state_since = models.DateTimeField()
    waiting_for = models.CharField(
        max_length=300, blank=True, help_text="While it lives: why nothing happens now."
    )
    pauses = models.JSONField(
        default=list, help_text="From and to, of the pauses that are over: its clock stood."
    )
    epoch = models.BigIntegerField(help_text="The halt epoch it was started or resumed in.")
    forgiven = models.IntegerField(default=0, help_text="Children up to this number are not held against it.")
    checks = models.JSONField(default=list, help_text="What was asked before it was started.")
    codes = models.JSONField(default=list, help_text="The denial codes; empty when it was started.")

    source = models.CharField(max_length=160)
    key = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)
    body = models.JSONField()
    answer = models.JSONField(default=dict)

    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    next_action_at = models.DateTimeField(null=True, help_text="When it is looked at again.")

    class Meta:
        ordering = ["-created_at", "-id"]
        default_permissions = ("view",)
        permissions = [
            ("start_algo", "Can start and resume algos"),
            ("stop_algo", "Can pause and cancel algos"),
        ]
        constraints = [
            one_of("kind", AlgoKind, "algo_kind_known"),
            one_of("state", AlgoState, "algo_state_known"),
            one_of("side", Side, "algo_side_known"),
            models.UniqueConstraint(fields=["source", "key"], name="algo_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="algo_quantity_positive"),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gt=0), name="algo_price_positive"
            ),
            models.CheckConstraint(
                condition=~Q(kind="iceberg") | Q(price__isnull=False, visible_quantity__gt=0),
                name="algo_iceberg_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(kind="iceberg") | Q(duration_seconds__gt=0), name="algo_schedule_has_end"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="algo_by_time"),
            models.Index(
                fields=["next_action_at"], condition=Q(state__in=sorted(LIVING)), name="algo_to_advance"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.side} {self.instrument.symbol}"


class AlgoChild(models.Model):
    """Which order is which child. Append-only."""

    order = models.OneToOneField(Order, models.PROTECT, primary_key=True, related_name="algo_child")
    algo = models.ForeignKey(Algo, models.PROTECT, related_name="children")
    number = models.IntegerField(help_text="Counted from 1, without a gap.")
    slice = models.IntegerField(help_text="Of the plan, from 0; an iceberg's are all 0.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["algo", "number"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["algo", "number"], name="algo_child_once")]
