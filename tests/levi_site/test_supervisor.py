"""Supervision of real processes: order, restart, stop, and that nothing is left behind, whatever kills whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from levi_site.env import REPO_DIR
from levi_site.stack.embedded_postgres import EmbeddedPostgres
from levi_site.stack.embedded_redis import EmbeddedRedis
from levi_site.stack.ports import find_free_port

# A process with a child of its own, that stops when told, never, or does not even start.
CHILD = """
import os, signal, subprocess, sys, time
kind, pids = sys.argv[1:]
if kind == "failing":
    print("I cannot work here")
    sys.exit(3)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(pids, "a") as file:
    file.write(f"{grandchild.pid}\\n{os.getpid()}\\n")
def stop(*_):
    grandchild.kill()
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "stubborn" else stop)
print("up and ready", flush=True)
while True:
    time.sleep(600)
"""
# A small stack around the real supervisor: a server first, then a worker of the kind under test.
STACK = """
import sys
from pathlib import Path
from levi_site.stack.output import Console
from levi_site.stack.process_spec import Phase, ProcessSpec
from levi_site.stack.reaper_link import ReaperLink
from levi_site.stack.supervisor import StartFailed, Stopped, Supervisor

home = Path(sys.argv[1])

def spec(name, phase, kind):
    argv = [sys.executable, str(home / "child.py"), kind, str(home / "pids")]
    return ProcessSpec(name, phase, argv, {}, ready_text="ready")

console = Console(home / "logs")
reaper = ReaperLink()
supervisor = Supervisor(console, reaper, drain_seconds=0.5)
code = 0
try:
    supervisor.start([spec("first", Phase.SERVERS, "polite")])
    supervisor.start([spec("second", Phase.WORKERS, sys.argv[2])])
    console.say("everything runs")
    supervisor.watch()
except Stopped:
    pass
except StartFailed as error:
    console.say(str(error))
    code = 1
supervisor.stop()
reaper.release()
sys.exit(code)
"""


@pytest.fixture
def stack(tmp_path: Path):
    """start(kind) runs the small stack; whatever is left at the end is a failure and is cleaned up."""
    program = tmp_path / "stack.py"
    program.write_text(STACK)
    (tmp_path / "child.py").write_text(CHILD)
    running: list[subprocess.Popen] = []

    def start(kind: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, str(program), str(tmp_path), kind],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPO_DIR)},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
    left = [pid for pid in list_pids(tmp_path) if is_alive(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def list_pids(home: Path) -> list[int]:
    file = home / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def read_until(process: subprocess.Popen, words: str) -> str:
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    raise AssertionError(f"never said {words!r}:\n{seen}")


def wait_until_gone(pids: list[int], seconds: float = 15) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_ends_every_process_and_its_children(stack, tmp_path: Path, number: int) -> None:
    process = stack("polite")
    read_until(process, "everything runs")
    process.send_signal(number)
    assert process.wait(timeout=15) == 0
    assert len(list_pids(tmp_path)) == 4
    assert wait_until_gone(list_pids(tmp_path)) == []


def test_who_does_not_stop_is_killed_with_its_group(stack, tmp_path: Path) -> None:
    process = stack("stubborn")
    read_until(process, "everything runs")
    process.send_signal(signal.SIGTERM)
    read_until(process, "second did not stop in time and is killed")
    process.wait(timeout=15)
    assert wait_until_gone(list_pids(tmp_path)) == []


def test_a_killed_supervisor_leaves_nothing_behind(stack, tmp_path: Path) -> None:
    process = stack("stubborn")
    read_until(process, "everything runs")
    process.kill()
    process.wait()
    assert wait_until_gone(list_pids(tmp_path)) == []


def test_what_dies_is_started_again_without_its_old_children(stack, tmp_path: Path) -> None:
    process = stack("polite")
    read_until(process, "everything runs")
    before = list_pids(tmp_path)
    os.kill(before[3], signal.SIGKILL)  # the second process; its own child lives on without it
    read_until(process, "second ended with code -9; starting it again")
    read_until(process, "second is back")
    assert wait_until_gone(before[2:4]) == []
    assert [pid for pid in list_pids(tmp_path)[4:] if is_alive(pid)]


def test_a_start_that_fails_says_why_and_stops_the_rest(stack, tmp_path: Path) -> None:
    process = stack("failing")
    said = read_until(process, "its last lines")
    assert "second ended with code 3 while starting" in said
    assert "I cannot work here" in said
    assert process.wait(timeout=15) == 1
    assert wait_until_gone(list_pids(tmp_path)) == []


def test_postgres_restarts_after_a_crash_on_the_same_data(open_home: Path) -> None:
    """Real durability settings; the pid file of the killed server is in the way and is cleared."""
    import psycopg

    server = EmbeddedPostgres(open_home, find_free_port(), "secret-of-this-test")
    extra = server.user.popen_arguments() if server.user else {}
    for round_ in range(2):
        server.prepare()
        process = subprocess.Popen(server.argv(), env=server.environment(), cwd="/", **extra)
        try:
            while not server.is_ready():
                assert process.poll() is None
                time.sleep(0.02)
            with psycopg.connect(server.url, autocommit=True) as link:
                if round_ == 0:
                    link.execute("CREATE TABLE kept AS SELECT 42 AS answer")
                else:
                    assert link.execute("SELECT answer FROM kept").fetchone() == (42,)
                    assert link.execute("SHOW data_checksums").fetchone() == ("on",)
                    assert link.execute(
                        "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
                    ).fetchone() == (False,)
        finally:
            process.send_signal(signal.SIGKILL if round_ == 0 else server.stop_signal)
            process.wait(timeout=20)


def test_redis_wants_its_password_and_evicts_nothing(tmp_path: Path) -> None:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    server = EmbeddedRedis(tmp_path, find_free_port(), "secret-of-this-test")
    server.prepare()
    process = subprocess.Popen(server.argv(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        process.stdin.write(server.configuration())
        process.stdin.close()
        while not server.is_ready():
            assert process.poll() is None
            time.sleep(0.02)
        assert redis.Redis.from_url(server.url).config_get("maxmemory-policy") == {
            "maxmemory-policy": "noeviction"
        }
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)).ping()
        assert b"secret-of-this-test" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.terminate()
        process.wait(timeout=10)
