"""What MEXC's texts mean: code 0 says nothing, only the words do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges.stream_server import say
from trading.exchanges.mexc.stream_events import ACCOUNT_CHANNEL, CHANNELS, DEALS_CHANNEL, ORDERS_CHANNEL
from trading.exchanges.mexc.stream_talk import Said, read_text_frame

REFUSAL = f"Not Subscribed successfully! [{ORDERS_CHANNEL}].  Reason： Blocked! "


@pytest.mark.parametrize(
    ("text", "granted"),
    [
        (say("PONG"), ()),
        (say(",".join(CHANNELS)), CHANNELS),
        (say(", ".join(reversed(CHANNELS))), CHANNELS),
        (say(DEALS_CHANNEL), (DEALS_CHANNEL,)),
        (say(f"Subscribed successfully! [{DEALS_CHANNEL}]"), (DEALS_CHANNEL,)),
        (say(f"{ACCOUNT_CHANNEL},spot@public.deals"), (ACCOUNT_CHANNEL,)),
    ],
)
def test_what_it_grants(text: str, granted: tuple[str, ...]) -> None:
    assert read_text_frame(text, CHANNELS) == Said(granted)


@pytest.mark.parametrize(
    "text",
    [
        "Invalid listen key",
        "",
        "{}",
        "[]",
        "null",
        '{"id":0,"code":0}',
        '{"id":0,"code":0,"msg":7}',
        '{"id":0,"code":"0","msg":"PONG"}',
        '{"id":0,"code":false,"msg":"PONG"}',
        '{"id":0,"code":0,"code":1,"msg":"PONG"}',
        say("PONG", code=1),
        say(REFUSAL),
        say(REFUSAL.upper()),
        say(f"{ORDERS_CHANNEL}.more"),
        say("welcome"),
        say("x" * 5000),
    ],
)
def test_everything_else_is_trouble(text: str) -> None:
    said = read_text_frame(text, CHANNELS)
    assert said.trouble and not said.granted
    assert len(said.trouble) <= 200


@given(st.text(max_size=300))
def test_no_text_crashes_it(text: str) -> None:
    said = read_text_frame(text, CHANNELS)
    assert not (said.trouble and said.granted)
