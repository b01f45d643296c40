"""The reset between tests that commit: everything goes, what migrations made comes back, and no guard is weakened."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection, transaction

from tests.resetting import find_user_triggers, list_tables, reset_tables
from trading import audit
from trading.domain.actors import system_actor
from trading.models import AuditEntry, HaltState

pytestmark = pytest.mark.django_db(transaction=True)


def trigger_states() -> list[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        return sorted(find_user_triggers(cursor, list_tables(cursor)))


def leave_traces() -> None:
    with transaction.atomic():
        audit.record("test.happened", actor=system_actor("test"))
    User.objects.create_user("anna")
    Group.objects.get(name="risk").permissions.clear()
    HaltState.objects.update(reason="changed by a test")


def test_append_only_rows_go_and_seed_rows_come_back() -> None:
    leave_traces()
    reset_tables()
    assert not AuditEntry.objects.exists()
    assert not User.objects.exists()
    assert Group.objects.get(name="risk").permissions.exists()
    assert not HaltState.objects.filter(reason="changed by a test").exists()


def test_the_guards_stand_as_before() -> None:
    before = trigger_states()
    leave_traces()
    reset_tables()
    assert trigger_states() == before
    assert any(state == "A" for _table, _trigger, state in before), "the audit guards are ENABLE ALWAYS"
    leave_traces()
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.all().delete()


def test_the_audit_trail_may_start_again_on_the_same_connection() -> None:
    leave_traces()
    reset_tables()
    with transaction.atomic():
        entry = audit.record("test.happened", actor=system_actor("test"))
    assert entry.sequence == 1
