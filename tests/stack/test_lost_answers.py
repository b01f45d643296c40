"""The venue takes orders and its answers are lost: nothing is sent again, everything is found out."""

from __future__ import annotations

from uuid import uuid4

from rig.instance import StackInstance, wait_until
from rig.ledger import find_differences
from rig.load import Load

ORDER_PATH = "/api/v3/order"
SIGNALS = 40


def test_every_order_whose_answer_was_lost_ends_in_the_venues_truth(
    running_stack: StackInstance, client, venue
):
    posts = [(str(uuid4()), {"quantity": "0.0005"}) for _signal in range(SIGNALS)]
    before, mark = len(venue.orders()), venue.health()["requests"]
    doubted_before = len(client.get_all("/api/v1/audit", kind="order.in_doubt"))
    doubts = client.metric("levi_orders_total", status="in_doubt")
    venue.faults(
        [{"match": {"method": "POST", "path": ORDER_PATH}, "kind": "drop_after", "probability": 0.3}]
    )

    with Load(running_stack, posts, clients=4) as load:
        load.wait()
    wait_until(lambda: not client.unfinished_orders(), "every order has ended")

    lost = [row for row in venue.requests(mark, method="POST", path=ORDER_PATH) if row.get("fault")]
    assert len(lost) >= 3, "the fault did not strike"
    # The private stream may tell of an order before its lost answer is given up: then it was never in doubt.
    doubted = len(client.get_all("/api/v1/audit", kind="order.in_doubt")) - doubted_before
    assert 0 < doubted <= len(lost)
    assert client.metric("levi_orders_total", status="in_doubt") - doubts == doubted
    assert {answer.decision for answer in load.answers} == {"approved"}
    new = venue.orders()[before:]
    assert len(new) == len({order["client_order_id"] for order in new}) == SIGNALS
    assert {order["status"] for order in new} == {"FILLED"}
    assert find_differences(client, venue) == []
