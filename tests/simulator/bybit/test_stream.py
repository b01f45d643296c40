"""The private stream: signing in, topics, what is told, what is told twice, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulator.bybit.auth import sign
from simulator.bybit.talk import BybitTalk
from tests.simulator.bybit.signed_client import BybitClient, code, result
from tests.simulator.bybit.stream_client import PATIENCE, BybitStream
from tests.simulator.test_events import open_venue

EVERYTHING = ("order.spot", "execution.spot", "wallet")
Opener = Callable[..., BybitStream]


@pytest.fixture
def opened(bybit) -> Iterator[Opener]:
    streams: list[BybitStream] = []

    def open_stream(*topics: str, **more: object) -> BybitStream:
        streams.append(BybitStream(bybit, *topics, **more))
        return streams[-1]

    yield open_stream
    for stream in streams:
        stream.close()


def test_a_published_signature_of_the_stream_comes_out():
    signature = sign("test_secret", b"GET/realtime1700000010000")
    assert signature == "f01084fb6f298f64707f648000637356f4fc4cd484f1eeb04a6e79ae44339d71"


# -- talking -------------------------------------------------------------------------------------------------------


def test_nothing_is_subscribed_before_a_client_has_signed_in(opened: Opener, bybit):
    stream = opened(sign_in=False)
    refused = stream.say("subscribe", "order.spot", req_id="r1")
    assert (refused["success"], refused["ret_msg"]) == (False, "error:Request not authorized")
    assert (refused["op"], refused["req_id"]) == ("subscribe", "r1")
    assert not stream.sign_in(key="nobody")["success"]
    assert not stream.sign_in(secret="wrong")["success"]
    assert not stream.sign_in(ends_in_ms=-1)["success"]
    assert stream.sign_in()["success"]
    assert stream.say("subscribe", *EVERYTHING)["success"]
    assert [row["user"] for row in bybit.stream_events("signed in")] == ["trader"]
    assert bybit.stream_events("subscribed")[0]["channels"] == list(EVERYTHING)


def test_a_wrong_topic_refuses_the_whole_request(opened: Opener):
    stream = opened()
    refused = stream.say("subscribe", "order.spot", "tickers.BTCUSDT")
    assert refused["ret_msg"] == "error:handler not found,topic:tickers.BTCUSDT"
    assert not stream.say("subscribe", "order", "order.spot")["success"]
    assert not stream.say("subscribe", *(["wallet"] * 11))["success"]
    assert not stream.say("subscribe")["success"]
    assert not stream.say("whisper")["success"]
    assert stream.messages() == []


def test_a_ping_is_answered_with_a_pong_of_the_private_kind(opened: Opener):
    pong = opened(sign_in=False).say("ping", req_id="p1")
    assert (pong["op"], pong["req_id"], len(pong["args"])) == ("pong", "p1", 1)
    assert "success" not in pong


# -- telling -------------------------------------------------------------------------------------------------------


def test_an_order_its_fills_and_the_balances_are_told_as_rest_tells_them(
    client: BybitClient, opened: Opener, bybit
):
    stream = opened(*EVERYTHING)
    client.place(qty="0.02", price="46000", orderLinkId="told")
    bybit.fill("told", "0.005")
    client.cancel("told")
    messages = stream.messages()
    orders = [row for message in messages if message["topic"] == "order.spot" for row in message["data"]]
    assert [row["orderStatus"] for row in orders] == ["New", "PartiallyFilled", "PartiallyFilledCanceled"]
    assert orders[-1] == {"category": "spot"} | client.order("told")
    fills = [row for message in messages if message["topic"] == "execution.spot" for row in message["data"]]
    assert fills == [{"category": "spot"} | row for row in client.executions()]
    wallets = [message["data"][0] for message in messages if message["topic"] == "wallet"]
    assert wallets[0]["coin"][0]["locked"] == "920"
    last = {row["coin"]: row for wallet in wallets for row in wallet["coin"]}
    assert last["USDT"]["walletBalance"] == client.coin("USDT")["walletBalance"] == "99770"
    assert last["BTC"]["walletBalance"] == client.coin("BTC")["walletBalance"]


def test_fills_of_one_moment_share_a_message(client: BybitClient, opened: Opener, bybit):
    bybit.change_instrument("BTCUSDT", depth_notional="500")
    stream = opened("execution")
    client.place(order_type="Market", qty="5000", orderLinkId="deep")
    (message,) = stream.messages()
    assert len(message["data"]) == len(bybit.fills()) > 1


def test_an_acknowledged_order_that_is_rejected_is_told_with_its_reason(client: BybitClient, opened: Opener):
    stream = opened("order")
    result(client.place(qty="0.01", price="55000.01", orderLinkId="high"))
    result(client.place(qty="0.01", price="50100", timeInForce="PostOnly", orderLinkId="taker"))
    ends = [(row["orderStatus"], row["rejectReason"]) for row in stream.rows("order")]
    assert ends == [
        ("Rejected", "EC_ReachRiskPriceLimit"),
        ("New", "EC_NoError"),
        ("Cancelled", "EC_PostOnlyWillTakeLiquidity"),
    ]


def test_an_order_that_is_decided_later_is_told_without_being_asked_for(
    client: BybitClient, opened: Opener, bybit
):
    bybit.settings(decision_seconds="0.05")
    stream = opened("order")
    client.place(qty="0.01", price="46000", orderLinkId="pending")
    (row,) = stream.receive()["data"]
    assert (row["orderLinkId"], row["orderStatus"]) == ("pending", "New")


def test_a_cancel_that_lost_the_race_makes_the_end_come_twice(client: BybitClient, opened: Opener, bybit):
    bybit.settings(late_cancels="acknowledge")
    stream = opened("order.spot")
    client.place(order_type="Market", qty="500", orderLinkId="filled")
    assert code(client.cancel("filled")) == 0
    *_, first, second = stream.rows("order.spot")
    assert (first["orderStatus"], first["rejectReason"]) == ("Filled", "EC_NoError")
    assert (second["orderStatus"], second["cancelType"], second["rejectReason"]) == (
        "Filled",
        "CancelByUser",
        "EC_OrigClOrdIDDoesNotExist",
    )
    assert first["cumExecQty"] == second["cumExecQty"]


def test_nothing_is_told_to_others_and_nothing_after_unsubscribing(
    client: BybitClient, opened: Opener, bybit
):
    bybit.add_user("other", "other-key", "other-secret")
    stranger = opened(sign_in=False)
    assert stranger.sign_in(key="other-key", secret="other-secret")["success"]
    assert stranger.say("subscribe", *EVERYTHING)["success"]
    mine = opened(*EVERYTHING)
    assert mine.say("unsubscribe", "wallet", "execution.spot")["success"]
    client.place(qty="0.01", price="46000")
    assert [message["topic"] for message in mine.messages()] == ["order.spot"]
    assert stranger.messages() == []


# -- faults and endings --------------------------------------------------------------------------------------------


def test_stream_faults_meet_topics_by_name(client: BybitClient, opened: Opener, bybit):
    stream = opened(*EVERYTHING)
    bybit.faults(
        [
            {"match": {"venue": "bybit", "channel": "order"}, "kind": "stream_gap", "count": 1},
            {"match": {"channel": "execution.spot"}, "kind": "stream_duplicate"},
        ]
    )
    client.place(qty="0.01", price="46000", orderLinkId="faulty")
    bybit.fill("faulty")
    messages = stream.messages()
    topics = [message["topic"] for message in messages if message["topic"] != "wallet"]
    assert sorted(topics) == ["execution.spot", "execution.spot", "order.spot"]
    assert [row["channel"] for row in bybit.stream_events("lost")] == ["order.spot"]


def test_a_dropped_client_is_refused_for_a_while_once_it_says_who_it_is(opened: Opener, bybit):
    stream = opened("wallet")
    bybit.faults([{"kind": "stream_drop", "count": 1, "refuse_seconds": 60}])
    with pytest.raises(ConnectionClosed):
        stream.line.recv(timeout=PATIENCE)
    again = opened(sign_in=False)
    again.sign_in()
    with pytest.raises(ConnectionClosed):
        again.line.recv(timeout=PATIENCE)
    bybit.clear_faults()
    assert opened("wallet").messages() == []


def test_too_many_connections_are_refused(opened: Opener, bybit):
    bybit.settings(limits_enabled=True, limits_scale="0.004")
    try:
        for _ in range(2):
            opened(sign_in=False)
        with pytest.raises(InvalidStatus, match="403"):
            opened(sign_in=False)
    finally:
        bybit.settings(limits_enabled=False)


@pytest.mark.parametrize(
    ("asked", "seconds"), [(None, 60), ("45s", 45), ("1m", 60), ("5s", 30), ("20m", 600), ("soon", 60)]
)
def test_silence_ends_it_after_what_the_client_asked_for(asked: str | None, seconds: int):
    talk = BybitTalk(open_venue(), 1, asked)
    assert talk.find_end(0, 100) == (100 + seconds, f"no traffic for {seconds} s")
