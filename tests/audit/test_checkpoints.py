"""Checkpoints: what they seal, when they are due, and that writers who interleave lose and double nothing."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from itertools import count
from threading import Event

import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.making import Parallel, begin, wait_until_blocked
from trading import audit
from trading.audit import checkpoints, signing
from trading.audit.anchors import anchor_line, read_anchors
from trading.audit.checkpoints import seal_if_due, sealed_fields, why_seal
from trading.domain.actors import system_actor
from trading.domain.chain import GENESIS, canonical_bytes, checkpoint_hash
from trading.domain.merkle import leaf_hash, root_of
from trading.models import AuditCheckpoint, AuditEntry, AuditStreamHead

TESTS = system_actor("tests")
numbers = count()


@pytest.fixture(autouse=True)
def own_anchors(settings, tmp_path):
    settings.AUDIT_ANCHOR_FILE = tmp_path / "elsewhere" / "anchors.jsonl"


def write(how_many: int = 1, kind: str = "note.made") -> list[AuditEntry]:
    with transaction.atomic():
        return [audit.record(kind, actor=TESTS, data={"n": next(numbers)}) for _entry in range(how_many)]


def seal(reason: str = "test") -> AuditCheckpoint | None:
    return audit.seal(reason, actor=TESTS)


def sealed_pairs() -> list[tuple[str, int]]:
    """Every (stream, sequence) that any checkpoint seals, as often as it does."""
    return [
        (stream, sequence)
        for checkpoint in AuditCheckpoint.objects.order_by("number")
        for stream, (first, last) in checkpoint.streams.items()
        for sequence in range(first, last + 1)
    ]


def written_pairs() -> list[tuple[str, int]]:
    return [(str(stream), number) for stream, number in AuditEntry.objects.values_list("stream", "sequence")]


# -- what a checkpoint is ---------------------------------------------------------------------------------------------
def test_a_checkpoint_seals_every_entry_since_the_one_before(db):
    first = write(3)
    one = seal()
    second = write(2)
    two = seal()
    stream = str(first[0].stream)
    assert one and two
    assert (one.number, one.previous_hash, one.streams) == (1, GENESIS, {stream: [1, 3]})
    assert (two.number, two.previous_hash, two.streams) == (2, one.hash, {stream: [4, 5]})
    assert two.max_entry_id == second[-1].pk and two.entry_count == 2
    assert audit.verify().ok


def test_its_root_is_over_the_lines_that_an_export_has(db):
    write(5)
    made = seal()
    lines = "".join(audit.export_entries(AuditEntry.objects.all(), "ndjson")).encode().split(b"\n")[:-1]
    assert made and root_of([leaf_hash(line) for line in lines]).hex() == made.root


def test_the_quick_texts_are_the_canonical_ones(db):
    with transaction.atomic():
        data = {"Zoë": ["\u2028", '"', "\\", None, True, 7], "b": {"z": {}, "a": "\x01"}}
        entry = audit.record('odd"kind', actor=TESTS, object_id="\t€", data=data)
    from trading.audit.reading import long_reading, read_rest
    from trading.audit.rows import canonical_texts
    from trading.audit.writer import hashed_fields

    with long_reading():
        (row,) = list(read_rest({}))
    body, leaf = canonical_texts(row)
    fields = hashed_fields(entry)
    assert body == canonical_bytes(fields)
    rest = {"id": entry.pk, "previous_hash": entry.previous_hash, "hash": entry.hash}
    assert leaf == canonical_bytes(fields | rest)


def test_nothing_to_seal_makes_no_checkpoint(db):
    assert seal() is None
    write()
    assert seal() is not None
    assert seal() is None
    assert AuditCheckpoint.objects.count() == 1


def test_a_checkpoint_is_hashed_and_signed_by_a_key_that_is_not_in_the_database(db):
    write()
    made = AuditCheckpoint.objects.get(pk=seal().pk)  # as it was stored
    assert made.hash == checkpoint_hash(sealed_fields(made))
    assert signing.is_signed(signing.public_key(), made.hash, made.signature)
    assert made.key_id == signing.key_id_of(signing.public_key())
    assert not signing.is_signed(signing.public_key(), made.hash[::-1], made.signature)


def test_another_audit_key_is_another_signer(db, settings):
    before = signing.public_key()
    settings.AUDIT_KEY = "another-audit-key-0123456789abcdefghijk"
    assert signing.public_key() != before


# -- when -------------------------------------------------------------------------------------------------------------
def test_an_ordinary_entry_waits_for_its_minute(db, monkeypatch):
    write()
    assert why_seal() == "" and seal_if_due(actor=TESTS) is None
    monkeypatch.setattr(checkpoints, "SEAL_AGE", timedelta(0))
    assert why_seal() == "age"


@pytest.mark.parametrize("kind", ["halt.engaged", "limits.changed", "operator.changed", "token.revoked"])
def test_what_changes_control_is_sealed_at_once(db, kind):
    write(kind=kind)
    made = seal_if_due(actor=TESTS)
    assert made and made.reason == "control"
    assert why_seal() == ""


def test_many_entries_are_sealed_without_waiting(db, monkeypatch):
    monkeypatch.setattr(checkpoints, "SEAL_ENTRIES", 4)
    write(3)
    assert why_seal() == ""
    write(1)
    assert why_seal() == "entries"


def test_a_halt_neither_seals_nor_waits_for_a_seal(transactional_db):
    from trading.domain.enums import HaltScope
    from trading.execution.halts import engage

    write()
    with transaction.atomic():
        assert checkpoints.lock_audit_seal()
        other: Parallel = begin(lambda: engage(HaltScope.EVERYTHING, reason="beside a seal", actor=TESTS))
        assert other.end().epoch  # done, while the seal's lock is held
    settings.STOP_FLAG.unlink(missing_ok=True)
    assert AuditCheckpoint.objects.count() == 0


# -- concurrency ------------------------------------------------------------------------------------------------------
class Writer:
    """A connection of its own, whose transaction is committed when the test says so."""

    def __init__(self) -> None:
        self.wrote, self.may_commit = Event(), Event()
        self.thread = begin(self._run)
        assert self.wrote.wait(20)

    def _run(self) -> None:
        with transaction.atomic(durable=True):
            write(2)
            self.wrote.set()
            assert self.may_commit.wait(20)

    def commit(self) -> None:
        self.may_commit.set()
        assert self.thread.end() is None


def test_a_lower_id_that_commits_later_is_sealed_once(transactional_db):
    write(1)
    slow = Writer()  # has ids, and is not committed
    write(2)  # higher ids, committed
    one = seal()
    assert one and len(sealed_pairs()) == 3
    slow.commit()
    two = seal()
    assert two and two.entry_count == 2
    assert min(AuditEntry.objects.filter(sequence=1).values_list("id", flat=True)) < one.max_entry_id
    assert sorted(sealed_pairs()) == sorted(written_pairs())
    assert audit.verify().ok


def test_sealing_between_many_interleaved_writers_skips_and_doubles_nothing(transactional_db):
    open_writers: list[Writer] = []
    for step in range(12):
        open_writers.append(Writer())
        if step % 3:
            open_writers.pop(step % len(open_writers)).commit()
        write(1)
        seal()
    for writer in reversed(open_writers):
        writer.commit()
        seal()
    assert sorted(sealed_pairs()) == sorted(written_pairs())
    found = list(AuditCheckpoint.objects.order_by("number").values_list("number", flat=True))
    assert found == list(range(1, len(found) + 1))
    assert audit.verify().ok


def test_two_sealers_at_once_make_one_checkpoint_after_the_other(transactional_db):
    write(2)
    has_lock, may_end = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            assert checkpoints.lock_audit_seal()
            has_lock.set()
            assert may_end.wait(20)

    holder = begin(hold)
    assert has_lock.wait(20)
    other = begin(lambda: audit.seal("other", actor=TESTS))
    wait_until_blocked(other)
    assert AuditCheckpoint.objects.count() == 0
    may_end.set()
    assert holder.end() is None and other.end().number == 1
    assert seal() is None
    assert len(sealed_pairs()) == len(set(sealed_pairs())) == 2


def test_a_stream_with_a_hole_is_sealed_up_to_it_and_no_further(transactional_db):
    entries = write(4)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trading_auditentry DISABLE TRIGGER refuse_rows")
        cursor.execute("DELETE FROM trading_auditentry WHERE id = %s", [entries[2].pk])
        cursor.execute("ALTER TABLE trading_auditentry ENABLE ALWAYS TRIGGER refuse_rows")
    made = seal()
    assert made and made.streams == {str(entries[0].stream): [1, 2]}
    assert [damage.kind for damage in audit.verify().damages] == ["missing"]


def test_the_cache_of_heads_is_not_what_verification_believes(db):
    write(3)
    seal()
    write(3)
    AuditStreamHead.objects.update(sequence=5)
    seal()
    report = audit.verify()
    assert not report.ok and set(report.counts) == {"checkpoint"}


# -- anchors ----------------------------------------------------------------------------------------------------------
def anchored() -> list[int]:
    return [anchor.number for anchor in read_anchors() if not isinstance(anchor, int)]


def test_each_checkpoint_leaves_a_line_outside_the_database(db):
    for _round in range(3):
        write()
        made = seal()
    file = settings.AUDIT_ANCHOR_FILE
    assert anchored() == [1, 2, 3]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    last = json.loads(file.read_text().splitlines()[-1])
    assert set(last) == {"number", "hash", "at", "signature", "key_id"} and last["hash"] == made.hash


def test_an_anchor_that_could_not_be_written_is_made_up_for(db, settings, tmp_path):
    file = settings.AUDIT_ANCHOR_FILE
    write()
    seal()
    settings.AUDIT_ANCHOR_FILE = tmp_path  # a folder: cannot be written
    write()
    assert seal() is not None
    settings.AUDIT_ANCHOR_FILE = file
    assert anchored() == [1]
    write()
    seal()
    assert anchored() == [1, 2, 3]
    assert audit.verify().ok


def test_a_torn_line_is_written_again(db):
    write()
    seal()
    file = settings.AUDIT_ANCHOR_FILE
    write()
    with file.open("ab") as handle:
        handle.write(anchor_line(AuditCheckpoint.objects.get(number=1))[:40])
    seal()
    report = audit.verify()
    assert anchored() == [1, 2]
    assert report.ok and report.notes == ["line 2 of the anchors cannot be read"]


# -- verification since -----------------------------------------------------------------------------------------------
def test_verification_since_a_checkpoint_reads_what_came_after_only(db):
    write(5)
    one = seal()
    write(2)
    seal()
    write(1)
    report = audit.verify(since=one.number)
    assert report.ok and (report.entries, report.checkpoints, report.since_checkpoint) == (3, 1, 1)
    assert audit.verify(since=2).entries == 1
    assert audit.verify(since=99).entries == 8, "where there is nothing to go on from, all is verified"


def test_verification_up_to_a_time_forgives_what_came_later(db):
    write(2)
    one = seal()
    write(2)
    seal()
    report = audit.verify(until=one.at)
    assert report.ok and (report.entries, report.checkpoints) == (2, 1)
