"""The simulated Binance's user data stream over a real socket: who gets it, what comes on it, and how it ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.simulator.binance.client import BinanceClient, now_ms
from tests.simulator.binance.socket_client import PATIENCE, SocketClient, dial

REPORT, POSITION, TRANSFER = "executionReport", "outboundAccountPosition", "balanceUpdate"


@pytest.fixture
def stream(binance, client: BinanceClient) -> Iterator[SocketClient]:
    stream = SocketClient.follow(binance, client)
    yield stream
    stream.close()


def read_end(stream: SocketClient) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as ended:
        stream.line.recv(timeout=PATIENCE)
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


# -- events --------------------------------------------------------------------------------------------------------


def test_an_order_is_followed_from_placed_to_filled(binance, client, stream: SocketClient) -> None:
    number = client.rest("s1", quantity="0.1")
    binance.fill("s1", "0.04")
    binance.fill("s1")
    reports = stream.events(REPORT)
    assert [(event["x"], event["X"]) for event in reports] == [
        ("NEW", "NEW"),
        ("TRADE", "PARTIALLY_FILLED"),
        ("TRADE", "FILLED"),
    ]
    assert [event["z"] for event in reports] == ["0.00000000", "0.04000000", "0.10000000"]
    assert {(event["i"], event["c"], event["C"], event["m"]) for event in reports[1:]} == {
        (number, "s1", "", True)
    }
    placed, _, filled = reports
    assert (placed["t"], placed["n"], placed["N"], placed["l"]) == (-1, "0", None, "0.00000000")
    assert (filled["l"], filled["L"], filled["N"]) == ("0.06000000", "40000.00000000", "BTC")
    assert [event["t"] for event in reports[1:]] == [fill["id"] for fill in client.fills()]


def test_balances_that_one_change_moved_stand_in_one_event(binance, client, stream: SocketClient) -> None:
    client.rest("s1", quantity="0.1")
    (locked,) = stream.events(POSITION)
    assert locked["B"] == [{"a": "USDT", "f": "96000.00000000", "l": "4000.00000000"}]
    binance.fill("s1")
    (moved,) = stream.events(POSITION)
    assert {row["a"]: (row["f"], row["l"]) for row in moved["B"]} == {
        "BTC": ("0.09990000", "0.00000000"),
        "USDT": ("96000.00000000", "0.00000000"),
    }


def test_a_cancel_has_the_orders_name_as_the_original_one(client, stream: SocketClient) -> None:
    client.rest("s1")
    client.cancel("s1", newClientOrderId="the-cancel")
    canceled = stream.events(REPORT)[-1]
    assert (canceled["x"], canceled["X"], canceled["c"], canceled["C"]) == (
        "CANCELED",
        "CANCELED",
        "the-cancel",
        "s1",
    )
    assert "eR" not in canceled


def test_what_is_left_of_an_immediate_order_expires_with_a_reason(client, stream: SocketClient) -> None:
    client.place(timeInForce="IOC", quantity="1", price="50000.01")
    new, trade, expired = stream.events(REPORT)
    assert [event["x"] for event in (new, trade, expired)] == ["NEW", "TRADE", "EXPIRED"]
    assert expired["eR"] == "UNFILLED_IOC_QUANTITY_EXPIRED"
    assert (expired["z"], expired["l"], expired["t"]) == (trade["z"], "0.00000000", -1)


def test_an_order_by_quote_ends_filled_and_each_fill_is_told_once(client, stream: SocketClient) -> None:
    order = client.place("MARKET", quoteOrderQty="9000").json()
    reports = stream.events(REPORT)
    trades = [event for event in reports if event["x"] == "TRADE"]
    assert [event["t"] for event in trades] == [fill["tradeId"] for fill in order["fills"]]
    assert len(trades) > 1
    assert (trades[-1]["X"], trades[-1]["q"], trades[-1]["Q"]) == (
        "FILLED",
        order["executedQty"],
        "9000.00000000",
    )
    assert [event["x"] for event in reports if event["x"] != "TRADE"] == ["NEW"]


def test_deposits_and_withdrawals_are_told_as_changes_and_as_balances(binance, stream: SocketClient) -> None:
    binance.deposit("USDT", "5")
    binance.withdraw("USDT", "7", fee="1")
    events = stream.events()
    assert [(event["a"], event["d"]) for event in events if event["e"] == TRANSFER] == [
        ("USDT", "5.00000000"),
        ("USDT", "-8.00000000"),
    ]
    assert [event["B"][0]["f"] for event in events if event["e"] == POSITION] == [
        "100005.00000000",
        "99997.00000000",
    ]


def test_only_the_own_orders_come(binance, client, other, stream: SocketClient) -> None:
    theirs = SocketClient.follow(binance, other)
    client.rest("mine")
    assert [event["c"] for event in stream.events(REPORT)] == ["mine"]
    assert theirs.events() == []
    theirs.close()


# -- requests ------------------------------------------------------------------------------------------------------


def test_nothing_comes_before_the_subscription_and_nothing_is_repeated(binance, client) -> None:
    stream = SocketClient(binance)
    client.rest("early")
    assert stream.ask("session.status")["result"]["userDataStream"] is False
    assert stream.subscribe(client)["status"] == 200
    assert stream.events() == []
    assert stream.ask("session.status")["result"]["userDataStream"] is True
    assert stream.ask("session.subscriptions")["result"] == [{"subscriptionId": 0}]
    stream.close()


def test_a_second_subscription_is_refused_and_an_ended_one_says_so(client, stream: SocketClient) -> None:
    assert stream.subscribe(client)["error"]["code"] == -2035
    assert stream.ask("userDataStream.unsubscribe", subscriptionId=4)["error"]["code"] == -2036
    assert stream.ask("userDataStream.unsubscribe")["result"] == {}
    ended = stream.events("eventStreamTerminated")
    assert len(ended) == 1
    client.rest("unheard")
    assert stream.events() == []
    assert stream.subscribe(client)["result"] == {"subscriptionId": 1}
    client.rest("heard")
    assert [event["c"] for event in stream.events(REPORT)] == ["heard"]


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        ({"apiKey": "nobody"}, 401, -2015),
        ({"signature": "00"}, 400, -1022),
        ({"timestamp": 1}, 400, -1021),
        ({"recvWindow": 60_001}, 400, -1102),
    ],
)
def test_a_subscription_is_checked_as_every_signed_request(
    binance, client, changes, status, expected
) -> None:
    stream = SocketClient(binance)
    answer = stream.subscribe(client, **changes)
    assert (answer["status"], answer["error"]["code"]) == (status, expected)
    assert stream.ask("session.subscriptions")["result"] == []
    stream.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", -1135),
        ("[]", -1135),
        ('{"id":1}', -1135),
        ('{"id":1,"method":"order.place"}', -1020),
        ('{"id":1,"method":"userDataStream.start","params":{}}', -1020),
        ('{"id":1,"method":"userDataStream.subscribe.signature","params":{}}', -1102),
    ],
)
def test_what_cannot_be_read_or_done_is_answered(binance, text: str, expected: int) -> None:
    stream = SocketClient(binance)
    stream.line.send(text)
    assert stream.hear()["error"]["code"] == expected
    assert stream.ask("v3/ping")["result"] == {}
    stream.close()


def test_answers_say_the_used_weight_unless_told_not_to(binance) -> None:
    loud, quiet = SocketClient(binance), SocketClient(binance, "?returnRateLimits=false")
    (row,) = loud.ask("time")["rateLimits"]
    assert (row["rateLimitType"], row["limit"], row["count"] > 0) == ("REQUEST_WEIGHT", 6_000, True)
    assert "rateLimits" not in loud.ask("time", returnRateLimits=False)
    assert "rateLimits" not in quiet.ask("time")
    assert "rateLimits" in quiet.ask("time", returnRateLimits=True)
    loud.close()
    quiet.close()


def test_over_the_weight_a_request_is_refused_with_the_time_to_come_back(binance) -> None:
    stream = SocketClient(binance)
    binance.settings(limits_enabled=True, limits_scale="0.001")  # 6 a minute
    answers = [stream.ask("ping") for _ in range(14)]
    refused = next(answer for answer in answers if answer["status"] != 200)
    assert (refused["status"], refused["error"]["code"]) == (429, -1003)
    assert refused["error"]["data"]["retryAfter"] > now_ms()
    stream.close()


# -- how it ends ---------------------------------------------------------------------------------------------------


def test_a_client_that_answers_pings_stays_and_one_that_does_not_is_ended(binance, client) -> None:
    binance.settings(stream_ping_seconds="0.05", stream_quiet_seconds="0.6")
    deaf = dial(binance)
    deaf.protocol.send_pong = lambda data: None  # type: ignore[method-assign]
    original = deaf.protocol.recv_frame

    def ignore_pings(frame: Frame) -> None:
        if frame.opcode is not Opcode.PING:
            original(frame)

    deaf.protocol.recv_frame = ignore_pings  # type: ignore[method-assign]
    polite = SocketClient.follow(binance, client)
    with pytest.raises(ConnectionClosed) as ended:
        deaf.recv(timeout=PATIENCE)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.reason == "no pong for 0.6 s"
    client.rest("still-here")
    assert [event["c"] for event in polite.events(REPORT)] == ["still-here"]
    polite.close()


def test_a_polite_drop_is_announced(binance, stream: SocketClient) -> None:
    binance.faults([{"match": {"venue": "binance"}, "kind": "stream_drop", "polite": True, "count": 1}])
    assert stream.hear()["event"]["e"] == "serverShutdown"
    assert read_end(stream)[0] == 1001


def test_a_dropped_user_is_refused_for_a_while(binance, client, stream: SocketClient) -> None:
    binance.faults([{"match": {"user": "trader"}, "kind": "stream_drop", "refuse_seconds": 600, "count": 1}])
    with pytest.raises(ConnectionClosed):
        stream.line.recv(timeout=PATIENCE)
    again = SocketClient(binance)
    assert again.subscribe(client)["status"] == 200
    assert again.hear()["event"]["e"] == "serverShutdown"
    assert read_end(again)[0] == 1001
    binance.clear_faults()
    SocketClient.follow(binance, client).close()


def test_frames_are_lost_doubled_and_broken_as_ordered(binance, client, stream: SocketClient) -> None:
    rules = [
        ("stream_gap", "orders"),
        ("stream_duplicate", "account"),
        ("stream_malformed", "executionReport"),
    ]
    binance.faults([{"match": {"channel": rules[0][1]}, "kind": rules[0][0], "count": 1}])
    number = client.rest("s1")
    assert [event["e"] for event in stream.events()] == [POSITION]
    lost = binance.stream_events("lost")[-1]
    assert (lost["order_id"], lost["user"]) == (str(number), "trader")
    binance.faults([{"match": {"channel": rules[1][1]}, "kind": rules[1][0], "count": 1}])
    client.cancel("s1")
    assert [event["e"] for event in stream.events()] == [REPORT, POSITION, POSITION]
    binance.faults([{"match": {"channel": rules[2][1]}, "kind": rules[2][0], "count": 1}])
    client.rest("s2")
    with pytest.raises(json.JSONDecodeError):
        stream.hear()


def test_a_reset_ends_every_stream(binance, stream: SocketClient) -> None:
    ending = threading.Thread(target=binance.reset)
    ending.start()
    assert stream.hear()["event"]["e"] == "serverShutdown"
    assert read_end(stream) == (1001, "the venue was reset")
    ending.join()
