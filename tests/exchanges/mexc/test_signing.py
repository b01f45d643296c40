"""MEXC's published vectors, and the one its documents print wrongly."""

from __future__ import annotations

import pytest

from trading.exchanges.mexc.signing import signed_query
from trading.exchanges.query_string import encode_query, sign

SECRET = "45d0b3c26f2644f19bfb98b07741b2f5"
LIMIT = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=11&recvWindow=5000&timestamp=1644489390087"
MIXED = "symbol=BTCUSDT&side=BUY&type=LIMITquantity=1&price=11&recvWindow=5000&timestamp=1644489390087"
BATCH = (
    "batchOrders=%5B%7B%22symbol%22%3A%22BTCUSDT%22%2C%22side%22%3A%22BUY%22%2C%22type%22%3A%22LIMIT%22%2C"
    "%22price%22%3A%2240000%22%2C%22quantity%22%3A%220.0002%22%7D%5D&recvWindow=5000&timestamp=1644489390087"
)


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        (LIMIT, "fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a"),
        (MIXED, "d1a676610ceb39174c8039b3f548357994b2a34139a8addd33baadba65684592"),
        (BATCH, "06f3d5fb3f52e5e4918f3880ab0b13cd8970949eadff2b8598a2297d07e78e09"),
    ],
)
def test_the_vectors_verify(text: str, signature: str) -> None:
    assert sign(SECRET, text) == signature


def test_the_misprinted_vector_does_not_verify() -> None:
    assert sign(SECRET, LIMIT) != "323c96ab85a745712e95e63cad28903dd8292e4a905e99c4ee3932023843a117"


def test_a_query_is_built_encoded_and_signed_as_one_string() -> None:
    orders = '[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","price":"40000","quantity":"0.0002"}]'
    query = signed_query(SECRET, [("batchOrders", orders)], timestamp_ms=1644489390087, window_ms=5000)
    assert query == f"{BATCH}&signature={sign(SECRET, BATCH)}"


def test_a_blank_is_percent_encoded() -> None:
    assert encode_query([("a", "x y+z,é")]) == "a=x%20y%2Bz%2C%C3%A9"
