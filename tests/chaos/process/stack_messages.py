"""A5, A18, F57, F58, F60: doubled, forged and flooding messages; two beats and none; a foreign build."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psycopg
from celery import Celery

from rig.driven import send_signal
from rig.instance import wait_until
from tests.chaos.process.figures import Figure, count, timing
from tests.chaos.process.stack_faults import judge_stack
from tests.chaos.process.stack_world import CampaignStack

Say = Callable[[str], None]
DUPLICATES, POSTS, FORGERIES, RINGS = 1000, 20, 1000, 20
SLOTTED = (
    "verify_audit",
    "seal_audit",
    "make_reports",
    "watch_triggers",
)  # a drill would halt what others measure
TASKS = ("dispatch_order", "cancel_order", "follow_order", "sync_account", "poll_orders", "no_such_task")


def flood_with_messages(stack: CampaignStack, seed: int, say: Say) -> list[Figure]:
    with stack.watched() as placements:
        figures = [_deliver_a_thousand_times(stack), _post_together(stack)]
        say("a thousand duplicates and twenty posts at once: done")
        figures.append(_forge(stack, seed))
        say("forged messages: done")
        figures += [_run_a_foreign_build(stack)]
        trouble = stack.come_to_rest()
    return [*figures, *judge_stack("A5", stack, placements, trouble)]


def _celery(stack: CampaignStack) -> Celery:
    app = Celery("stranger", broker=stack.services["REDIS_URL"], set_as_current=False)
    app.conf.update(task_serializer="json", task_ignore_result=True)
    return app


def _deliver_a_thousand_times(stack: CampaignStack) -> Figure:
    """The workers are stopped while the messages pile up, so that all of them meet one approved order."""
    stopped = [m.pid for kind in ("orders parent", "orders child") for m in stack.find(kind)]
    for pid in stopped:
        send_signal(pid, signal.SIGSTOP)
    try:
        with stack.client() as client:
            answer = client.post_signal(price="48500").json()
        with _celery(stack) as app:
            for _message in range(DUPLICATES):
                app.send_task("trading.tasks.dispatch_order", args=[answer["order_id"]], queue="orders")
    finally:
        for pid in stopped:
            send_signal(pid, signal.SIGCONT)
    with stack.client() as client:
        wait_until(
            lambda: client.get_order(answer["order_id"])["status"] not in ("approved", "submitting"),
            "it was sent",
            60,
        )
    wait_until(lambda: _is_drained(stack, "orders"), "the duplicates are read", 120)
    sent = [
        row
        for row in stack.venue.requests(method="POST", path="/api/v3/order")
        if row["params"].get("newClientOrderId") == answer["client_order_id"]
    ]
    what = f"requests for one order from {DUPLICATES} duplicates of its task"
    return Figure("A5", what, str(len(sent)), "1", len(sent) == 1)


def _is_drained(stack: CampaignStack, queue: str) -> bool:
    import redis

    with redis.Redis.from_url(stack.services["REDIS_URL"]) as store:
        return not store.llen(queue)


def _post_together(stack: CampaignStack) -> Figure:
    key, body = str(uuid4()), {"quantity": "0.0005"}

    def post(_number: int) -> str:
        with stack.client() as client:
            return str(client.post_signal(key, **body).json().get("order_id", ""))

    with ThreadPoolExecutor(POSTS) as pool:
        named = set(pool.map(post, range(POSTS))) - {""}
    made = stack.rows(f"SELECT count(*) AS n FROM trading_signal WHERE key = '{key}'")[0]["n"]
    return Figure(
        "A5", f"intents from {POSTS} identical posts at once", str(made), "1", made == 1 == len(named)
    )


def _forge(stack: CampaignStack, seed: int) -> Figure:
    """Random names, random arguments, raw garbage, and a broadcast to shut down: nothing is sent, nobody dies."""
    import redis

    chance = random.Random(seed)
    before, workers = (
        len(stack.venue.requests(method="POST", path="/api/v3/order")),
        stack.find("orders parent"),
    )
    with _celery(stack) as app:
        for _message in range(FORGERIES):
            word = chance.choice(TASKS)
            argument = chance.choice(
                [str(uuid4()), "'; DROP TABLE trading_order", {"id": 1}, None, 7, ["x"] * 3]
            )
            app.send_task(
                f"trading.tasks.{word}", args=[argument], queue=chance.choice(["orders", "resolve", "sync"])
            )
        app.control.broadcast("shutdown")
    with redis.Redis.from_url(stack.services["REDIS_URL"]) as store:
        for _message in range(50):
            store.lpush("orders", chance.randbytes(40), json.dumps({"body": "x"}))
    with suppress(AssertionError):
        wait_until(lambda: _is_drained(stack, "orders"), "the forgeries are read", 90)
    with stack.client() as client:  # the workers must still work
        order = client.post_signal(quantity="0.0005").json()
        wait_until(
            lambda: client.get_order(order["order_id"])["status"] == "filled", "an honest order is filled", 60
        )
    sent = len(stack.venue.requests(method="POST", path="/api/v3/order")) - before - 1
    survived = {member.pid for member in workers} == {member.pid for member in stack.find("orders parent")}
    what = f"orders sent by {FORGERIES} forged messages" + ("" if survived else ", but a worker ended")
    return Figure("F57", what, str(sent), "0", sent == 0 and survived)


def _run_a_foreign_build(stack: CampaignStack) -> Figure:
    """Only the expected build gets permits: with another one expected, none of the running processes may send."""
    with psycopg.connect(stack.database, autocommit=True) as connection:
        connection.execute("UPDATE trading_controlepoch SET expected_build = 'another-build'")
        before = len(stack.venue.requests(method="POST", path="/api/v3/order"))
        with stack.client() as client:
            for _order in range(5):
                client.post_signal(quantity="0.0005")
        time.sleep(3)
        sent = len(stack.venue.requests(method="POST", path="/api/v3/order")) - before
        connection.execute("UPDATE trading_controlepoch SET expected_build = ''")
    return Figure(
        "F60", "orders sent by processes of a build that is not expected", str(sent), "0", sent == 0
    )


def disturb_beat(stack: CampaignStack, seconds: float, say: Say) -> list[Figure]:
    """Two beats: each slot of each job once. None: sweeps and syncs come all the same."""
    role = {"LEVI_ROLE": "levi-beat"}
    second = stack.run_python("-m", "celery", "-A", "levi_site.celery:app", "beat", "--pidfile=", **role)
    try:
        _ring_for_slots(stack)
        time.sleep(seconds)
    finally:
        second.terminate()
        second.wait(20)
    say("two beats: done")
    doubled = find_doubled_slots(stack.rows)
    (beat,) = stack.find("beat")[:1]
    send_signal(beat.pid, signal.SIGSTOP)
    try:
        delays = [_first_cancel_delay(stack) for _time in range(2)]
    finally:
        send_signal(beat.pid, signal.SIGCONT)
    say("no beat: done")
    return [
        count("A18", "slots that ran twice beside a second beat", doubled),
        timing("A18", "without a beat: from engage to the sweep's first cancel", delays, 99, 5.0),
    ]


def _ring_for_slots(stack: CampaignStack) -> None:
    """As many beats would, all at once; most of these jobs are too rare for two beats to meet at in so short a time."""
    with _celery(stack) as app:
        for _beat in range(RINGS):
            for task in SLOTTED:
                app.send_task(f"trading.tasks.{task}", queue="default")
    verified = "SELECT 1 AS n FROM trading_jobslot WHERE job = 'verify'"
    wait_until(lambda: bool(stack.rows(verified)), "a verification had its slot", 60)


def find_doubled_slots(read: Callable[[str], list[dict[str, Any]]]) -> list[str]:
    """Of every job whose runs leave a row each: those with more runs than slots."""
    return [
        f"{row['job']}: {row['runs']} runs of {row['slots']} slots"
        for row in read(_RUNS)
        if row["runs"] > row["slots"]
    ]


_RUNS = """
WITH run (job) AS (
    SELECT 'sync ' || account_id FROM trading_syncrun WHERE trigger = 'demand'
    UNION ALL SELECT 'seal' FROM trading_auditcheckpoint WHERE actor = 'system:beat'
    UNION ALL SELECT told.job FROM trading_auditentry e JOIN (VALUES
        ('audit.verified', 'system:audit-watch', 'verify'), ('audit.damaged', 'system:audit-watch', 'verify'),
        ('drill.finished', 'system:drill', 'drill'), ('drill.overdue', 'system:drill', 'drill overdue'),
        ('report.unsigned', 'system:reports', 'reports unsigned')
    ) AS told (kind, actor, job) ON (told.kind, told.actor) = (e.kind, e.actor))
SELECT run.job, count(*) AS runs, (SELECT count(*) FROM trading_jobslot s WHERE s.job = run.job) AS slots
  FROM run GROUP BY run.job"""


def _first_cancel_delay(stack: CampaignStack) -> float:
    with stack.client() as client:
        order = client.post_signal(quantity="0.001", price="48500").json()
        wait_until(lambda: client.get_order(order["order_id"])["status"] == "open", "an order rests", 60)
        client.kill("no beat")
    wait_until(stack.is_calm, "the sweep has its verdict", 120)
    stack.release()
    rows = stack.rows(
        "SELECT extract(epoch FROM first_cancel_at - engaged_at) AS n FROM trading_sweep"
        " WHERE first_cancel_at IS NOT NULL ORDER BY engaged_at DESC LIMIT 1"
    )
    return float(rows[0]["n"])
