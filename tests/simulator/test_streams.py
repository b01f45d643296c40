"""The private stream over a real socket: what is said on it, what comes on it, and how the venue ends it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from simulator.mexc.pushes import ACCOUNT, DEALS, ORDERS
from simulator.testing import SimulatedVenue, start_venue
from tests.simulator.mexc_client import SignedClient
from tests.simulator.stream_client import KEY_PATH, PATIENCE, StreamClient, dial, new_listen_key

BLOCKED = "Not Subscribed successfully! [{}].  Reason： Blocked! "


@pytest.fixture
def stream(venue: SimulatedVenue, client: SignedClient) -> Iterator[StreamClient]:
    stream = StreamClient.follow(venue, client)
    yield stream
    stream.close()


def read_end(stream: StreamClient) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as ended:
        stream.line.recv(timeout=PATIENCE)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


# -- frames --------------------------------------------------------------------------------------------------------


def test_an_order_is_followed_from_placed_to_filled(venue, client: SignedClient, stream: StreamClient):
    placed = client.place(quantity="0.1", price="40000", newClientOrderId="s1").json()
    venue.fill("s1", "0.04")
    venue.fill("s1")
    frames = [stream.read(frame) for frame in stream.frames()]
    orders = [body for channel, body in frames if channel == ORDERS]
    assert [body["status"] for body in orders] == [1, 3, 2]
    assert [body["cumulativeQuantity"] for body in orders] == ["0", "0.04", "0.1"]
    assert {(body["id"], body["clientId"]) for body in orders} == {(placed["orderId"], "s1")}
    assert (orders[1]["remainQuantity"], orders[1]["lastDealQuantity"], orders[1]["avgPrice"]) == (
        "0.06",
        "0.04",
        "40000",
    )
    deals = [body for channel, body in frames if channel == DEALS]
    assert [(body["quantity"], body["price"], body["isMaker"]) for body in deals] == [
        ("0.04", "40000", True),
        ("0.06", "40000", True),
    ]
    assert {body["tradeId"] for body in deals}.isdisjoint(fill["fill_id"] for fill in venue.fills())
    balances = {body["vcoinName"]: body for channel, body in frames if channel == ACCOUNT}
    assert (balances["BTC"]["balanceAmount"], balances["USDT"]["frozenAmount"]) == ("0.1", "0")


def test_a_cancel_and_a_refusal_to_rest_are_told(client: SignedClient, stream: StreamClient):
    client.place(quantity="0.1", price="40000", newClientOrderId="s1")
    client.cancel("s1")
    client.place(type="LIMIT_MAKER", quantity="0.1", price="50100", newClientOrderId="s2")
    told = [(body["clientId"], body["status"]) for body in stream.events(ORDERS)]
    assert told == [("s1", 1), ("s1", 4), ("s2", 1), ("s2", 4)]


def test_what_the_market_and_the_control_interface_do_is_told_too(
    venue, client: SignedClient, stream: StreamClient
):
    client.place(quantity="0.001", price="40000", newClientOrderId="s1")
    stream.frames()
    venue.set_price("BTCUSDT", "39000")
    venue.deposit("USDT", "5")
    frames = [stream.read(frame) for frame in stream.frames()]
    assert [body["status"] for channel, body in frames if channel == ORDERS] == [2]
    last = frames[-1]
    assert (last[0], last[1]["type"], last[1]["balanceAmountChange"]) == (ACCOUNT, "DEPOSIT", "5")


def test_an_order_whose_answer_is_lost_is_told(venue, client: SignedClient, stream: StreamClient):
    venue.faults([{"match": {"method": "POST"}, "kind": "drop_after", "count": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        client.place(quantity="0.1", price="40000", newClientOrderId="s1")
    assert [body["clientId"] for body in stream.events(ORDERS)] == ["s1"]


def test_only_the_own_orders_come_and_only_on_subscribed_channels(
    venue, client: SignedClient, second_client: SignedClient
):
    orders_only = StreamClient.follow(venue, client, ORDERS)
    others = StreamClient.follow(venue, second_client)
    client.place(quantity="0.01", price="40000", newClientOrderId="mine")
    assert [channel for channel, _ in map(orders_only.read, orders_only.frames())] == [ORDERS]
    assert others.frames() == []
    assert orders_only.say("UNSUBSCRIPTION", ORDERS) == ORDERS
    client.cancel("mine")
    assert orders_only.frames() == []
    orders_only.close()
    others.close()


def test_nothing_from_before_the_subscription_is_repeated(venue, client: SignedClient):
    key = new_listen_key(client)
    stream = StreamClient(venue, key)
    client.place(quantity="0.01", price="40000", newClientOrderId="early")
    assert stream.say("SUBSCRIPTION", ORDERS) == ORDERS
    assert stream.frames() == []
    stream.close()


# -- control texts -------------------------------------------------------------------------------------------------


def test_a_refused_channel_is_answered_with_code_zero(stream: StreamClient):
    assert stream.say("SUBSCRIPTION", "spot@private.oders") == BLOCKED.format("spot@private.oders")
    assert stream.say("SUBSCRIPTION", ORDERS, "spot@public.x", "spot@public.y") == ORDERS
    assert stream.hear() == BLOCKED.format("spot@public.x,spot@public.y")


def test_more_than_thirty_subscriptions_are_refused_as_a_whole(stream: StreamClient):
    many = [f"spot@public.{number}" for number in range(28)]
    assert stream.say("SUBSCRIPTION", *many, ORDERS) == BLOCKED.format(",".join([*many, ORDERS]))


@pytest.mark.parametrize(
    "text", ["hello", "[]", '{"method":"SUBSCRIPTION"}', '{"method":"SUBSCRIPTION","params":[1]}', '{"a":1}']
)
def test_what_cannot_be_read_is_answered_and_the_connection_stays(stream: StreamClient, text: str):
    stream.send(text)
    assert stream.hear() == "msg format invalid"
    assert stream.frames() == []


def test_a_number_in_a_message_comes_back_in_its_answer(stream: StreamClient):
    stream.send('{"id":7,"method":"PING"}')
    assert json.loads(stream.line.recv(timeout=PATIENCE)) == {"id": 7, "code": 0, "msg": "PONG"}


# -- who may connect -----------------------------------------------------------------------------------------------


def test_a_wrong_listen_key_is_told_in_plain_text_and_the_connection_ends(venue):
    stream = StreamClient(venue, "0" * 64)
    assert stream.line.recv(timeout=PATIENCE) == "Invalid listen key"
    assert read_end(stream)[0] == 1000


def test_without_a_listen_key_private_channels_are_refused(venue):
    stream = StreamClient(venue, None)
    assert stream.say("SUBSCRIPTION", ORDERS) == BLOCKED.format(ORDERS)
    stream.close()


def test_a_sixth_connection_on_one_key_is_refused_until_another_ends(venue, client: SignedClient):
    key = new_listen_key(client)
    streams = [StreamClient(venue, key, ORDERS) for _ in range(5)]
    sixth = StreamClient(venue, key)
    assert "Too many connections" in str(sixth.line.recv(timeout=PATIENCE))
    client.place(quantity="0.01", price="40000", newClientOrderId="s1")
    assert [len(stream.frames()) for stream in streams] == [1] * 5
    streams[0].close()
    streams[0] = StreamClient(venue, key, ORDERS)
    assert streams[0].frames() == []
    for stream in streams:
        stream.close()


def test_a_plain_request_for_the_stream_is_told_to_upgrade(venue, client: SignedClient):
    answer = client.public("/ws", listenKey=new_listen_key(client))
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
    assert venue.streams() == []


def test_an_unfinished_upgrade_is_refused_and_its_connection_serves_on(venue):
    with socket.create_connection(("127.0.0.1", venue.port), timeout=5) as line:
        line.sendall(
            b"GET /mexc/ws HTTP/1.1\r\nhost: venue\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        )
        assert line.recv(65_536).startswith(b"HTTP/1.1 426")
        line.sendall(b"GET /mexc/api/v3/ping HTTP/1.1\r\nhost: venue\r\n\r\n")
        assert line.recv(65_536).startswith(b"HTTP/1.1 200")
    assert venue.streams() == []
    assert venue.health()["streams"] == 0


# -- how it ends ---------------------------------------------------------------------------------------------------

LIMITS = {
    "no subscription for 0.2 s": ({"stream_unsubscribed_seconds": "0.2"}, ()),
    "no traffic for 0.2 s": ({"stream_quiet_seconds": "0.2"}, (ORDERS,)),
}


@pytest.mark.parametrize("reason", LIMITS)
def test_an_idle_connection_is_ended(venue, client: SignedClient, reason: str):
    settings, channels = LIMITS[reason]
    stream = StreamClient(venue, new_listen_key(client), *channels)
    venue.settings(**settings)
    assert read_end(stream) == (1000, reason)
    assert [row["ended"] for row in venue.streams()] == [reason]


def test_pings_of_the_protocol_are_answered_but_are_no_traffic(venue, stream: StreamClient):
    assert stream.line.ping().wait(PATIENCE)
    venue.settings(stream_quiet_seconds="0.2")
    deadline = time.monotonic() + PATIENCE
    with pytest.raises(ConnectionClosed) as ended:
        while time.monotonic() < deadline:
            stream.line.ping().wait(0.02)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.reason == "no traffic for 0.2 s"


def test_an_expired_key_ends_its_connections(venue, client: SignedClient):
    key = new_listen_key(client)
    stream = StreamClient(venue, key, ORDERS)
    venue.settings(listen_key_seconds="0.2")
    client.call("PUT", KEY_PATH, listenKey=key)
    venue.settings(listen_key_seconds="0.2")  # looks at every connection's end again
    assert read_end(stream) == (1000, "listen key expired")


def test_a_deleted_key_ends_its_connections_and_no_others(venue, client: SignedClient, stream: StreamClient):
    key = new_listen_key(client)
    ending = StreamClient(venue, key, ORDERS)
    client.call("DELETE", KEY_PATH, listenKey=key)
    assert read_end(ending) == (1000, "listen key deleted")
    assert stream.frames() == []


def test_a_reset_ends_all_streams(venue, stream: StreamClient):
    venue.reset()
    assert read_end(stream) == (1001, "the venue was reset")
    assert venue.streams() == []


def test_the_end_of_the_program_ends_streams_cleanly():
    venue = start_venue(tick_ms=0)
    client = SignedClient(venue.base_url, venue.key, venue.secret)
    stream = StreamClient.follow(venue, client)
    client.close()
    assert venue.stop() == 0
    assert read_end(stream) == (1001, "the venue stops")
    assert venue.process.stdout is not None
    venue.process.stdout.close()


def test_a_client_that_is_gone_costs_nothing_more(venue, client: SignedClient):
    polite, rude = StreamClient.follow(venue, client), StreamClient.follow(venue, client)
    polite.close()
    rude.line.socket.shutdown(socket.SHUT_RDWR)
    rude.line.close()
    client.place(quantity="0.01", price="40000")
    assert sorted(row["ended"] for row in venue.streams()) == ["closed by the client", "connection lost"]
    assert venue.stream_events("lost") == []


def test_a_message_that_is_far_too_long_ends_the_connection(venue, stream: StreamClient):
    stream.send("x" * 100_000)
    assert read_end(stream)[0] == 1009
    assert [row["ended"] for row in venue.streams()] == ["the client broke the protocol"]


def test_the_view_names_users_channels_and_counts_but_no_key(venue, client: SignedClient):
    key = new_listen_key(client)
    stream = StreamClient(venue, key, ORDERS, DEALS)
    client.place(quantity="0.01", price="40000")
    stream.frames()
    (row,) = venue.streams()
    assert (row["user"], row["channels"], row["sent"], row["lost"], row["ended"]) == (
        "trader",
        [ORDERS, DEALS],
        {ORDERS: 1},
        {},
        None,
    )
    assert [event["event"] for event in venue.stream_events()] == ["opened", "subscribed"]
    opening = venue.requests(path="/ws")
    assert [(entry["status"], entry["user"], entry["params"]) for entry in opening] == [(101, "trader", {})]
    assert key not in str(venue.get("/streams"))
    stream.close()


def test_a_frame_cut_into_pieces_is_read_whole(venue, client: SignedClient):
    line = dial(venue, new_listen_key(client))
    line.send(['{"method":', '"PI', 'NG"}'])
    assert line.recv(timeout=PATIENCE) == '{"id":0,"code":0,"msg":"PONG"}'
    line.close()
