"""Verification: an untouched trail verifies, and whatever is changed behind its back is found and named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.making import PERSON, World, fresh
from trading import audit
from trading.audit.writer import hashed_fields
from trading.domain.actors import system_actor
from trading.domain.chain import entry_hash
from trading.domain.enums import HaltScope
from trading.execution.cancellation import request_cancel
from trading.execution.halts import engage, release
from trading.execution.poller import advance_order
from trading.models import AuditEntry

TABLE = "trading_auditentry"


def behind_its_back(sql: str, *values: object) -> None:
    """What only the owner of the table can do: switch the guards off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
        cursor.execute(sql, values)
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER refuse_rows")
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER refuse_truncate")


@pytest.fixture
def entries(db: None) -> list[AuditEntry]:
    with transaction.atomic():
        return [
            audit.record("test.happened", actor=system_actor("tests"), data={"number": number})
            for number in range(6)
        ]


def change(column: str, value: object) -> Callable[[AuditEntry], None]:
    return lambda entry: behind_its_back(f"UPDATE {TABLE} SET {column} = %s WHERE id = %s", value, entry.pk)


def test_an_untouched_trail_verifies(entries):
    report = audit.verify()
    assert report.ok and (report.entries, report.streams) == (6, 1)
    assert report.as_dict()["damages"] == []


@pytest.mark.parametrize(
    "tamper",
    [
        change("data", '{"number": 99}'),
        change("actor", "operator:somebody-else"),
        change("kind", "test.else"),
        change("at", timezone.now()),
        change("object_id", "9"),
        change("request_id", "r"),
        change("hash", "0" * 64),
    ],
)
def test_a_changed_entry_is_named(entries, tamper):
    tamper(entries[3])
    (damage,) = audit.verify().damages
    assert (damage.entry_id, damage.sequence, damage.kind) == (entries[3].pk, 4, "changed")


def test_a_deleted_entry_is_missed(entries):
    behind_its_back(f"DELETE FROM {TABLE} WHERE id = %s", entries[2].pk)
    (damage,) = audit.verify().damages
    assert (damage.sequence, damage.kind) == (4, "missing") and "entry 3" in damage.detail


def test_a_deleted_beginning_is_missed(entries):
    behind_its_back(f"DELETE FROM {TABLE} WHERE id = %s", entries[0].pk)
    assert audit.verify().damages[0].kind == "missing"


def test_two_swapped_entries_are_found(entries):
    one, two = entries[1], entries[2]
    behind_its_back(
        f"UPDATE {TABLE} SET data = CASE id WHEN %s THEN %s::jsonb ELSE %s::jsonb END WHERE id IN (%s, %s)",
        one.pk,
        '{"number": 2}',
        '{"number": 1}',
        one.pk,
        two.pk,
    )
    assert audit.verify().damages[0].entry_id == one.pk


def test_a_chain_recomputed_without_the_key_is_found(entries):
    previous = entries[1].hash
    for entry in entries[2:]:
        if entry is entries[2]:
            entry.data = {"number": 99}
        entry.previous_hash, entry.hash = previous, entry_hash(b"guessed", previous, hashed_fields(entry))
        behind_its_back(
            f"UPDATE {TABLE} SET data = %s::jsonb, previous_hash = %s, hash = %s WHERE id = %s",
            '{"number": 99}' if entry is entries[2] else f'{{"number": {entry.data["number"]}}}',
            entry.previous_hash,
            entry.hash,
            entry.pk,
        )
        previous = entry.hash
    assert audit.verify().damages[0].entry_id == entries[2].pk


def test_a_cut_and_rejoined_chain_is_found(entries):
    behind_its_back(f"DELETE FROM {TABLE} WHERE id = %s", entries[2].pk)
    for sequence in (4, 5, 6):
        behind_its_back(f"UPDATE {TABLE} SET sequence = sequence - 1 WHERE sequence = %s", sequence)
    assert audit.verify().damages[0].sequence == 3


def test_damage_in_one_chain_leaves_the_others_readable(entries):
    connection_entries = AuditEntry.objects.count()
    change("actor", "x")(entries[0])
    report = audit.verify()
    assert len(report.damages) == 1 and report.entries == connection_entries and not report.ok


def test_the_whole_life_of_orders_and_halts_verifies(world: World):
    world.buy()
    order = world.rest()
    request_cancel(order.id, actor=PERSON)
    advance_order(order.id)
    engage(HaltScope.EVERYTHING, reason="test", actor=PERSON)
    release(HaltScope.EVERYTHING, reason="checked", actor=PERSON)
    world.sync()
    report = audit.verify()
    assert report.ok and report.entries == AuditEntry.objects.count() > 15
    assert fresh(order).status == "canceled"
