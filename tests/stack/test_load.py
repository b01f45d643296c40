"""Many clients at once, who also repeat themselves: every key becomes one order, and the books add up."""

from __future__ import annotations

import random
from collections import Counter
from uuid import uuid4

from rig.instance import StackInstance, wait_until
from rig.ledger import find_differences
from rig.load import Load

SIGNALS, CLIENTS, REPEATS = 200, 8, 0.2


def test_200_signals_of_8_clients_with_repeats_make_one_order_per_key(
    running_stack: StackInstance, client, venue
):
    mixer = random.Random(7)
    keys = [str(uuid4()) for _ in range(int(SIGNALS * (1 - REPEATS)))]
    posts = keys + mixer.sample(keys, SIGNALS - len(keys))
    mixer.shuffle(posts)
    before = {order["client_order_id"] for order in venue.orders()}

    with Load(running_stack, [(key, {"quantity": "0.0002"}) for key in posts], CLIENTS) as load:
        load.wait()
    wait_until(lambda: not client.unfinished_orders(), "every order has ended")

    assert Counter((answer.status, answer.decision) for answer in load.answers) == {
        (201, "approved"): SIGNALS
    }
    of_key: dict[str, set[str]] = {}
    for answer in load.answers:
        of_key.setdefault(answer.key, set()).add(answer.body["client_order_id"])
    assert all(len(orders) == 1 for orders in of_key.values()), "a repeat got another answer"
    new = [order for order in venue.orders() if order["client_order_id"] not in before]
    assert {order["client_order_id"] for order in new} == set.union(*of_key.values())
    assert len(new) == len(keys)
    assert {order["status"] for order in new} == {"FILLED"}
    assert find_differences(client, venue) == []
