"""Constraints: what must hold is refused by the database, whoever writes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.models.rows import fill_fields, make_account, make_instrument, make_order
from trading.models import (
    AuditEntry,
    Break,
    ControlEpoch,
    ExchangeAccount,
    Fill,
    HaltState,
    Instrument,
    JobSlot,
    Order,
    OrderAttempt,
    Position,
    Signal,
)


def refuse(name: str):
    return pytest.raises(IntegrityError, match=name)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"status": "maybe"}, "order_status_known|cannot begin"),
        ({"side": "buy"}, "order_side_known"),
        ({"order_type": "STOP"}, "order_type_known"),
        ({"time_in_force": "GTD"}, "order_tif_known"),
        ({"origin": "magic"}, "order_origin_known"),
        ({"cancel_state": "perhaps"}, "order_cancel_state_known"),
        ({"quantity": Decimal(0)}, "order_quantity_positive"),
        ({"quantity": Decimal(-1)}, "order_quantity_positive"),
        ({"quantity": None}, "order_quantity_positive"),
        ({"price": Decimal(0)}, "order_price_positive"),
        ({"price": None}, "order_limit_has_price"),
        ({"approved_epoch": None}, "order_approved_is_complete"),
        ({"limits_version": None}, "order_approved_is_complete"),
        ({"expires_at": None}, "order_approved_is_complete"),
    ],
)
def test_an_order_row_that_makes_no_sense_is_refused(db: None, changes, constraint):
    with refuse(constraint), transaction.atomic():
        make_order(**changes)
    assert not Order.objects.exists()


@pytest.mark.parametrize("status", ["submitting", "in_doubt", "quarantined"])
def test_nothing_is_on_its_way_without_a_permit(db: None, status):
    with refuse("order_sent_has_permit"), transaction.atomic():
        make_order(status=status, origin="orphan")
    assert make_order(status=status, origin="orphan", attempt=1, permit_at=timezone.now()).pk


def test_the_ids_of_an_order_are_unique_on_its_account_only(db: None):
    make_order(client_order_id="one", exchange_order_id="x")
    with refuse("order_client_id_once"), transaction.atomic():
        make_order(client_order_id="one")
    with refuse("order_exchange_id_once"), transaction.atomic():
        make_order(exchange_order_id="x")
    make_order(), make_order()  # many orders have no exchange order id yet
    make_order(client_order_id="one", exchange_order_id="x", account=make_account("other"))


def test_a_fill_is_unique_on_its_account(db: None):
    order = make_order()
    Fill.objects.create(**fill_fields(order))
    with refuse("fill_once"), transaction.atomic():
        Fill.objects.create(**fill_fields(order, quantity=Decimal(1)))
    Fill.objects.create(**fill_fields(make_order(account=make_account("other"))))


@pytest.mark.parametrize(
    "changes", [{"quantity": Decimal(0)}, {"price": Decimal(0)}, {"quantity": Decimal(-1)}, {"side": "HOLD"}]
)
def test_a_fill_moves_something_in_a_direction(db: None, changes):
    with refuse("fill_positive|fill_side_known"), transaction.atomic():
        Fill.objects.create(**fill_fields(make_order(), **changes))


def test_there_is_one_epoch(db: None):
    with refuse("epoch_single_row"), transaction.atomic():
        ControlEpoch.objects.create(id=2, raised_at=timezone.now())


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"scope": "everything", "target": "paper", "state": "active"}, "halt_target_named"),
        ({"scope": "account", "target": "", "state": "active"}, "halt_target_named"),
        ({"scope": "account", "target": "a", "state": "paused"}, "halt_state_known"),
        ({"scope": "planet", "target": "a", "state": "active"}, "halt_scope_known"),
        ({"scope": "everything", "target": "", "state": "active"}, "halt_state_once"),
    ],
)
def test_a_halt_state_is_clear_about_what_it_holds(db: None, fields, constraint):
    with refuse(constraint), transaction.atomic():
        HaltState.objects.create(since=timezone.now(), **fields)


def test_play_money_and_real_money_never_share_an_account(db: None):
    for mode, environment, constraint in (
        ("paper", "live", "account_paper_is_simulated"),
        ("production", "simulated", "account_production_is_live"),
    ):
        with refuse(constraint), transaction.atomic():
            make_account(f"{mode}-{environment}", mode=mode, environment=environment)


def test_one_account_is_the_default(db: None):
    make_account("one", is_default=True)
    with refuse("account_one_default"), transaction.atomic():
        make_account("two", is_default=True)
    assert ExchangeAccount.objects.count() == 1


def test_one_row_for_one_thing(db: None):
    now, order = timezone.now(), make_order()
    account, instrument = make_account(), make_instrument()
    twice = [
        (Signal, "signal_once_per_key", {"source": "s", "key": "k", "body": {}, "received_at": now}),
        (Position, "position_once", {"account": account, "instrument": instrument, "updated_at": now}),
        (JobSlot, "job_slot_once", {"job": "sync", "slot": 1, "claimed_at": now, "process": "p"}),
        (
            OrderAttempt,
            "attempt_number_once",
            {"order": order, "number": 1, "process": "p", "build": "b", "permit_at": now},
        ),
        (
            Break,
            "break_open_once",
            {"account": account, "kind": "balance", "subject": "USDT", "since": now, "last_seen_at": now},
        ),
        (
            AuditEntry,
            "audit_sequence_once",
            {"stream": order.pk, "sequence": 1, "at": now, "kind": "k", "actor": "a", "hash": "h"},
        ),
    ]
    for model, constraint, fields in twice:
        model.objects.create(**fields)
        with refuse(constraint), transaction.atomic():
            model.objects.create(**fields)


def test_a_resolved_break_makes_room_for_a_new_one(db: None):
    now = timezone.now()
    fields = {
        "account": make_account(),
        "kind": "balance",
        "subject": "USDT",
        "since": now,
        "last_seen_at": now,
    }
    Break.objects.create(state="resolved", **fields)
    Break.objects.create(state="resolved", **fields)
    assert Break.objects.create(**fields).state == "open"


@pytest.mark.parametrize("step", ["tick_size", "lot_size"])
def test_an_instruments_grid_is_positive(db: None, step):
    with refuse("instrument_steps_positive"), transaction.atomic():
        make_instrument(**{step: Decimal(0)})
    assert not Instrument.objects.exists()


def test_columns_hold_any_coin_exactly(db: None):
    tiny, huge = Decimal("0.000000000000000001"), Decimal("99999999999999999999.999999999999999999")
    order = make_order(quantity=huge, price=tiny)
    order.refresh_from_db()
    assert (order.quantity, order.price) == (huge, tiny)
