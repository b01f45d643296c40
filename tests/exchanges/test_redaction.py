"""Keys, secrets and signatures do not survive, in whatever form they come back."""

from __future__ import annotations

import logging

import pytest

from trading.exchanges.redaction import quiet_http_loggers, redact


@pytest.mark.parametrize(
    "text",
    [
        "https://api.mexc.com/api/v3/order?symbol=X&signature=deadbeef",
        '{"signature": "deadbeef"}',
        "X-MEXC-APIKEY: deadbeef",
        "X-MBX-APIKEY: deadbeef",
        "accessKey=deadbeef&x=1",
        "bad request for deadbeef",
        "signature%3Ddeadbeef",
    ],
)
def test_a_secret_is_taken_out(text: str) -> None:
    assert "deadbeef" not in redact(text, ["deadbeef"])
    if "bad request" not in text:
        assert "deadbeef" not in redact(text)


def test_the_rest_stays_readable() -> None:
    assert redact("a?symbol=BTCUSDT&signature=ab12&side=BUY") == "a?symbol=BTCUSDT&signature=***&side=BUY"


def test_the_http_library_cannot_log_urls_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    quiet_http_loggers()
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    logging.getLogger("httpx").info("HTTP Request: GET https://x/?signature=deadbeef")
    logging.getLogger("httpcore.http11").debug("send_request_headers.started")
    assert caplog.text == ""
