"""A start is halted before any worker runs, where orders cost real money or rehearse it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from levi_site.env import REPO_DIR, EnvironmentVariables
from levi_site.stack.command import hold_back
from levi_site.stack.installation import Installation
from levi_site.stack.options import parse_options
from trading.stop_flag import NO_WORDS, find_stop_flag, raise_stop_flag


def make_home(path: Path, mode: str, *words: str) -> Installation:
    options = parse_options(words, EnvironmentVariables({"HOME_DIR": str(path)}, {}))
    return Installation(path, mode, options, None, None, 0, {})


def flag(path: Path) -> Path:
    return path / "run" / "stop.flag"


@pytest.mark.parametrize("mode", ["testnet", "production"])
@pytest.mark.parametrize("words", [(), ("--only", "orders"), ("--only", "background")])
def test_a_start_with_workers_is_halted(tmp_path, mode, words):
    hold_back(make_home(tmp_path, mode, *words))
    found = find_stop_flag(flag(tmp_path))
    assert found and "release" in found.reason and found.actor == "system:start"


@pytest.mark.parametrize("mode, words", [("paper", ()), ("production", ("--only", "web"))])
def test_paper_and_a_host_without_workers_start_as_they_were(tmp_path, mode, words):
    hold_back(make_home(tmp_path, mode, *words))
    assert find_stop_flag(flag(tmp_path)) is None


def test_the_reason_of_an_earlier_halt_is_kept(tmp_path):
    raise_stop_flag(flag(tmp_path), "the rack burns", "operator:anna")
    hold_back(make_home(tmp_path, "production"))
    found = find_stop_flag(flag(tmp_path))
    assert found and found.reason == "the rack burns"


def test_a_flag_raised_by_hand_or_torn_counts_as_raised(tmp_path):
    flag(tmp_path).parent.mkdir()
    for text in ("", "{", "[]", "7"):
        flag(tmp_path).write_text(text)
        found = find_stop_flag(flag(tmp_path))
        assert found and found.reason and found.since.tzinfo


def test_a_flag_whose_words_the_disk_refuses_is_raised_all_the_same(tmp_path: Path):
    """As on a full disk: the file can be made, and nothing can be written into it."""
    program = (
        "import resource, sys; from pathlib import Path; from trading.stop_flag import raise_stop_flag;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0));"
        "raise_stop_flag(Path(sys.argv[1]), 'the disk is full', 'tests')"
    )
    flag = tmp_path / "stop.flag"
    subprocess.run([sys.executable, "-c", program, str(flag)], cwd=REPO_DIR, check=True, timeout=60)
    found = find_stop_flag(flag)
    assert found is not None and found.reason == NO_WORDS
