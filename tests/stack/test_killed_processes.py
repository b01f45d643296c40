"""Workers and Redis die by SIGKILL under load: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from uuid import uuid4

import pytest

from rig.instance import StackInstance, wait_until
from rig.ledger import find_differences
from rig.load import Load, endless
from rig.process_tree import Member

KILL_EVERY_SECONDS = 2
SEED = int(os.environ.get("LEVI_CHAOS_SEED", "7"))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("seconds", [12, pytest.param(60, marks=pytest.mark.chaos)])
def test_random_workers_killed_every_two_seconds_lose_and_double_nothing(
    running_stack: StackInstance, client, venue, seconds
):
    chance = random.Random(SEED)
    killed: list[str] = []

    def body(_number: int) -> dict[str, str]:
        return {"side": chance.choice(["BUY", "BUY", "SELL"]), "quantity": "0.0005"}

    with Load(running_stack, endless(body, pause=0.1), clients=4) as load:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(KILL_EVERY_SECONDS)  # the rhythm of the test, not a wait for anything
            if workers := running_stack.members("celery", "worker"):
                victim = chance.choice(workers)
                killed.append(victim.command)
                kill(victim.pid)
    wait_until(lambda: not client.unfinished_orders(), "every order has ended", 180)

    assert len(killed) >= 2, "hardly a worker was there to be killed"
    assert {answer.status for answer in load.answers} == {201}
    accepted = {answer.body["client_order_id"] for answer in load.answers if answer.decision == "approved"}
    assert accepted <= {order["client_order_id"] for order in client.get_all("/api/v1/orders")}
    assert find_differences(client, venue) == []
    done = running_stack.manage("verify_audit")
    assert done.returncode == 0, done.stdout + done.stderr


def test_redis_killed_under_load_costs_no_order(running_stack: StackInstance, client, venue):
    (redis,) = running_stack.members("redis-server")
    posts = [(str(uuid4()), {"quantity": "0.0002"}) for _ in range(60)]
    before = {order["client_order_id"] for order in venue.orders()}

    with Load(running_stack, posts, clients=4) as load:
        wait_until(lambda: len(load.answers) >= 15, "orders flow")
        kill(redis.pid)
        load.wait()
    wait_until(lambda: not client.unfinished_orders(), "every order has ended")

    assert {(answer.status, answer.decision) for answer in load.answers} == {(201, "approved")}
    new = [order for order in venue.orders() if order["client_order_id"] not in before]
    assert {order["client_order_id"] for order in new} == {a.body["client_order_id"] for a in load.answers}
    assert len(new) == len(posts)
    assert find_differences(client, venue) == []
    wait_until(lambda: running_stack.members("redis-server"), "the supervisor started Redis again")
    assert running_stack.members("redis-server") != [redis]


def test_a_killed_nursery_stops_nothing_and_is_replaced(running_stack: StackInstance, client):
    (nursery,) = running_stack.members("levi_site.nursery")
    (beat,) = running_stack.members(" beat ")
    others = [member for member in running_stack.members("celery") if member != beat]

    kill(nursery.pid)
    kill(beat.pid)  # at this moment there is no nursery to fork it from

    def has_new(word: str, old: Member) -> bool:
        return any(member != old and member.is_alive for member in running_stack.members(word))

    wait_until(lambda: has_new(" beat ", beat), "beat is back")
    wait_until(lambda: has_new("levi_site.nursery", nursery), "there is a new nursery")
    assert all(member.is_alive for member in others)
    order = client.post_signal(quantity="0.0005").json()
    wait_until(lambda: client.get_order(order["order_id"])["status"] == "filled", "the order is filled")
