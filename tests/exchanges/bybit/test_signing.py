"""Bybit's signature, by vectors: two are public in the tests of another client, the others were computed."""

from __future__ import annotations

import pytest

from trading.exchanges.bybit.line import encode_body
from trading.exchanges.bybit.signing import signed_headers, stream_signature

KEY, SECRET, STAMP = "test_api_key", "test_secret", 1_700_000_000_000


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (
            "category=linear&symbol=BTCUSDT",
            "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7",
        ),
        (
            '{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "test-order-1"}',
            "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1",
        ),
        (
            '{"category":"spot","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001","price":"30000",'
            '"timeInForce":"GTC","orderLinkId":"t-1"}',
            "a00eef7857d5aae3fee2db8c3aa4f0c1ad9ef4d6afc003d03550c5dd9dfeb598",
        ),
    ],
)
def test_the_payload_is_signed_with_stamp_key_and_window(payload: str, signature: str) -> None:
    assert signed_headers(KEY, SECRET, payload, timestamp_ms=STAMP, window_ms=5000) == {
        "X-BAPI-API-KEY": KEY,
        "X-BAPI-TIMESTAMP": "1700000000000",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": signature,
    }


def test_the_stream_is_opened_with_a_signature_of_its_own() -> None:
    expected = "f01084fb6f298f64707f648000637356f4fc4cd484f1eeb04a6e79ae44339d71"
    assert stream_signature(SECRET, 1_700_000_010_000) == expected


def test_a_body_has_texts_only_but_for_the_switch_against_borrowing() -> None:
    assert encode_body([("qty", "0.0010"), ("isLeverage", "0")]) == '{"qty":"0.0010","isLeverage":0}'
