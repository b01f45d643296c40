"""The stream's own steps, against a server that a test directs: opening, staying alive, and every way to lose it."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from http import HTTPStatus
from socket import socket

import pytest
from websockets.http11 import Response
from websockets.sync.server import ServerConnection

from tests.exchanges.making import KEY, SECRET, CountingObserver
from tests.exchanges.mexc.samples import ACCOUNT_FRAME, DEALS_FRAME, ORDERS_FRAME
from tests.exchanges.mexc.test_stream_events import frame
from tests.exchanges.raw_server import RawServer
from tests.exchanges.stream_server import (
    LISTEN_KEY,
    KeyOffice,
    Stage,
    acknowledge,
    say,
    says_after_acknowledging,
    stage,
    wait_for_end,
)
from trading.domain.errors import VenueRefused, VenueThrottled, VenueUnavailable
from trading.exchanges.mexc import stream as stream_module
from trading.exchanges.mexc.stream import PING_SECONDS, RENEWAL_SECONDS, SILENCE_SECONDS
from trading.exchanges.mexc.stream_events import CHANNELS, DEALS_CHANNEL, ORDERS_CHANNEL
from trading.exchanges.streams import StreamEventKind, StreamLost

PATIENCE = 20.0
REFUSAL = f"Not Subscribed successfully! [{ORDERS_CHANNEL}].  Reason： Blocked! "


def lost_on_read(found: Stage) -> str:
    found.stream.open()
    with pytest.raises(StreamLost) as caught:
        while found.stream.read(PATIENCE) is not None:
            pass
    return caught.value.message


def lost_on_open(found: Stage) -> str:
    with pytest.raises(StreamLost) as caught:
        found.stream.open()
    assert found.office.calls == ["POST", "DELETE"], "the key of a half-open stream goes back"
    return caught.value.message


# -- opening -------------------------------------------------------------------------------------------------------


def test_it_is_open_when_every_channel_is_acknowledged() -> None:
    with stage(says_after_acknowledging(ORDERS_FRAME)) as found:
        assert found.stream.heard_at is None
        found.stream.open()
        assert found.stream.heard_at == found.clock.at
        event = found.stream.read(PATIENCE)
        assert event is not None and event.kind is StreamEventKind.ORDER
        assert found.server.paths == [f"/ws?listenKey={LISTEN_KEY}"]


def test_channels_may_be_acknowledged_one_by_one_and_what_comes_between_is_kept() -> None:
    def talk(link: ServerConnection) -> None:
        link.recv()
        for channel in CHANNELS:
            link.send(say(channel))
            link.send(DEALS_FRAME)
        link.send(say(CHANNELS[0]))  # once more: no harm
        wait_for_end(link)

    with stage(talk) as found:
        found.stream.open()
        kinds = [found.stream.read(PATIENCE) for _ in CHANNELS]
        assert [event and event.kind for event in kinds] == [StreamEventKind.FILL] * 3
        assert found.stream.read(0.05) is None


@pytest.mark.parametrize("text", [say(REFUSAL), "Invalid listen key", say("no", code=7)])
def test_a_refused_subscription_is_no_stream_although_its_code_is_zero(text: str) -> None:
    def talk(link: ServerConnection) -> None:
        link.recv()
        link.send(say(",".join(CHANNELS[1:])))
        link.send(text)
        wait_for_end(link)

    with stage(talk) as found:
        assert "The venue said:" in lost_on_open(found)


def test_a_channel_that_is_not_acknowledged_in_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_ACKNOWLEDGE_SECONDS", 0.2)

    def talk(link: ServerConnection) -> None:
        link.recv()
        link.send(say(f"{ORDERS_CHANNEL},{DEALS_CHANNEL}"))
        wait_for_end(link)

    with stage(talk) as found:
        reason = lost_on_open(found)
    assert reason.startswith("Not acknowledged in time: ")
    assert "spot@private.account.v3.api.pb" in reason


@pytest.mark.parametrize(
    ("status", "error"), [(401, VenueRefused), (429, VenueThrottled), (503, VenueUnavailable)]
)
def test_a_refused_handshake_is_the_venues_error(status: int, error: type[Exception]) -> None:
    def refuse(link: ServerConnection, _request: object) -> Response:
        return link.respond(HTTPStatus(status), LISTEN_KEY)

    with stage(wait_for_end, process_request=refuse) as found:
        with pytest.raises(error, match=f"HTTP {status}") as caught:
            found.stream.open()
        assert LISTEN_KEY not in str(caught.value)
        assert found.office.calls == ["POST", "DELETE"]


def test_without_a_key_nothing_is_connected() -> None:
    office = KeyOffice()
    office.answers["POST"] = "400 Bad", {"code": 700007, "msg": "no permission"}
    with stage(wait_for_end, office=office) as found:
        with pytest.raises(VenueRefused, match="700007"):
            found.stream.open()
        assert found.server.paths == []
        assert office.calls == ["POST"]


def test_a_venue_that_hangs_does_not_hold_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_ACKNOWLEDGE_SECONDS", 0.1)
    gone = threading.Event()

    def hang(link: ServerConnection) -> None:
        gone.wait(PATIENCE)

    with stage(hang) as found:
        lost_on_open(found)
        gone.set()


# -- reading -------------------------------------------------------------------------------------------------------


def test_events_come_in_their_order_and_other_channels_are_left_out() -> None:
    foreign = frame("spot@public.deals.v3.api.pb@BTCUSDT", {"price": "1"}, into="privateDeals")
    with stage(says_after_acknowledging(ORDERS_FRAME, foreign, DEALS_FRAME, ACCOUNT_FRAME)) as found:
        found.stream.open()
        kinds = [event.kind for _ in range(3) if (event := found.stream.read(PATIENCE))]
        assert kinds == [StreamEventKind.ORDER, StreamEventKind.FILL, StreamEventKind.BALANCE]
        assert found.stream.read(0.05) is None


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (ORDERS_FRAME[:-1], "A frame cannot be read"),
        (frame(ORDERS_CHANNEL, None), "A frame cannot be read"),
        (b"\x00" * 3_000_000, "larger than"),
        ("Invalid listen key", "The venue said: Invalid listen key"),
        (say(f"listen key {LISTEN_KEY} expired"), "The venue said"),
        ("", "The venue said: an empty text"),
    ],
)
def test_what_cannot_be_trusted_loses_the_stream(message: str | bytes, said: str) -> None:
    with stage(says_after_acknowledging(message)) as found:
        reason = lost_on_read(found)
    assert said in reason
    assert LISTEN_KEY not in reason


def test_a_closed_connection_loses_the_stream_with_the_venues_reason() -> None:
    def talk(link: ServerConnection) -> None:
        acknowledge(link)
        link.close(1001, f"bye {LISTEN_KEY}")

    with stage(talk) as found:
        assert lost_on_read(found) == "The connection is lost: the venue closed it with code 1001 bye ***."


def test_it_says_ping_every_fifteen_seconds_and_a_pong_is_a_sign_of_life() -> None:
    heard: list[str | bytes] = []

    def talk(link: ServerConnection) -> None:
        acknowledge(link)
        for text in link:
            heard.append(text)
            link.send(say("PONG"))

    with stage(talk) as found:
        found.stream.open()
        for _ in range(5):
            found.clock.at += PING_SECONDS
            give_up_at = time.monotonic() + PATIENCE
            while found.stream.heard_at != found.clock.at:
                assert time.monotonic() < give_up_at
                assert found.stream.read(0.02) is None
    assert heard == ['{"method": "PING"}'] * 5


def test_silence_loses_the_stream() -> None:
    with stage(says_after_acknowledging()) as found:
        found.stream.open()
        found.clock.at += SILENCE_SECONDS
        assert found.stream.read(0) is None
        found.clock.at += 1
        with pytest.raises(StreamLost, match="Silent: nothing was heard for 41 s"):
            found.stream.read(0)


def test_what_waits_to_be_read_is_no_silence() -> None:
    with stage(says_after_acknowledging(ORDERS_FRAME)) as found:
        found.stream.open()
        found.clock.at += SILENCE_SECONDS * 3
        assert found.stream.read(PATIENCE) is not None
        assert found.stream.heard_at == found.clock.at


def test_it_is_renewed_before_the_venue_ends_it() -> None:
    with stage(says_after_acknowledging()) as found:
        found.stream.open()
        found.clock.at += RENEWAL_SECONDS
        with pytest.raises(StreamLost, match="Renewal"):
            found.stream.read(PATIENCE)


def test_a_key_that_is_refused_its_extension_loses_the_stream() -> None:
    with stage(says_after_acknowledging()) as found:
        found.stream.open()
        found.office.answers["PUT"] = "400 Bad", {"code": 730708, "msg": f"{LISTEN_KEY} unknown"}
        found.clock.at += 1800
        with pytest.raises(StreamLost, match="The listen key was not extended") as caught:
            found.stream.read(PATIENCE)
        assert LISTEN_KEY not in str(caught.value)


# -- closing -------------------------------------------------------------------------------------------------------


def test_closing_from_another_thread_ends_a_read_and_gives_the_key_back_once() -> None:
    reasons: list[str] = []
    with stage(says_after_acknowledging()) as found:
        found.stream.open()
        reading = threading.Event()

        def read() -> None:
            reading.set()
            with pytest.raises(StreamLost) as caught:
                found.stream.read(3600)
            reasons.append(caught.value.message)

        reader = threading.Thread(target=read)
        reader.start()
        assert reading.wait(PATIENCE)
        closers = [threading.Thread(target=found.stream.close) for _ in range(3)]
        for closer in closers:
            closer.start()
        for thread in (reader, *closers):
            thread.join(PATIENCE)
            assert not thread.is_alive()
        found.stream.close()
        assert len(reasons) == 1
        assert found.office.calls == ["POST", "DELETE"]
        with pytest.raises(StreamLost):
            found.stream.read(0)


@pytest.mark.parametrize("answer", [("500 Oops", "{}"), ("400 Bad", {"code": 730708, "msg": "no"}), ("", "")])
def test_closing_never_raises(answer: tuple[str, object]) -> None:
    with stage(says_after_acknowledging()) as found:
        found.stream.open()
        found.office.answers["DELETE"] = answer
        found.stream.close()
        assert "DELETE" in found.office.calls


def test_closing_while_it_opens_gives_back_the_key_that_was_under_way() -> None:
    class SlowOffice(KeyOffice):
        """Answers the first call when the stream was closed."""

        def __call__(self, server: RawServer, link: socket) -> None:
            asked.set()
            closed.wait(PATIENCE)
            super().__call__(server, link)

    asked, closed = threading.Event(), threading.Event()
    with stage(wait_for_end, office=SlowOffice()) as found:
        endings: list[type[BaseException]] = []

        def open_it() -> None:
            with pytest.raises(StreamLost) as caught:
                found.stream.open()
            endings.append(caught.type)

        opener = threading.Thread(target=open_it)
        opener.start()
        assert asked.wait(PATIENCE)
        found.stream.close()
        closed.set()
        opener.join(PATIENCE)
        assert endings == [StreamLost]
        assert found.office.calls == ["POST", "DELETE"]
        assert found.server.paths == []


def test_a_stream_that_was_closed_is_not_opened() -> None:
    with stage(wait_for_end) as found:
        found.stream.close()
        with pytest.raises(StreamLost):
            found.stream.open()
        assert found.office.calls == ["POST", "DELETE"]
        assert found.server.paths == []


# -- secrets -------------------------------------------------------------------------------------------------------


def test_no_key_is_in_any_log_exception_text_repr_or_metric(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "websockets", "websockets.client", "httpx", "httpcore", "trading"):
        caplog.set_level(logging.DEBUG, logger=name)
    observer, texts = CountingObserver(), []
    endings: list[str | bytes] = [
        f"Invalid listen key {LISTEN_KEY}",
        ORDERS_FRAME[:-1],
        say(f"{KEY} {SECRET}"),
    ]
    for ending in endings:
        with stage(says_after_acknowledging(ORDERS_FRAME, ending), observer=observer) as found:
            found.stream.open()
            texts.append(repr(found.stream) + repr(found.stream._key) + repr(found.stream.read(PATIENCE)))
            with pytest.raises(StreamLost) as caught:
                found.stream.read(PATIENCE)
            texts += [
                str(caught.value),
                repr(caught.value),
                "".join(traceback.format_exception(caught.value)),
            ]
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    texts += [f"{record.getMessage()} {record.exc_text or ''} {vars(record)}" for record in ours]
    texts += [repr(observer.requests), repr(observer.tokens)]
    assert len(observer.outcomes("deleteListenKey")) == len(endings)
    for secret in (LISTEN_KEY, KEY, SECRET, "signature="):
        assert secret not in "\n".join(texts)
