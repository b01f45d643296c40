"""The nursery, as the supervisor uses it: children that are what their command line says, and that outlive it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from levi_site.stack.child import Child
from levi_site.stack.nursery_link import PADDING, UNKNOWN_END, NurseryFailed, NurseryLink, Nursling, can_nurse
from levi_site.stack.process_spec import Phase, ProcessSpec
from levi_site.stack.processes import NURSERY_MODULE, PYTHON

pytestmark = pytest.mark.skipif(not can_nurse(), reason="needs pidfds: Linux")

REPORT = """
import json, os, sys, threading
from django.conf import settings
from django.db import connection
database = settings.DATABASES["default"]
print(json.dumps({
    "argv": sys.argv[1:], "role": os.environ["LEVI_ROLE"], "leads": os.getsid(0) == os.getpgrp() == os.getpid(),
    "application": database["OPTIONS"]["application_name"], "user": database["USER"],
    "threads": threading.active_count(), "connection": connection.connection is None,
    "open": sorted(os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
                   if os.path.exists(f"/proc/self/fd/{n}")),
    "title": open("/proc/self/cmdline").read().rstrip("\\0").split("\\0"),
}))
sys.exit(int(sys.argv[1]))
"""
WAITS = "import time\nprint('waiting', flush=True)\ntime.sleep(600)\n"
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "levi_site.settings",
    "DATABASE_URL": "postgresql://owner@127.0.0.1:1/nowhere",
    "LEVI_MODE": "paper",
    "PATH": os.environ["PATH"],
}


def wait_for(condition, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def nursery(home: Path):
    """One for all tests; the test that kills it comes last."""
    link = NurseryLink()
    argv = [*PYTHON, "-m", NURSERY_MODULE, PADDING]
    spec = ProcessSpec(
        "nursery", Phase.SERVERS, argv, ENVIRONMENT | {"HOME_DIR": str(home)}, make_stdin=link.make_stdin
    )
    child = Child(spec)
    child.start()
    wait_for(lambda: link.is_ready() or child.poll() is not None)
    assert link.is_ready(), child.read_lines()
    yield link, child
    child.kill_group()
    child.process.wait()


def bear(nursery, home: Path, program: str, *words: str, **environment: str) -> Nursling:
    file = home / "program.py"
    file.write_text(program)
    link, _child = nursery
    return link.bear([str(file), *words], ENVIRONMENT | {"HOME_DIR": str(home)} | environment)


def read_all(child: Nursling) -> str:
    return child.stdout.readall().decode()


def test_a_child_is_what_its_command_line_and_environment_say(nursery, home):
    child = bear(
        nursery, home, REPORT, "7", "two words", LEVI_ROLE="levi-x", DATABASE_URL="postgresql://app@h/d"
    )
    child.begin()
    found = json.loads(read_all(child))
    assert child.wait(10) == 7
    assert found["argv"] == ["7", "two words"]
    assert (found["role"], found["application"], found["user"]) == ("levi-x", "levi-x", "app")
    assert found["leads"]
    assert found["title"][1:] == [str(home / "program.py"), "7", "two words"]


def test_a_child_shares_nothing_with_its_nursery_but_memory(nursery, home):
    child = bear(nursery, home, REPORT, "0", LEVI_ROLE="levi-x")
    child.begin()
    found = json.loads(read_all(child))
    assert child.wait(10) == 0
    assert (found["threads"], found["connection"]) == (1, True)
    kept = [name for name in found["open"] if not name.endswith(".db")]  # the counters' files
    assert [name for name in kept if name.startswith("socket:")] == []
    assert len([name for name in kept if name.startswith("pipe:")]) == 2  # both outputs


def test_a_child_that_fails_says_why(nursery, home):
    child = bear(nursery, home, "raise RuntimeError('no way')", LEVI_ROLE="levi-x")
    child.begin()
    assert "RuntimeError: no way" in read_all(child)
    assert child.wait(10) == 1


def test_a_child_ends_by_the_usual_signal(nursery, home):
    child = bear(nursery, home, WAITS, LEVI_ROLE="levi-x")
    child.begin()
    assert child.stdout.read(8) == b"waiting\n"
    os.kill(child.pid, signal.SIGTERM)
    assert child.wait(10) == -signal.SIGTERM


def test_a_child_that_gets_no_permission_never_begins(nursery, home):
    child = bear(nursery, home, "open('began', 'w')\nprint('I began')", LEVI_ROLE="levi-x")
    child.abandon()
    assert read_all(child) == ""
    assert child.wait(10) == 1


def test_children_outlive_their_nursery(nursery, home):
    link, process = nursery
    child = bear(nursery, home, WAITS, LEVI_ROLE="levi-x")
    child.begin()
    assert child.stdout.read(8) == b"waiting\n"
    os.kill(process.pid, signal.SIGKILL)
    process.process.wait()
    assert child.poll() is None
    with pytest.raises(NurseryFailed):
        link.bear(["-m", "platform"], {})
    os.killpg(child.pid, signal.SIGKILL)
    assert child.wait(10) == UNKNOWN_END


def test_without_a_nursery_the_same_words_are_started_by_themselves(home):
    program = home / "alone.py"
    program.write_text("import os\nprint('alone', os.environ['LEVI_ROLE'])\n")
    argv, environment = [*PYTHON, str(program)], {"LEVI_ROLE": "levi-x"}
    child = Child(ProcessSpec("x", Phase.WORKERS, argv, environment, nursery=NurseryLink()))
    child.start()
    child.begin()
    lines = wait_for(lambda: child.read_lines()[0])
    assert lines == [b"alone levi-x"]
    assert child.process.wait() == 0
    child.mark_ended()
