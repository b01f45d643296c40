"""F79: the database's disk is full. No permit can be written, so no order leaves; a halt still stops this host.

A PostgreSQL of its own on a tmpfs of 1.5 GiB, which only root can mount; elsewhere the part says that it was skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rig.instance import wait_until
from rig.oracle import Placements
from rig.panel_client import PanelClient
from tests.chaos.process.figures import SKIPPED, Figure
from tests.chaos.process.stack_faults import judge_stack
from tests.chaos.process.stack_world import CampaignStack

Say = Callable[[str], None]
SIZE = "1500m"  # below a gibibyte the product halts by itself, before the disk is full


def fill_the_disk(say: Say) -> list[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="levi-disk-"))
    mounted = os.geteuid() == 0 and shutil.which("mount") and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0711", "tmpfs", str(folder)], check=False, capture_output=True
    ).returncode  # fmt: skip
    try:
        if not mounted:
            return [Figure("F79", "full disk (a small disk needs root)", SKIPPED, "-", True)]
        return _on_a_small_disk(folder, say)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _on_a_small_disk(folder: Path, say: Say) -> list[Figure]:
    stack = CampaignStack()
    shutil.rmtree(stack.home)
    stack.home = folder
    stack.log = folder.with_suffix(".log")
    try:
        stack.start()
        with stack.watched() as placements:
            return _trade_on_a_full_disk(stack, placements, say)
    finally:
        if stack.process and stack.process.poll() is None:
            stack.stop()
        stack.log.unlink(missing_ok=True)


def _trade_on_a_full_disk(stack: CampaignStack, placements: Placements, say: Say) -> list[Figure]:
    ballast = stack.home / "ballast"
    with stack.client() as client:
        wait_until(lambda: _is_approved(client), "a first order is approved", 60)
        wait_until(lambda: placements.rows, "an order is sent while there is room", 60)
        _fill(ballast)
        refused = [_status_of_post(client) for _post in range(10)]
        time.sleep(2)
        done = stack.manage("halt", "--reason", "the disk is full", "--no-sweep")
        flag = (stack.home / "run" / "stop.flag").exists()
    ballast.unlink()
    wait_until(lambda: _is_back(stack), "the database is back", 90)
    trouble = stack.come_to_rest()
    say(f"full disk: posts answered {sorted(set(refused))}, halt exit code {done.returncode}")
    return [
        Figure(
            "F79", "on a full disk the halt stops this host", "raised" if flag else "missing", "raised", flag
        ),
        *judge_stack("F79", stack, placements, trouble),
    ]


def _status_of_post(client: object) -> int:
    with suppress(Exception):
        return int(client.post_signal(quantity="0.0005").status_code)  # type: ignore[attr-defined]
    return 0


def _is_approved(client: PanelClient) -> bool:
    """Right after a start nothing is: balances and prices are not known yet."""
    return bool(client.post_signal(quantity="0.0005").json().get("decision") == "approved")


def _fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))


def _is_back(stack: CampaignStack) -> bool:
    with suppress(Exception):
        return bool(stack.rows("SELECT 1 AS n"))
    return False
