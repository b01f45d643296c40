"""Every fault of a stream, for real: what the client gets, what it never gets, and what the venue says about it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from google.protobuf.message import DecodeError
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulator.mexc.pushes import ACCOUNT, DEALS, ORDERS
from simulator.testing import SimulatedVenue
from tests.simulator.mexc_client import SignedClient
from tests.simulator.stream_client import PATIENCE, StreamClient


@pytest.fixture
def stream(venue: SimulatedVenue, client: SignedClient) -> Iterator[StreamClient]:
    stream = StreamClient.follow(venue, client)
    yield stream
    stream.close()


def place(client: SignedClient, name: str) -> None:
    assert client.place(quantity="0.01", price="40000", newClientOrderId=name).status_code == 200


def read_abrupt_end(stream: StreamClient) -> None:
    """Cut off: no closing frame came."""
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            stream.line.recv(timeout=PATIENCE)
    assert ended.value.rcvd is None


def test_a_gap_loses_frames_of_its_channel_and_names_them(venue, client: SignedClient, stream: StreamClient):
    venue.faults([{"match": {"channel": "orders"}, "kind": "stream_gap", "count": 1, "after": 1}])
    for name in ("g1", "g2", "g3"):
        place(client, name)
    frames = [stream.read(frame) for frame in stream.frames()]
    assert [body["clientId"] for channel, body in frames if channel == ORDERS] == ["g1", "g3"]
    assert len([channel for channel, _ in frames if channel == ACCOUNT]) == 3
    (lost,) = venue.stream_events("lost")
    assert (lost["client_order_id"], lost["status"], lost["reason"]) == ("g2", "NEW", "stream_gap")
    (row,) = venue.streams()
    assert (row["sent"][ORDERS], row["lost"]) == (2, {ORDERS: 1})
    assert [order["client_order_id"] for order in venue.orders()] == ["g1", "g2", "g3"]


def test_a_gap_by_probability_loses_the_same_frames_every_time(venue, client: SignedClient):
    def draw() -> list[str]:
        venue.reset()
        stream = StreamClient.follow(venue, client, ORDERS)
        venue.faults([{"kind": "stream_gap", "probability": 0.5}])
        for number in range(12):
            place(client, f"p{number}")
        told = [body["clientId"] for body in stream.events()]
        stream.close()
        return told

    first = draw()
    assert 0 < len(first) < 12
    assert draw() == first


def test_the_draws_for_frames_do_not_move_those_for_requests(venue, client: SignedClient):
    def draw(is_listening: bool) -> list[int]:
        venue.reset()
        stream = StreamClient.follow(venue, client)
        rule = {"match": {"path": "/api/v3/ping"}, "kind": "http_status", "status": 500, "probability": 0.5}
        venue.faults([rule, *[{"kind": "stream_gap", "probability": 0.5}] * is_listening])
        statuses = []
        for number in range(8):
            place(client, f"p{number}")
            statuses.append(client.public("/api/v3/ping").status_code)
        stream.close()
        return statuses

    assert draw(True) == draw(False)


def test_a_drop_cuts_open_connections_at_once_and_refuses_new_ones_for_a_while(
    venue, client: SignedClient, second_client: SignedClient, stream: StreamClient
):
    other = StreamClient.follow(venue, second_client)
    venue.faults([{"match": {"user": "trader"}, "kind": "stream_drop", "count": 1, "refuse_seconds": 60}])
    read_abrupt_end(stream)
    with pytest.raises(InvalidStatus) as refused:
        StreamClient.follow(venue, client)
    assert refused.value.response.status_code == 503
    place(client, "unheard")
    assert other.frames() == []
    assert [row["ended"] for row in venue.streams()] == ["stream_drop", None]
    venue.clear_faults()
    again = StreamClient.follow(venue, client)
    assert again.frames() == []
    again.close()
    other.close()


def test_a_drop_may_wait_for_a_frame_which_is_then_lost(venue, client: SignedClient, stream: StreamClient):
    venue.faults([{"match": {"channel": "deals"}, "kind": "stream_drop", "count": 1}])
    place(client, "d1")
    assert [body["clientId"] for body in stream.events(ORDERS)] == ["d1"]
    venue.fill("d1")
    read_abrupt_end(stream)
    first = venue.stream_events("lost")[0]
    assert (first["channel"], first["reason"]) == (DEALS, "stream_drop")
    assert venue.orders()[0]["status"] == "FILLED"


def test_a_polite_drop_says_goodbye(venue, stream: StreamClient):
    venue.faults([{"kind": "stream_drop", "count": 1, "polite": True}])
    with pytest.raises(ConnectionClosed) as ended:
        stream.line.recv(timeout=PATIENCE)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1001


def test_a_stalled_connection_stays_open_and_says_nothing_until_the_fault_is_cleared(
    venue, client: SignedClient, stream: StreamClient
):
    venue.faults([{"kind": "stream_stall", "count": 1}])
    venue.settings(stream_quiet_seconds="0.1")
    pong = stream.line.ping()
    stream.send('{"method":"PING"}')
    place(client, "s1")
    with pytest.raises(TimeoutError):
        stream.line.recv(timeout=0.3)
    assert not pong.is_set()
    (row,) = venue.streams()
    assert (row["stalled"], row["ended"], row["lost"]) == (True, None, {ORDERS: 1, ACCOUNT: 1})
    venue.settings(stream_quiet_seconds="60")
    venue.clear_faults()
    place(client, "s2")
    assert [body["clientId"] for body in stream.events(ORDERS)] == ["s2"]


def test_a_stall_may_end_by_itself(venue, client: SignedClient, stream: StreamClient):
    venue.faults([{"kind": "stream_stall", "count": 1, "seconds": 0.05}])
    place(client, "s1")
    deadline = time.monotonic() + PATIENCE
    while venue.streams()[0]["stalled"]:
        assert time.monotonic() < deadline
    place(client, "s2")
    assert [body["clientId"] for body in stream.events(ORDERS)][-1] == "s2"


def test_late_frames_are_overtaken(venue, client: SignedClient, stream: StreamClient):
    venue.faults([{"match": {"channel": "orders"}, "kind": "stream_latency", "seconds": 0.2, "count": 1}])
    place(client, "l1")
    assert stream.receive()[0] == ACCOUNT
    assert stream.receive()[1]["clientId"] == "l1"
    assert venue.stream_events("lost") == []


def test_a_duplicate_comes_twice(venue, client: SignedClient, stream: StreamClient):
    venue.faults([{"match": {"channel": "orders"}, "kind": "stream_duplicate", "count": 1}])
    place(client, "d1")
    assert [body["clientId"] for body in stream.events(ORDERS)] == ["d1", "d1"]


def test_frames_of_one_commit_come_in_the_reverse_order(venue, client: SignedClient, stream: StreamClient):
    venue.faults([{"match": {"channel": "orders"}, "kind": "stream_out_of_order"}])
    client.place(quantity="0.01", price="50100", newClientOrderId="o1")
    statuses = [body["status"] for body in stream.events(ORDERS)]
    assert (statuses[0], statuses[-1]) == (2, 1)


def test_a_malformed_frame_cannot_be_read(venue, client: SignedClient, stream: StreamClient):
    venue.faults([{"match": {"channel": ORDERS}, "kind": "stream_malformed", "count": 1}])
    place(client, "m1")
    broken, _ = stream.frames()
    with pytest.raises(DecodeError):
        stream.read(broken)


def test_faults_of_streams_leave_requests_alone_and_the_other_way_round(
    venue, client: SignedClient, stream: StreamClient
):
    venue.faults(
        [
            {"kind": "stream_gap"},
            {"match": {"path": "/api/v3/order"}, "kind": "reject", "count": 1, "after": 1},
        ]
    )
    place(client, "r1")
    assert client.place(quantity="0.01", price="40000").json()["code"] == 30016
    assert stream.frames() == []
    fired = {row["kind"]: row["fired"] for row in venue.get("/faults")["faults"]}
    assert fired == {"stream_gap": 2}
