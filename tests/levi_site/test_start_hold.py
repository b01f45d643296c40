"""However workers come to run, their start is halted where money moves; one that joins others halts nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery.signals import celeryd_after_setup

from levi_site import start_hold
from levi_site.celery import hold_back_first_worker
from levi_site.env import REPO_DIR
from levi_site.start_hold import hold_start, join_start
from trading.stop_flag import find_stop_flag

# A worker as far as its start goes: it joins, says what it found, and lives until its input ends.
WORKER = """
import sys; from pathlib import Path; from levi_site.start_hold import join_start
print("first" if join_start(Path(sys.argv[1]), "production") else "beside others", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    """The locks are held until a process ends; this process goes on."""
    before = len(start_hold._held)
    yield
    while len(start_hold._held) > before:
        os.close(start_hold._held.pop())


def flag(home: Path) -> Path:
    return home / "run" / "stop.flag"


def start_worker(home: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", WORKER, str(home)]
    return subprocess.Popen(argv, cwd=REPO_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def end(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    worker.communicate(timeout=30)


def heard(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout
    return worker.stdout.readline().strip()


def test_the_first_worker_of_a_host_halts_the_start_and_one_that_comes_back_beside_others_does_not(tmp_path):
    first = start_worker(tmp_path)
    second = None
    try:
        assert heard(first) == "first"
        found = find_stop_flag(flag(tmp_path))
        assert found and "release" in found.reason and found.actor == "system:start"
        flag(tmp_path).unlink()  # released
        second = start_worker(tmp_path)
        assert heard(second) == "beside others" and not flag(tmp_path).exists()
        end(first)  # killed and started again, as a container's engine does
        first = start_worker(tmp_path)
        assert heard(first) == "beside others" and not flag(tmp_path).exists()
    finally:
        for worker in filter(None, (first, second)):
            end(worker)
    assert join_start(tmp_path, "production") and flag(tmp_path).exists()  # nobody ran: a start


def test_what_up_or_a_deployment_has_started_is_no_start_of_its_own(tmp_path):
    hold_start(tmp_path, "testnet")
    assert flag(tmp_path).exists()
    flag(tmp_path).unlink()  # released
    assert join_start(tmp_path, "testnet") is False and not flag(tmp_path).exists()
    hold_start(tmp_path, "testnet")  # the next start of the deployment
    assert flag(tmp_path).exists()


def test_paper_starts_as_it_was_left(tmp_path):
    hold_start(tmp_path, "paper")
    assert join_start(tmp_path, "paper") is False
    assert list(tmp_path.iterdir()) == []


def test_a_worker_whose_start_cannot_be_halted_does_not_run(tmp_path, settings):
    settings.LEVI_MODE, settings.HOME_DIR = "production", tmp_path / "state"
    settings.HOME_DIR.write_text("no folder")
    with pytest.raises(SystemExit, match="no worker starts"):
        hold_back_first_worker()
    assert hold_back_first_worker in [receiver() for _key, receiver in celeryd_after_setup.receivers]


@pytest.mark.parametrize(
    ("mode", "code", "is_halted"), [("testnet", 0, True), ("paper", 0, False), ("real", 2, False)]
)
def test_the_program_that_units_and_containers_run_needs_neither_secrets_nor_servers(
    tmp_path, mode, code, is_halted
):
    done = subprocess.run(
        [sys.executable, "-m", "levi_site.start_hold"],
        env={"PATH": os.environ["PATH"], "HOME_DIR": str(tmp_path), "LEVI_MODE": mode},
        cwd=REPO_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, flag(tmp_path).exists()) == (code, is_halted), done.stderr
    assert (done.stderr if code else done.stdout).startswith("levi: ")
