"""Log lines: one event is one line, and no secret is in it, whatever way it came."""

from __future__ import annotations

import json
import logging

import pytest

from levi_site.logging_setup import JsonFormatter, TextFormatter
from levi_site.redaction import MASK, redact, register_secret
from levi_site.request_id import request_id

CANARY = "c4n4ry-0123456789abcdef"


def record(message: str, *args: object, exc_info: object = None, **extra: object) -> logging.LogRecord:
    return logging.getLogger("levi.test").makeRecord(
        "levi.test", logging.INFO, __file__, 1, message, args, exc_info, extra=extra
    )


@pytest.mark.parametrize(
    "text",
    [
        f"GET /api/v3/order?symbol=BTC&signature={CANARY}&timestamp=1",
        f"X-MEXC-APIKEY: {CANARY}",
        f"{{'apiKey': '{CANARY}', 'a': 1}}",
        f'{{"api_key": "{CANARY}"}}',
        f'{{"password":"two words {CANARY}"}}',
        f"Authorization: Bearer {CANARY}",
        f"Cookie: sessionid={CANARY}",
        f"secret={CANARY}",
        f"secret_key = {CANARY}",
        f"redis://:{CANARY}@127.0.0.1:6379/0",
        f"postgresql://levi:{CANARY}@db/levi",
        f"token={CANARY}",
    ],
)
def test_a_value_behind_a_telling_name_is_removed(text: str) -> None:
    assert CANARY not in redact(text)
    assert MASK in redact(text)


def test_what_is_no_secret_stays() -> None:
    text = "order 42 symbol=BTC/USDT quantity=0.01 status=filled"
    assert redact(text) == text


def test_a_registered_value_is_removed_wherever_it_stands() -> None:
    value = "registered/value+with=signs"
    register_secret(value)
    assert value not in redact(f"nothing tells what this is: {value}")
    assert "registered%2Fvalue" not in redact("quoted registered%2Fvalue%2Bwith%3Dsigns")


def test_a_traceback_is_cleaned_too() -> None:
    try:
        raise ValueError(f"signature={CANARY}")
    except ValueError as error:
        line = TextFormatter().format(record("failed", exc_info=(type(error), error, error.__traceback__)))
    assert "ValueError" in line and CANARY not in line


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_a_line_break_cannot_fake_a_second_event(formatter: logging.Formatter) -> None:
    line = formatter.format(record("first\n2026-01-01 error levi forged", note="a\r\nb"))
    assert "\n" not in line and "\r" not in line


def test_extras_and_the_request_id_stand_as_keys() -> None:
    token = request_id.set("req-7")
    try:
        event = json.loads(JsonFormatter().format(record("order placed", order="o1")))
    finally:
        request_id.reset(token)
    assert (event["message"], event["order"], event["request_id"]) == ("order placed", "o1", "req-7")
    assert event["time"].endswith("Z")


@pytest.mark.parametrize("name", ["httpx", "httpcore"])
def test_the_http_client_does_not_print_signed_urls(name: str) -> None:
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
