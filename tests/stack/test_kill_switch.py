"""The kill switch of a running stack under load: nothing new after the answer, nothing open in the end, latched."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime
from typing import Any

from rig.instance import StackInstance, wait_until
from rig.ledger import find_differences
from rig.load import Load, endless
from rig.panel_client import PanelClient
from simulator.testing import SimulatedVenue

OPEN_AT_VENUE = ("NEW", "PARTIALLY_FILLED")


def fill_or_rest(number: int) -> dict[str, Any]:
    """Every other order rests at the venue."""
    return {"quantity": "0.001"} | ({"price": "48500"} if number % 2 else {})


def open_at_venue(venue: SimulatedVenue) -> list[str]:
    return [order["client_order_id"] for order in venue.orders() if order["status"] in OPEN_AT_VENUE]


def placements_after(venue: SimulatedVenue, instant: float) -> list[Any]:
    return [
        request
        for request in venue.requests(method="POST", path="/api/v3/order")
        if datetime.fromisoformat(request["at"]["wall"]).timestamp() > instant
    ]


def statuses_of_every_web_process(stack: StackInstance) -> list[Any]:
    """Each over a connection of its own: the system spreads them over the web processes."""
    found = []
    for _connection in range(12):
        with stack.client() as client:
            found.append(client.status())
    return found


def test_after_the_answer_no_new_order_reaches_the_venue_and_the_open_ones_are_canceled(
    running_stack: StackInstance, client, venue
):
    with Load(running_stack, endless(fill_or_rest), clients=8) as load:
        wait_until(lambda: len(open_at_venue(venue)) >= 10, "orders rest at the venue")
        answer = client.kill("too many orders")
        answered = time.time()
        wait_until(
            lambda: sum(post.began > answered for post in load.answers) >= 40, "clients went on posting"
        )

    assert answer["kill_switch"] and answer["engagement"]["drained"]
    late = [post for post in load.answers if post.began > answered]
    codes = Counter((post.status, post.decision, *post.body.get("codes", [])) for post in late)
    assert codes == {(201, "denied", "halted"): len(late)}
    wait_until(lambda: not open_at_venue(venue), "the sweep canceled what was open")
    wait_until(lambda: not client.unfinished_orders(), "every order has ended")
    assert placements_after(venue, answered) == []
    canceled = client.get_all("/api/v1/orders", status="canceled", symbol="BTC/USDT")
    assert len(canceled) >= 10
    for status in statuses_of_every_web_process(running_stack):
        assert (status["kill_switch"], status["active"]) == (True, False)
        assert (status["reason"], status["open_orders"]) == ("too many orders", 0)
    assert client.metric("levi_kill_switch", reason="too many orders") == 1
    assert find_differences(client, venue) == []


def test_a_restart_keeps_the_halt_beside_a_stack_that_trades(running_stack: StackInstance, client, venue):
    before = client.kill("before the restart")
    second = StackInstance()
    try:
        second.launch()
        running_stack.restart()
        second.wait_ready()
        with running_stack.client() as first, second.client() as other:
            stays_halted(first, venue, before["epoch"])
            trades_alone(other, second.venue, venue)
            release_works(first, venue)
    finally:
        left = second.end()
    assert left == []


def stays_halted(client: PanelClient, venue: SimulatedVenue, epoch: int) -> None:
    status = client.status()
    assert (status["kill_switch"], status["reason"]) == (True, "before the restart")
    assert status["epoch"] == epoch
    began = time.time()
    answer = client.post_signal().json()
    assert (answer["decision"], answer["codes"]) == ("denied", ["halted"])
    assert placements_after(venue, began) == []
    # The sweep began in the processes of before; those of now bring it to its proof.
    wait_until(lambda: client.status()["sweep"]["verdict"] == "clean", "the sweep has its proof")


def trades_alone(client: PanelClient, venue: SimulatedVenue, neighbour: SimulatedVenue) -> None:
    """The second stack knows nothing of the halt, and the first venue nothing of its order."""
    known = len(neighbour.orders())
    assert client.status()["active"]
    order_id = client.post_signal().json()["order_id"]
    wait_until(lambda: client.get_order(order_id)["status"] == "filled", "the second stack trades")
    assert find_differences(client, venue) == []
    assert len(neighbour.orders()) == known


def release_works(client: PanelClient, venue: SimulatedVenue) -> None:
    assert client.release()["active"]
    order_id = client.post_signal().json()["order_id"]
    wait_until(lambda: client.get_order(order_id)["status"] == "filled", "trading goes on")
    assert find_differences(client, venue) == []
