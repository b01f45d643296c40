"""A8, A9, A11, A12: halts under load, by the clock and by the venue's ledger; halts while half of the stack is dead."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rig.driven import send_signal
from rig.instance import wait_until
from rig.oracle import Placements, wall
from tests.chaos.process.figures import Figure, count, percentile, timing
from tests.chaos.process.stack_faults import judge_stack
from tests.chaos.process.stack_world import CampaignStack

Say = Callable[[str], None]
OPEN_AT_VENUE = ("NEW", "PARTIALLY_FILLED")


def engage_often(stack: CampaignStack, most: int, seconds: float, say: Say) -> list[Figure]:
    """Engage and release under load; between answer and release nothing new may reach the venue."""
    rows: list[dict[str, Any]] = []
    with stack.watched() as placements:
        with stack.load(pause=0.03, clients=4):
            time.sleep(2)
            process = stack.run_python(
                "-m", "tests.chaos.process.engager", str(most), DJANGO_SETTINGS_MODULE="levi_site.settings"
            )
            assert process.stdout is not None
            end = time.monotonic() + seconds
            for line in process.stdout:
                if line.startswith("{"):
                    rows.append(json.loads(line))
                if len(rows) % 50 == 49:
                    say(f"{len(rows) + 1} engages")
                if time.monotonic() > end:
                    process.terminate()
            process.wait(30)
        trouble = stack.come_to_rest()
        time.sleep(1)
    late, announced = _late_placements(rows, placements)
    commits = [row["committed"] - row["began"] for row in rows]
    answers = [row["answered"] - row["began"] for row in rows]
    spread = ", ".join(f"p{p} {percentile(answers, p):.2f}" for p in (50, 90, 99)) if answers else "none"
    longest = max(answers, default=0)
    say(f"engage answered: {spread}, longest {longest:.2f} s; {announced} arrivals were named as under way")
    slow = [f"an engage took {one:.2f} s" for one in answers if one > 1.2]
    return [
        Figure(
            "A9",
            f"engages under load ({len(placements.rows)} placements)",
            str(len(rows)),
            str(most),
            len(rows) >= most,
            decides=False,  # how many a time has room for depends on the machine
        ),
        count("A9", "new orders that reached the venue after an engage had answered", late),
        timing("A8", "engage committed", commits, 99, 0.05),
        timing("A9", "engage answered", answers, 50, 1.2),
        Figure(
            "A9", f"engages that took longer ({spread})", str(len(slow)), "0 > 1.2 s", not slow, decides=False
        ),
        *judge_stack("A9", stack, placements, trouble),
    ]


def _late_placements(rows: list[dict[str, Any]], placements: Placements) -> tuple[list[str], int]:
    """Arrivals between an answer and the release, but for those the answer itself named as under way."""
    late, announced = [], 0
    times = sorted((wall(row), row["params"].get("newClientOrderId", "")) for row in placements.rows)
    for row in rows:
        for at, name in times:
            if not row["answered"] < at < row["released"]:
                continue
            if name in row["in_flight"]:
                announced += 1
            else:
                late.append(f"{name} arrived {at - row['answered']:.3f} s after the answer ({row['scope']})")
    return late, announced


def sweep_often(stack: CampaignStack, times: int, say: Say) -> list[Figure]:
    """Halts with their sweeps: how long to the proof, and whether the proof was true."""
    with stack.watched() as placements:
        for number in range(times):
            with stack.load(pause=0.05):
                wait_until(lambda: _open_orders(stack) >= 4, "orders rest at the venue", 60)
                with stack.client() as client:
                    client.kill(f"sweep {number}")
            wait_until(stack.is_calm, "the sweep has its verdict", 320)
            say(f"sweep {number + 1} of {times} has its verdict")
            stack.release()
        trouble = stack.come_to_rest()
    sweeps = stack.rows(_SWEEPS)
    lies = [text for row in sweeps if row["verdict"] == "clean" for text in _lies(stack, row)]
    spans = [float(row["seconds"]) for row in sweeps]
    unclean = [f"a sweep ended with {row['verdict']}" for row in sweeps if row["verdict"] != "clean"]
    return [
        timing("A11", "from engage to the proof that nothing is open", spans, 99, 30.0),
        count("A11", f"sweeps of {len(sweeps)} that claimed clean and were not", lies),
        count("A11", "sweeps without a proof", unclean),
        timing(
            "A10",
            "from engage to the first cancel",
            [float(r["first"]) for r in sweeps if r["first"] is not None],
            99,
            0.3,
        ),
        *judge_stack("A11", stack, placements, trouble),
    ]


_SWEEPS = """
SELECT s.verdict, s.finished_at, c.epoch, extract(epoch FROM s.finished_at - s.engaged_at) AS seconds,
       extract(epoch FROM s.first_cancel_at - s.engaged_at) AS first
  FROM trading_sweep s JOIN trading_haltchange c ON c.id = s.change_id
 WHERE s.verdict <> 'running' AND c.reason LIKE 'sweep %'"""


def _open_orders(stack: CampaignStack) -> int:
    return sum(row["status"] in OPEN_AT_VENUE for row in stack.venue.orders())


def _lies(stack: CampaignStack, sweep: dict[str, Any]) -> list[str]:
    """Orders approved before the halt that were still open at the venue after the verdict, by its own times."""
    before = {
        row["client_order_id"]
        for row in stack.rows(
            f"SELECT client_order_id FROM trading_order WHERE approved_epoch < {int(sweep['epoch'])}"
        )
    }
    end = sweep["finished_at"].isoformat()
    return [
        f"{row['client_order_id']} was open after the verdict of epoch {sweep['epoch']}"
        for row in stack.venue.orders()
        if row["client_order_id"] in before and (row["status"] in OPEN_AT_VENUE or row["updated_at"] > end)
    ]


def halt_half_dead(stack: CampaignStack, say: Say) -> list[Figure]:
    """A12: Redis dead, Celery dead, a process stopped inside a transaction, the database dead."""
    figures = []
    for name, kinds in {
        "Redis is dead": ("redis",),
        "every worker is dead": ("orders parent", "orders child", "background parent", "background child"),
    }.items():
        stopped = [member.pid for kind in kinds for member in stack.find(kind)]
        figures.append(_halt_while(stack, name, stopped))
    stopped_engager = stack.run_python(
        "manage.py", "halt", "--reason", "stops inside", "--scope", "instrument", "--target", "ETH/USDT", "--no-sweep",
        FAILPOINTS="halts.before_commit=stop:25s",
    )  # fmt: skip
    log = stack.home / "run" / "failpoints.log"
    wait_until(lambda: log.exists() and "halts.before_commit stop" in log.read_text(), "it has stopped", 60)
    figures.append(_halt_while(stack, "a process is stopped inside its own engagement", []))
    stopped_engager.wait(60)
    say("halts with half of the stack dead: done")
    with suppress(Exception):
        stack.manage("resume", "--scope", "instrument", "--target", "ETH/USDT", "--reason", "goes on")
    return [*figures, *_break_glass(stack)]


def _halt_while(stack: CampaignStack, name: str, stopped: list[int]) -> Figure:
    for pid in stopped:
        send_signal(pid, signal.SIGSTOP)
    try:
        began = time.time()
        done = stack.manage("halt", "--reason", name, "--no-sweep", "--json")
        took = json.loads(done.stdout)["seconds"] if done.returncode == 0 else f"exit code {done.returncode}"
    finally:
        for pid in stopped:
            send_signal(pid, signal.SIGCONT)
    halted = done.returncode == 0 and time.time() - began < 60
    stack.release()
    return Figure(
        "A12", f"engage while {name}", f"{took} s", "works", halted, stories=(done.stdout + done.stderr,)
    )


def _break_glass(stack: CampaignStack) -> list[Figure]:
    """With the database stopped, open orders are canceled at the venue with the sealed key file."""
    prepared = stack.manage("prepare_break_glass")
    with stack.client() as client:
        for _order in range(3):
            client.post_signal(quantity="0.001", price="48500")
    wait_until(lambda: _open_orders(stack) >= 3, "orders rest at the venue", 60)
    servers = [member.pid for member in stack.members("postgres")]
    for pid in servers:
        send_signal(pid, signal.SIGSTOP)
    try:
        done = stack.manage("break_glass", "--reason", "the campaign", "--seconds", "60")
        left = _open_orders(stack)
    finally:
        for pid in servers:
            send_signal(pid, signal.SIGCONT)
    flag = (stack.home / "run" / "stop.flag").exists()
    stack.release()
    passed = not left and flag and done.returncode == 0
    text = prepared.stdout + done.stdout + done.stderr
    return [
        Figure(
            "A12",
            "break glass while the database is dead: open orders left",
            str(left),
            "0",
            passed,
            stories=(text,),
        )
    ]
