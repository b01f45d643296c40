"""The database's own guards: no code path, console or other program can make an impossible move or rewrite history."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from tests.models.rows import make_order, make_rows
from trading.domain.algo_states import ALGO_TRANSITIONS
from trading.domain.enums import OrderStatus
from trading.domain.order_states import TRANSITIONS
from trading.models import DailyReport, Order

guards = import_module("trading.migrations.0002_guards")
APPEND_ONLY = [*(table.removeprefix("trading_") for table in guards.APPEND_ONLY), "movement"]
NEVER_DELETED = [*(table.removeprefix("trading_") for table in guards.NO_DELETE), "dailyreport"]


def refused(sql: str, *values: object) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except DatabaseError:
        return True
    return False


def put_to(order: Order, status: str) -> None:
    """By the owner, with the guard switched off, as nobody else can."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks cannot be altered
        cursor.execute("ALTER TABLE trading_order DISABLE TRIGGER guard_order")
        cursor.execute("UPDATE trading_order SET status = %s WHERE id = %s", [status, order.pk])
        cursor.execute("ALTER TABLE trading_order ENABLE TRIGGER guard_order")


def test_the_database_allows_exactly_the_moves_of_the_table(db: None):
    order = make_order(permit_at=timezone.now(), attempt=1)
    wrong = []
    for before in OrderStatus:
        put_to(order, before)
        for after in OrderStatus:
            expected = after == before or after in TRANSITIONS[before]
            with transaction.atomic():
                allowed = not refused("UPDATE trading_order SET status = %s WHERE id = %s", after, order.pk)
                transaction.set_rollback(True)
            if allowed != expected:
                wrong.append((before.value, after.value, "allowed" if allowed else "refused"))
    assert wrong == []


def test_the_frozen_table_of_the_migration_is_the_domains(db: None):
    frozen = {before: set(afters.split()) for before, afters in guards.MOVES.items()}
    current = {before.value: {after.value for after in afters} for before, afters in TRANSITIONS.items()}
    assert frozen == {before: afters for before, afters in current.items() if afters}


def test_the_frozen_table_of_algos_is_the_domains():
    frozen = {
        before: set(afters.split())
        for before, afters in import_module("trading.migrations.0053_algo_guard").MOVES.items()
    }
    current = {before.value: {after.value for after in afters} for before, afters in ALGO_TRANSITIONS.items()}
    assert frozen == {before: afters for before, afters in current.items() if afters}


@pytest.mark.parametrize("status", list(OrderStatus))
def test_our_orders_begin_before_their_permit(db: None, status):
    may_begin = status in ("proposed", "denied", "awaiting_approval", "approved")
    more = {"permit_at": timezone.now(), "attempt": 1}
    if may_begin:
        assert make_order(status=status, **more).pk
    else:
        with pytest.raises(IntegrityError, match="cannot begin"), transaction.atomic():
            make_order(status=status, **more)
    assert make_order(status=status, origin="external", client_order_id="x", **more).pk


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("client_order_id", "'another'"),
        ("attempt", "0"),
        ("filled_quantity", "1"),
        ("venue_filled_quantity", "1"),
    ],
)
def test_names_attempts_and_filled_quantities_never_go_back(db: None, column, value):
    order = make_order(attempt=3, filled_quantity=2, venue_filled_quantity=2)
    assert refused(f"UPDATE trading_order SET {column} = {value} WHERE id = %s", order.pk)


# What is derived of a fill follows a late one: there only a change of what the venue said is refused.
CHANGES = {"fill": "quantity = quantity + 1"}


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_history_can_be_neither_changed_nor_deleted_nor_emptied(db: None, table):
    make_rows()
    name = f"trading_{table}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {name}")
        assert cursor.fetchone()[0], f"no row in {name} to protect"
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s LIMIT 1", [name]
        )
        column = cursor.fetchone()[0]
    change = CHANGES.get(table, f"{column} = {column}")
    assert refused(f"UPDATE {name} SET {change}")
    assert refused(f"DELETE FROM {name}")
    assert refused(f"TRUNCATE {name} CASCADE")
    # Not even a session that skips ordinary triggers.
    assert refused(f"SET LOCAL session_replication_role = replica; DELETE FROM {name}")


@pytest.mark.parametrize("table", NEVER_DELETED)
def test_what_changes_along_its_life_never_disappears(db: None, table):
    make_rows()
    name = f"trading_{table}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {name}")
        assert cursor.fetchone()[0], f"no row in {name} to protect"
    assert refused(f"SET LOCAL session_replication_role = replica; DELETE FROM {name}")
    assert refused(f"TRUNCATE {name} CASCADE")


def test_every_history_of_an_order_is_guarded(db: None):
    """A new table of history must be added to the guards on purpose."""
    protected = {*APPEND_ONLY, *NEVER_DELETED}
    histories = {"auditentry", "haltchange", "limitsversion", "decision", "orderevidence", "fill", "order"}
    assert histories | {"orderattempt", "signal", "sweep", "break"} <= protected


def test_a_signed_report_is_kept_as_it_is(db: None):
    now = timezone.now()
    row = DailyReport.objects.create(day=now.date(), created_at=now, content={"a": 1}, digest="d")
    DailyReport.objects.filter(pk=row.pk).update(content={"a": 2})
    DailyReport.objects.filter(pk=row.pk).update(signed_by="anna", signed_at=now)
    assert refused("UPDATE trading_dailyreport SET note = 'x'")
    assert DailyReport.objects.get().content == {"a": 2}
