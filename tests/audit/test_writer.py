"""The writer: an entry exists exactly when its change does, and writers never fork each other's chains."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.making import CLIENT, run_together
from trading import audit
from trading.domain.chain import GENESIS
from trading.domain.errors import AuditFailure
from trading.models import AuditEntry, Strategy


def note(kind: str = "test.happened", **more) -> AuditEntry:
    return audit.record(kind, actor=CLIENT, object_type="test", object_id=1, **more)


def chains() -> dict[object, list[int]]:
    found: dict[object, list[int]] = {}
    for stream, sequence in AuditEntry.objects.order_by("id").values_list("stream", "sequence"):
        found.setdefault(stream, []).append(sequence)
    return found


def test_an_entry_outside_a_transaction_is_a_defect(transactional_db: None):
    with pytest.raises(AuditFailure):
        note()
    assert not AuditEntry.objects.exists()


def test_a_rollback_removes_change_and_entry(transactional_db: None):
    class Trouble(Exception):
        pass

    with pytest.raises(Trouble), transaction.atomic():
        Strategy.objects.create(name="gone")
        note()
        raise Trouble
    assert not Strategy.objects.exists() and not AuditEntry.objects.exists()


def test_a_rollback_to_a_savepoint_keeps_the_chain_whole(transactional_db: None):
    class Trouble(Exception):
        pass

    with transaction.atomic():
        note("test.first")
        with pytest.raises(Trouble), transaction.atomic():
            note("test.lost")
            raise Trouble
        note("test.second")
    with transaction.atomic():
        note("test.third")
    assert [entry.kind for entry in AuditEntry.objects.order_by("sequence")] == [
        "test.first",
        "test.second",
        "test.third",
    ]
    assert list(chains().values()) == [[1, 2, 3]] and audit.verify().ok


def test_each_entry_continues_the_one_before_it(transactional_db: None):
    for _ in range(3):
        with transaction.atomic():
            note()
    entries = list(AuditEntry.objects.order_by("sequence"))
    assert [entry.previous_hash for entry in entries] == [GENESIS, entries[0].hash, entries[1].hash]


def test_a_new_connection_begins_a_new_chain(transactional_db: None):
    with transaction.atomic():
        note()
    connection.close()
    with transaction.atomic():
        note()
    assert list(chains().values()) == [[1], [1]] and audit.verify().ok


def test_writers_at_the_same_time_have_a_chain_each(transactional_db: None):
    barrier = threading.Barrier(4)

    def write() -> None:
        barrier.wait()
        for _ in range(5):
            with transaction.atomic():
                note()

    assert run_together(*[write] * 4) == [None] * 4
    assert list(chains().values()) == [[1, 2, 3, 4, 5]] * 4
    report = audit.verify()
    assert report.ok and (report.entries, report.streams) == (20, 4)


def test_an_entry_holds_who_what_and_where_from(transactional_db: None):
    with transaction.atomic():
        entry = note(data={"before": None, "after": "x"})
    entry.refresh_from_db()
    assert (entry.actor, entry.request_id, entry.object_type, entry.object_id) == (
        "client:tests",
        "request-1",
        "test",
        "1",
    )
    assert entry.data == {"before": None, "after": "x"}


def test_the_head_is_remembered_after_a_commit_and_read_back_after_a_rollback(transactional_db: None):
    with transaction.atomic():
        note()
    with CaptureQueriesContext(connection) as remembered, transaction.atomic():
        note()
    with transaction.atomic():
        note()
        transaction.set_rollback(True)
    with CaptureQueriesContext(connection) as read_back, transaction.atomic():
        note()
    reads = [
        sum(query["sql"].startswith("SELECT") and "trading_auditentry" in query["sql"] for query in queries)
        for queries in (remembered, read_back)
    ]
    assert reads == [0, 1]
    assert list(chains().values()) == [[1, 2, 3]]


def test_what_a_commit_sets_off_continues_behind_everything_of_that_commit(transactional_db: None):
    """A callback between two entries' own writes the next one: it must not follow the first of them."""

    def write_one_more() -> None:
        with transaction.atomic():
            note("test.followed")

    with transaction.atomic():
        note()
        transaction.on_commit(write_one_more)
        note()
    with transaction.atomic():
        note()
    assert list(chains().values()) == [[1, 2, 3, 4]]
    assert audit.verify().damages == []


def test_many_entries_at_once_are_one_chain_with_those_before_and_after(transactional_db: None):
    with transaction.atomic():
        note("test.first")
        made = audit.record_many(
            [("test.many", number, {"n": number}) for number in range(5)], actor=CLIENT, object_type="test"
        )
        note("test.last")
    assert [entry.object_id for entry in made] == ["0", "1", "2", "3", "4"]
    assert list(chains().values()) == [[1, 2, 3, 4, 5, 6, 7]]
    assert audit.verify().ok


def test_nothing_to_record_is_nothing_written(transactional_db: None):
    with transaction.atomic():
        assert audit.record_many([], actor=CLIENT) == []
    assert not AuditEntry.objects.exists()
