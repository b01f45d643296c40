"""A soak run of some seconds: on the folder's stack it passes, and beside a planted breach the command says FAIL."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import httpx
import pytest

from rig.driven import DrivenStack
from rig.instance import KEPT_VARIABLES, PROJECT, wait_until
from rig.process_tree import find_users_of
from simulator.testing import SimulatedVenue
from soak.options import parse_options
from soak.run import SoakRun
from soak.trading_day import choose_day

RUN = ["--hours", "1", "--speed", "360", "--faults", "halt,resolver"]


def test_ten_seconds_of_orders_and_faults_pass(running_stack: DrivenStack, client, venue):
    options = parse_options(RUN)
    shown: list[float] = []
    run = SoakRun(options, running_stack, choose_day(time.time(), 10), lambda _text: None, shown.append)
    report, verdict = run.run({})

    # Times belong to the machine and decide in a real run only.
    failed = [line for line in verdict.lines if line.passed is False and not line.is_time]
    assert failed == []
    assert {row["name"] for row in report["faults"]} <= {
        "halt",
        "resolver",
    }  # on a slow machine not both have time
    assert report["faults"] and report["troubles"] == []
    assert all(row["late"] == () for row in report["kills"])
    assert report["requests"]["asked"] > 30 and report["orders"]["filled"] > 0
    assert json.loads(json.dumps(report, default=str))["lines"], "the report is a document"
    assert shown and max(shown) <= options.seconds + 60


def place_twice(venue: SimulatedVenue) -> str:
    """Under a name that an order of the product has already, as a defect would: at a price that nobody meets."""
    (name, *_rest) = [row["client_order_id"] for row in venue.orders() if row["symbol"] == "BTCUSDT"]
    form = urllib.parse.urlencode(
        {
            "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "45000",
            "newClientOrderId": name, "recvWindow": 5000, "timestamp": int(time.time() * 1000),
        }
    )  # fmt: skip
    proof = hmac.new(venue.secret.encode(), form.encode(), hashlib.sha256).hexdigest()
    answer = httpx.post(
        f"{venue.base_url}/api/v3/order?{form}&signature={proof}",
        headers={"X-MEXC-APIKEY": venue.key, "Content-Type": "application/json"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return name


@pytest.mark.chaos  # a stack of its own: too dear for every run
def test_a_doubled_order_fails_the_run_and_ctrl_c_ends_it_with_a_report(
    tmp_path: Path, running_stack: DrivenStack
):
    home, report = tmp_path / "home", tmp_path / "soak.json"
    home.parent.chmod(0o711)  # as root, the database server's own user passes through
    words = [
        "--speed",
        "600",
        "--hours",
        "100",
        "--faults",
        "none",
        "--home",
        str(home),
        "--report",
        str(report),
    ]
    environment = {name: value for name, value in running_stack.environment.items() if name in KEPT_VARIABLES}
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "soak", *words],
            cwd=PROJECT,
            env=environment,
            stdout=said,
            stderr=said,
        )
    try:
        wait_until(
            lambda: process.poll() is not None or (home / "first-run.json").exists(), "it is set up", 240
        )
        stack = DrivenStack.__new__(DrivenStack)  # a second view of the stack that the command has made
        stack.home = home
        wait_until(lambda: process.poll() is not None or has_orders(stack), "orders were sent", 120)
        doubled = place_twice(stack.venue)
        process.send_signal(signal.SIGINT)
        code = process.wait(240)
    finally:
        if process.poll() is None:  # a kill alone would leave its stack behind
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
        process.kill()
        process.wait()
    text = (tmp_path / "said").read_text()
    assert code == 1, text
    found = json.loads(report.read_text())
    lines = {line["name"]: line for line in found["lines"]}
    assert (found["passed"], found["interrupted"]) == (False, True)
    assert lines["duplicates"]["verdict"] == "FAIL" and doubled in str(lines["duplicates"]["evidence"])
    assert "FAIL duplicate orders" in text and doubled in text
    assert lines["audit"]["verdict"] == lines["crashes"]["verdict"] == "PASS"
    assert [user.command for user in find_users_of(home)] == [] and "left behind" not in text
    assert (home / "up.log").exists(), "what failed is kept for a look"
    shutil.rmtree((home / "server-data").resolve(), ignore_errors=True)


def has_orders(stack: DrivenStack) -> bool:
    try:
        return len(stack.venue.orders()) > 3
    except OSError:  # it is still starting
        return False
