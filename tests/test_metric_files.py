"""Counters on a full disk: nobody dies of them, what was counted stays counted, and it is said once."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

from trading.metric_files import RoomyDict

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def full_disk(monkeypatch):
    def refuse(*_what: int) -> None:
        raise FULL

    return lambda: monkeypatch.setattr(os, "posix_fallocate", refuse)


def fill(counters: MmapedDict, names: range) -> dict[str, float]:
    for number in names:
        counters.write_value(f"orders {number:0>200}", number, 0.0)
    return {key: value for key, value, _ in counters.read_all_values()}


def test_every_process_counts_in_such_files():
    assert values.MmapedDict is RoomyDict


def test_the_room_of_a_file_is_taken_before_it_is_written(tmp_path: Path):
    file = tmp_path / "counter_1.db"
    counters = RoomyDict(str(file))
    assert file.stat().st_blocks * 512 >= 1 << 16, "sparse"
    counted = fill(counters, range(400))
    assert file.stat().st_blocks * 512 >= file.stat().st_size > 1 << 16, "sparse after it has grown"
    counters.close()
    found = {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(str(file))}
    assert found == counted and len(found) == 400


def test_a_process_that_finds_a_full_disk_counts_in_memory_and_says_so(tmp_path: Path, full_disk, caplog):
    full_disk()
    counters = RoomyDict(str(tmp_path / "counter_1.db"))
    assert len(fill(counters, range(3))) == 3
    assert list(tmp_path.iterdir()) == []
    assert caplog.messages == [
        "no room for the counters of this process (No space left on device):"
        " they are kept in memory and missing in /metrics"
    ]
    counters.close()


def test_a_disk_that_fills_up_while_a_file_grows_loses_no_count(tmp_path: Path, full_disk):
    file = tmp_path / "counter_1.db"
    counters = RoomyDict(str(file))
    before = fill(counters, range(100))
    full_disk()
    after = fill(counters, range(100, 1000))
    assert len(after) == 1000 and before.items() <= after.items()
    assert file.stat().st_size == 1 << 16
    assert RoomyDict(str(file)).read_value(f"orders {99:0>200}")[0] == 99
    counters.close()
