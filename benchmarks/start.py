"""A second start: from the command to the first page, and the stop before it."""

from __future__ import annotations

import time

import httpx

from benchmarks.rows import Row
from rig.instance import StackInstance, wait_until


def shows_page(url: str) -> bool:
    try:
        return httpx.get(f"{url}/admin/login/", timeout=30, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def measure(stack: StackInstance) -> list[Row]:
    began = time.perf_counter()
    stack.stop()
    stopped = time.perf_counter()
    stack.launch()
    wait_until(lambda: shows_page(stack.url), "the sign-in page is shown", 240)
    shown = time.perf_counter()
    stack.wait_ready()
    ready = time.perf_counter()
    return [
        Row("stop", stopped - began, "s", "<= 10 s"),
        Row("start to first page", shown - stopped, "s", "<= 10 s"),
        Row("start to everything ready", ready - stopped, "s"),
    ]
