"""The listen key: asked for once, extended in time, given back, and never seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.exchanges.making import KEY, SECRET, generous_limiter
from tests.exchanges.raw_server import raw_server
from tests.exchanges.stream_server import LISTEN_KEY, Hands, KeyOffice
from trading.domain.enums import Environment, VenueName
from trading.domain.errors import (
    MalformedAnswer,
    VenueError,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)
from trading.exchanges.base import Connection, Credentials, NullObserver
from trading.exchanges.mexc.line import MexcLine
from trading.exchanges.mexc.listen_key import AGAIN_SECONDS, EXTEND_SECONDS, LAST_SECONDS, ListenKey

BUSY = "503 Unavailable", "{}"


@contextmanager
def office_line(office: KeyOffice) -> Iterator[MexcLine]:
    with raw_server(office) as server:
        connection = Connection(
            VenueName.MEXC, Environment.SIMULATED, server.base_url, "main", Credentials(KEY, SECRET)
        )
        line = MexcLine(connection, generous_limiter(), NullObserver())
        yield line
        line.http.close()


def test_its_three_calls_are_signed_and_name_the_key() -> None:
    office = KeyOffice()
    with office_line(office) as line:
        clock = Hands()
        key = ListenKey(line, clock)
        clock.at += EXTEND_SECONDS
        key.extend_if_due()
        key.give_back()
    assert office.calls == ["POST", "PUT", "DELETE"]
    assert all("&signature=" in query for query in office.queries)
    assert ["listenKey" in query for query in office.queries] == [False, True, True]
    assert key.join_to("ws://x/ws") == f"ws://x/ws?listenKey={LISTEN_KEY}"
    assert LISTEN_KEY not in repr(key)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (("400 Bad", {"code": 700007, "msg": "no permission to access the endpoint"}), VenueRefused),
        (("401 No", {"code": 10072, "msg": "Api key info invalid"}), VenueRefused),
        (("400 Bad", {"code": 730708, "msg": "too many listen keys"}), VenueRefused),
        (("429 Slow", {"code": 429, "msg": "too many requests"}), VenueThrottled),
        (("418 Banned", "<html>"), VenueThrottled),
        (BUSY, VenueUnavailable),
        (("200 OK", "<html>"), MalformedAnswer),
        (("200 OK", {}), MalformedAnswer),
        (("200 OK", []), MalformedAnswer),
        (("200 OK", {"listenKey": [LISTEN_KEY]}), MalformedAnswer),
        (("200 OK", {"listenKey": f"{LISTEN_KEY}&x=/../"}), MalformedAnswer),
        (("200 OK", {"listenKey": ""}), MalformedAnswer),
    ],
)
def test_a_refused_key_is_the_venues_error_and_asked_for_once(
    answer: tuple[str, object], error: type[VenueError]
) -> None:
    office = KeyOffice()
    office.answers["POST"] = answer
    with office_line(office) as line, pytest.raises(error) as caught:
        ListenKey(line, Hands())
    assert office.calls == ["POST"]
    assert LISTEN_KEY not in str(caught.value) + repr(caught.value)


def test_it_is_extended_every_half_an_hour() -> None:
    office = KeyOffice()
    with office_line(office) as line:
        clock = Hands()
        key = ListenKey(line, clock)
        for _ in range(3):
            clock.at += EXTEND_SECONDS - 1
            key.extend_if_due()
            clock.at += 1
            key.extend_if_due()
            key.extend_if_due()
    assert office.calls == ["POST", "PUT", "PUT", "PUT"]


def test_a_failed_extension_is_tried_again_until_the_hour_nears_its_end() -> None:
    office = KeyOffice()
    with office_line(office) as line:
        clock = Hands()
        key = ListenKey(line, clock)
        office.answers["PUT"] = BUSY
        clock.at += EXTEND_SECONDS
        key.extend_if_due()
        clock.at += AGAIN_SECONDS - 1
        key.extend_if_due()
        assert office.calls.count("PUT") == 1
        clock.at += 1
        key.extend_if_due()
        assert office.calls.count("PUT") == 2
        clock.at += LAST_SECONDS - EXTEND_SECONDS
        with pytest.raises(VenueUnavailable):
            key.extend_if_due()
        office.answers["PUT"] = "200 OK", {}
        clock.at += AGAIN_SECONDS
        key.extend_if_due()
        clock.at += EXTEND_SECONDS - 1
        key.extend_if_due()
    assert office.calls.count("PUT") == 4


def test_a_refused_extension_is_not_tried_again_and_an_echoed_key_is_not_repeated() -> None:
    office = KeyOffice()
    with office_line(office) as line:
        clock = Hands()
        key = ListenKey(line, clock)
        office.answers["PUT"] = (
            "400 Bad",
            {"code": 730708, "msg": f"listen key {LISTEN_KEY} of {KEY} unknown"},
        )
        clock.at += EXTEND_SECONDS
        with pytest.raises(VenueRefused, match="730708") as caught:
            key.extend_if_due()
    assert LISTEN_KEY not in str(caught.value) and KEY not in str(caught.value)


def test_an_answer_about_another_key_extends_nothing() -> None:
    office = KeyOffice()
    with office_line(office) as line:
        clock = Hands()
        key = ListenKey(line, clock)
        office.answers["PUT"] = "200 OK", {"listenKey": "someotherlistenkey"}
        clock.at += LAST_SECONDS
        with pytest.raises(MalformedAnswer):
            key.extend_if_due()
