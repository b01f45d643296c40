"""The same tamperings on real tables: the database's reader and the memory's lead to the same verdicts."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from trading import audit
from trading.audit.anchors import read_anchors
from trading.audit.checkpoints import collect_unsealed, make_checkpoint
from trading.audit.reading import find_checkpoint, long_reading, read_rest
from trading.domain.actors import system_actor
from trading.models import AuditCheckpoint


@pytest.fixture
def trail_in_tables(db, settings, tmp_path) -> None:
    settings.AUDIT_ANCHOR_FILE = tmp_path / "anchors.jsonl"
    for _checkpoint in range(3):
        with transaction.atomic():
            for number in range(4):
                audit.record("note.made", actor=system_actor("tests"), data={"n": number})
        audit.seal("test", actor=system_actor("tests"))


def behind_its_back(*statements: str) -> None:
    with connection.cursor() as cursor:
        for table in ("trading_auditentry", "trading_auditcheckpoint"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        for table in ("trading_auditentry", "trading_auditcheckpoint"):
            for trigger in ("refuse_rows", "refuse_truncate"):
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")


NTH = "id = (SELECT id FROM trading_auditentry ORDER BY id OFFSET {} LIMIT 1)"


@pytest.mark.parametrize(
    ("statement", "kinds"),
    [
        (f"UPDATE trading_auditentry SET actor = 'x' WHERE {NTH.format(5)}", {"changed", "root"}),
        (f"UPDATE trading_auditentry SET id = id + 1000 WHERE {NTH.format(5)}", {"root"}),
        (f"UPDATE trading_auditentry SET data = '{{\"n\": 1.5}}' WHERE {NTH.format(5)}", {"changed", "root"}),
        (f"DELETE FROM trading_auditentry WHERE {NTH.format(5)}", {"missing", "root"}),
        (f"DELETE FROM trading_auditentry WHERE {NTH.format(11)}", {"missing", "root"}),
        ("DELETE FROM trading_auditentry", {"missing", "root"}),
        ("DELETE FROM trading_auditcheckpoint WHERE number = 3", {"anchor", "late"}),
        ("DELETE FROM trading_auditcheckpoint WHERE number = 1", {"checkpoint"}),
        ("DELETE FROM trading_auditcheckpoint", {"anchor"}),
        ("UPDATE trading_auditcheckpoint SET root = previous_hash WHERE number = 2", {"checkpoint", "root"}),
        ("UPDATE trading_auditcheckpoint SET streams = '[1]' WHERE number = 2", {"checkpoint", "root"}),
        ("UPDATE trading_auditcheckpoint SET signature = 'zz' WHERE number = 2", {"signature"}),
        ("UPDATE trading_auditcheckpoint SET reason = '' WHERE number = 3", {"checkpoint"}),
    ],
)
def test_the_tables_are_read_as_the_memory_is(trail_in_tables, statement, kinds):
    assert audit.verify().ok
    behind_its_back(statement)
    found = set(audit.verify().counts)
    assert found and found <= kinds | {"late", "checkpoint"}, found
    assert found & kinds


def test_a_restored_database_is_recognised(trail_in_tables):
    """The anchors go on where the dump ended; then trading goes on, and the numbers come again."""
    behind_its_back(
        "DELETE FROM trading_auditcheckpoint WHERE number > 1",
        "DELETE FROM trading_auditentry WHERE sequence > 4",
        "UPDATE trading_auditstreamhead SET sequence = 4",
    )
    assert set(audit.verify().counts) == {"anchor"}
    with transaction.atomic():
        audit.record("note.made", actor=system_actor("tests"))
    audit.seal("test", actor=system_actor("tests"))
    report = audit.verify()
    assert set(report.counts) == {"anchor"} and report.counts["anchor"] == 2
    assert [anchor.number for anchor in read_anchors()] == [1, 2, 3], "the anchors were not rewritten"


def test_an_older_checkpoint_kept_by_somebody_with_the_key_is_not_the_anchored_one(trail_in_tables):
    behind_its_back("DELETE FROM trading_auditcheckpoint WHERE number = 3")
    with long_reading():
        rows = [(row, 8) for row in read_rest({}) if row.sequence > 8]
    one = find_checkpoint(2)
    forged = make_checkpoint(one, collect_unsealed(rows, one.max_entry_id), "forged", "system:tests")
    AuditCheckpoint.objects.bulk_create([forged])
    report = audit.verify()
    assert report.counts == {"anchor": 1} and report.damages[0].checkpoint == 3
