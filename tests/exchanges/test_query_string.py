"""Signed exactly as sent: published vectors of the venues that sign a query string, and one that is printed wrongly."""

from __future__ import annotations

import pytest

from trading.exchanges.query_string import encode_query, sign, signed_query

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


BINANCE_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


@pytest.mark.parametrize(
    ("symbol", "signature"),
    [
        ("LTCBTC", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        ("１２３４５６", "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"),
    ],
)
def test_binance_signs_what_is_encoded_whatever_the_script_of_a_symbol(symbol: str, signature: str) -> None:
    words = {
        "symbol": symbol,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": "0.1",
    }
    query = signed_query(BINANCE_SECRET, list(words.items()), timestamp_ms=1499827319559, window_ms=5000)
    assert query.endswith(f"&recvWindow=5000&timestamp=1499827319559&signature={signature}")
