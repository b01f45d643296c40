"""A stream tells what is announced, what was missed and when it must end, and never holds another one up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest
from django.conf import settings
from django.utils import timezone

from tests.loops import run_alone
from trading.live import announce, describe_hint, hint_channel
from trading.streaming import stream as stream_module
from trading.streaming.hub import HintHub, Watcher
from trading.streaming.stream import StreamDoor

NOW = timezone.now()


def grant(newest: int, *topics: str) -> list[tuple[bytes, bytes]]:
    found = json.dumps({"topics": topics, "newest": newest}).encode()
    return [(b"content-type", b"text/event-stream"), (b"content-length", b"9"), (b"x-levi-stream", found)]


class Door:
    """Answers like the view, one scripted answer after the other, the last one for ever."""

    def __init__(self, *answers) -> None:
        self.answers, self.asked = list(answers), []

    async def __call__(self, after):
        self.asked.append(after)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Browser:
    """Takes what is sent; leaves when told to, or when it has read a word."""

    def __init__(self, leaves_at: str = "") -> None:
        self.status, self.headers, self.text = 0, [], ""
        self.leaves_at, self.has_left = leaves_at, asyncio.Event()

    async def send(self, message) -> None:
        self.status = message.get("status", self.status)
        self.headers = message.get("headers", self.headers)
        self.text += message.get("body", b"").decode()
        if self.leaves_at and self.leaves_at in self.text:
            self.has_left.set()

    async def receive(self):
        await self.has_left.wait()
        return {"type": "http.disconnect"}


def watch(door: Door, leaves_at: str = "", *, while_open: Callable[[], None] | None = None) -> Browser:
    async def visit() -> Browser:
        hub, browser = HintHub(settings.REDIS_URL, hint_channel()), Browser(leaves_at)
        visiting = asyncio.ensure_future(StreamDoor(hub).answer(door, browser.receive, browser.send))
        while while_open and not hub.is_hearing:
            await asyncio.sleep(0.01)
        if while_open:
            while_open()
        await asyncio.wait_for(visiting, 20)
        assert hub.watchers == set()
        return browser

    return run_alone(visit())


def test_an_announced_change_reaches_the_watcher(redis_client):
    door = Door((200, grant(5, "orders", "audit"), b"retry: 1000\n\n"))
    data = {"status": "filled", "symbol": "BTC/USDT", "secret": "never shown"}
    browser = watch(
        door, "event: orders", while_open=lambda: announce(6, "order.filled", "some-id", NOW, data)
    )
    assert (browser.status, browser.text.count("event: orders\nid: 6\n")) == (200, 1)
    assert '"status": "filled"' in browser.text and "never shown" not in browser.text


def test_the_grant_never_leaves_the_house(redis_client):
    browser = watch(Door((200, grant(5, "orders"), b"hello")), "hello")
    assert [name for name, _value in browser.headers] == [b"content-type"]


def test_a_topic_that_is_not_granted_is_not_told(redis_client):
    door = Door((200, grant(5, "fills"), b"retry: 1000\n\n"))

    def announce_both() -> None:
        announce(6, "order.filled", "an-order", NOW, {})
        announce(7, "fill.booked", "a-fill", NOW, {})

    browser = watch(door, "a-fill", while_open=announce_both)
    assert "an-order" not in browser.text and "event: positions" not in browser.text


def test_a_refusal_is_passed_on_as_it_is():
    browser = watch(Door((401, [(b"content-type", b"application/json")], b'{"code": "not_authenticated"}')))
    assert (browser.status, browser.text) == (401, '{"code": "not_authenticated"}')


def test_a_right_that_was_taken_away_ends_the_stream(redis_client, monkeypatch):
    monkeypatch.setattr(stream_module, "RECHECK_SECONDS", 0.05)
    monkeypatch.setattr(stream_module, "ALONE_SECONDS", 0.05)
    door = Door((200, grant(5, "orders"), b"first"), (403, [], b"no"))
    browser = watch(door)
    assert browser.text == "first" and door.asked == [None, 5]


def test_what_redis_lost_is_found_by_looking_and_told_once(monkeypatch):
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(stream_module, "ALONE_SECONDS", 0.05)
    missed = (
        f"event: orders\nid: 6\ndata: {json.dumps(describe_hint(6, 'order.open', 'x', NOW, {}))}\n\n".encode()
    )
    door = Door(
        (200, grant(5, "orders"), b""), (200, grant(6, "orders"), missed), (200, grant(6, "orders"), missed)
    )

    async def later(after, ask=door.__call__):
        if len(door.asked) == 4:
            return 403, [], b""
        return await ask(after)

    browser = watch(later)
    assert browser.text.count("id: 6\n") == 1 and door.asked[1:3] == [5, 6]


def test_more_streams_than_allowed_get_a_503_and_the_way_out(monkeypatch):
    monkeypatch.setattr(stream_module, "MOST_STREAMS", 0)
    browser = watch(Door((200, grant(5, "orders"), b"")))
    assert browser.status == 503 and json.loads(browser.text)["code"] == "too_many_streams"


def test_a_slow_watcher_loses_its_backlog_and_says_so_once():
    async def fill() -> tuple[Watcher, bool, bool]:
        watcher = Watcher()
        for number in range(1000):
            watcher.put({"entry": number})
        return watcher, watcher.forget_if_lost(), watcher.forget_if_lost()

    watcher, first, second = run_alone(fill())
    assert (first, second, watcher.waiting.qsize()) == (True, False, 0)


def test_the_hints_of_another_installation_on_the_same_redis_are_not_heard(redis_client, settings):
    own = settings.INSTANCE_ID

    def publish() -> None:
        settings.INSTANCE_ID = "zzzz"
        redis_client.publish(hint_channel(), json.dumps(describe_hint(6, "order.open", "theirs", NOW, {})))
        settings.INSTANCE_ID = own
        announce(7, "order.open", "ours", NOW, {})

    heard = watch(Door((200, grant(5, "orders"), b"")), "ours", while_open=publish).text
    assert "ours" in heard and "theirs" not in heard


@pytest.mark.parametrize("line", [b"no json", b"[]", b'{"kind": 5, "entry": "x"}'])
def test_a_forged_hint_is_ignored(redis_client, line):
    def publish() -> None:
        redis_client.publish(hint_channel(), line)
        announce(6, "order.open", "real", NOW, {})

    assert "real" in watch(Door((200, grant(5, "orders"), b"")), "real", while_open=publish).text
