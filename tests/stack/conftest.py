"""One running stack for all tests of this folder; every test finds it trading, without faults, at pinned prices.

At the end the stack is stopped as by Ctrl-C, and must leave no process, no lock and no announcement behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.driven import DrivenStack
from rig.instance import PROJECT, StackInstance, wait_until
from rig.panel_client import PanelClient
from simulator.testing import SimulatedVenue

HERE = Path(__file__).parent
SERVERS_OF_THE_OPERATOR = ("DATABASE_URL", "REDIS_URL", "SIMULATOR_URL", "LEVI_MODE", "LEVI_CONFIG")
LOG_LINES = 200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("stack"))  # one worker starts it, not each


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure shows what the stack said last."""
    report = (yield).get_result()
    stack = getattr(item, "funcargs", {}).get("running_stack")
    if report.failed and stack is not None and stack.log.exists():
        report.sections.append(("the stack's log", "\n".join(stack.read_log().splitlines()[-LOG_LINES:])))


@pytest.fixture(scope="session")
def running_stack() -> Iterator[DrivenStack]:
    """Two web processes, so that whatever one of them knows alone shows up as a contradiction."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to find the processes of a stack")
    env_file = PROJECT / ".env"
    if env_file.is_file() and any(name in env_file.read_text() for name in SERVERS_OF_THE_OPERATOR):
        pytest.skip(f"{env_file} names servers or a mode: a stack of a test must not touch them")
    stack = DrivenStack("--web-workers", "2")
    try:
        stack.start()
        yield stack
    finally:
        left = stack.end()
    assert left == []


@pytest.fixture
def venue(running_stack: StackInstance) -> SimulatedVenue:
    venue = running_stack.venue
    venue.clear_faults()
    venue.set_price("BTCUSDT", "50000")
    return venue


@pytest.fixture
def client(running_stack: StackInstance, venue: SimulatedVenue) -> Iterator[PanelClient]:
    """Of a stack that trades and has nothing in the air."""
    with running_stack.client() as client:
        if client.status()["kill_switch"]:
            client.release()
        wait_until(lambda: not client.unfinished_orders(), "nothing of an earlier test is unfinished")
        yield client
    venue.clear_faults()
