"""A database that is older than what the host remembers is recognised: at the start, and under a running supervisor."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from django.db import OperationalError, transaction

from tests.making import PERSON, World
from trading import audit
from trading.domain.actors import system_actor
from trading.domain.enums import HaltScope
from trading.execution import generation
from trading.execution.generation import (
    Generation,
    check_generation,
    find_noted,
    generation_file,
    read_generation,
)
from trading.execution.halts import engage
from trading.models import HaltState
from trading.supervision import Supervision


@pytest.fixture(autouse=True)
def remembered(world: World, settings, tmp_path):
    settings.HOME_DIR = tmp_path
    settings.LEVI_MODE = "production"
    check_generation()


def everything() -> HaltState:
    return HaltState.objects.get(scope="everything")


def remember(epoch: int, audit_entry: int) -> None:
    generation_file().write_text(f'{{"epoch": {epoch}, "audit_entry": {audit_entry}}}')


def test_the_same_and_a_grown_database_start_as_they_were():
    assert check_generation() == ""
    engage(HaltScope.ACCOUNT, "paper", reason="tests", actor=PERSON)
    assert check_generation() == ""
    assert everything().state == "active" and find_noted() == read_generation()


@pytest.mark.parametrize("epochs, entries", [(1, 0), (0, 1), (5, 100)])
def test_an_older_database_is_halted_with_the_reason(epochs, entries):
    found = read_generation()
    remember(found.epoch + epochs, found.audit_entry + entries)
    assert "older than this host remembers" in check_generation()
    assert (everything().state, everything().trigger) == ("halted", "restored_backup")


def test_it_is_said_once_and_the_halt_stays_until_a_release():
    remember(10**6, 10**6)
    assert check_generation() and not check_generation()
    assert everything().state == "halted"
    HaltState.objects.update(state="active")
    assert not check_generation() and everything().state == "active"


def test_the_evidence_stays_until_the_halt_is_committed(monkeypatch):
    remember(10**6, 10**6)

    def lose_the_database(*_args, **_named):
        raise OperationalError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(generation, "engage", lose_the_database)
        with pytest.raises(OperationalError):
            check_generation()
    assert find_noted() == Generation(10**6, 10**6)
    assert check_generation() and everything().state == "halted"


def test_a_database_that_goes_back_under_a_running_supervisor_is_halted():
    supervision = Supervision(threading.Event())
    supervision._start = lambda *_work: None  # no work of its own beside the look
    supervision.look_once()
    assert everything().state == "active"
    remember(10**6, 10**6)
    supervision._heart_due = 0.0
    supervision.look_once()
    assert (everything().state, everything().trigger) == ("halted", "restored_backup")


def test_what_answers_after_a_reconnect_is_looked_at_before_anything_is_done_with_it(monkeypatch):
    stop = threading.Event()
    supervision = Supervision(stop)
    supervision._start = lambda *_work: None
    supervision.look_once()
    remember(10**6, 10**6)
    supervision._heart_due = time.monotonic() + 60
    looks = iter([OperationalError("gone"), None])

    def waiting():
        if error := next(looks, None):
            raise error
        stop.set()
        return []

    monkeypatch.setattr("trading.supervision.waiting_sweeps", waiting)
    monkeypatch.setattr("trading.supervision.connections.close_all", lambda: None)
    supervision.run()
    assert (everything().state, everything().trigger) == ("halted", "restored_backup")


def test_paper_takes_note_and_goes_on(settings):
    settings.LEVI_MODE = "paper"
    remember(10**6, 10**6)
    assert check_generation() == "" and everything().state == "active"
    assert find_noted() == read_generation()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"epoch": "x", "audit_entry": 1}'])
def test_a_damaged_file_proves_nothing(text):
    generation_file().write_text(text)
    assert check_generation() == "" and everything().state == "active"
    assert find_noted() == read_generation()


def test_a_missing_file_proves_nothing():
    generation_file().unlink()
    assert check_generation() == "" and find_noted() == read_generation()


def test_either_number_alone_tells():
    assert Generation(1, 9).is_before(Generation(2, 9)) and Generation(2, 8).is_before(Generation(2, 9))
    assert not Generation(2, 9).is_before(Generation(2, 9))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_the_old_note_and_ends_nothing(db, monkeypatch):
    check_generation()
    before = find_noted()
    draft = generation_file().with_suffix(f".{os.getpid()}")
    draft.symlink_to("/dev/full")
    with transaction.atomic():
        audit.record("note.made", actor=system_actor("tests"))
    check_generation()
    assert find_noted() == before and not draft.is_symlink()
    check_generation()
    assert find_noted() == read_generation() != before


def test_a_database_that_lost_its_newest_entry_and_wrote_on_is_older_all_the_same():
    """A failover that lost a commit: numbers leave gaps, so the next entry is beyond what was remembered."""
    with transaction.atomic():
        audit.record("note.made", actor=system_actor("tests"))
        check_generation()
        transaction.set_rollback(True)
    noted = find_noted()
    with transaction.atomic():
        audit.record("note.made", actor=system_actor("tests"))
    assert read_generation().audit_entry > noted.audit_entry
    assert "older than this host remembers" in check_generation()
    assert (everything().state, everything().trigger) == ("halted", "restored_backup")
    assert not check_generation()
