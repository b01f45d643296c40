"""Alerts become signals: never another side, never more than was written, never the secret."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.errors import InvalidInput
from trading.execution.request_parsing import parse_request
from trading.execution.webhook_mapping import MappedAlert, map_alert, read_alert, take_secret

SYMBOLS = ("BTC/USDT", "ETH/USDT")
ALERT = {"id": "a1", "ticker": "BTCUSDT", "action": "buy", "qty": "0.01"}


def mapped(alert: dict[str, object], **fields: str) -> MappedAlert:
    return map_alert(read_alert(json.dumps(alert).encode()), fields=fields, symbols=SYMBOLS, defaults={})


@pytest.mark.parametrize("written", ["MEXC:BTCUSDT", "BTCUSDT", "BTC/USDT", "btcusdt"])
def test_a_symbol_is_read_as_senders_write_it(written: str) -> None:
    assert mapped(ALERT | {"ticker": written}).body["symbol"] == "BTC/USDT"


@pytest.mark.parametrize("written", ["BTCUSDT.P", "DOGEUSDT", "", 5])
def test_another_instrument_is_refused(written: object) -> None:
    with pytest.raises(InvalidInput):
        mapped(ALERT | {"ticker": written})


@pytest.mark.parametrize("word", ["flat", "close", "Exit", "", "hold"])
def test_an_action_that_is_no_side_is_refused(word: str) -> None:
    with pytest.raises(InvalidInput):
        mapped(ALERT | {"action": word})


@given(st.sampled_from(["buy", "LONG", "sell", "Short"]), st.decimals("0.00000001", "99999", places=8))
def test_side_and_quantity_are_those_that_were_written(word: str, quantity: Decimal) -> None:
    text = f'{{"id": "1", "ticker": "BTCUSDT", "action": "{word}", "contracts": {quantity:f}}}'
    alert = map_alert(read_alert(text.encode()), fields={}, symbols=SYMBOLS, defaults={"quantity": "7"})
    order = parse_request(alert.body).order
    assert order.quantity == quantity
    assert order.side == ("BUY" if word.lower() in ("buy", "long") else "SELL")


def test_names_that_disagree_on_the_quantity_are_refused() -> None:
    with pytest.raises(InvalidInput, match="disagree"):
        mapped(ALERT | {"contracts": "5"})


@pytest.mark.parametrize("text", [b"buy BTC", b"[1]", b"\xff", b'{"id": 1, "id": 2}', b"[" * 50_000])
def test_a_text_that_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_alert(text)


def test_without_an_id_the_whole_alert_and_its_time_make_the_key() -> None:
    alert = {name: value for name, value in ALERT.items() if name != "id"}
    with pytest.raises(InvalidInput) as refused:
        mapped(alert)
    assert "{{timenow}}" in refused.value.remedy
    first, other = alert | {"timenow": 1764120000}, alert | {"timenow": 1764120001}
    assert mapped(first).key == mapped(dict(reversed(first.items()))).key != mapped(other).key


@pytest.mark.parametrize("written", [1764120000, "1764120000", 1764120000000, "2025-11-26T01:20:00+00:00"])
def test_a_time_is_read_in_each_form(written: object) -> None:
    assert mapped(ALERT | {"timenow": written}).body["sent_at"] == "2025-11-26T01:20:00+00:00"


def test_the_secret_is_taken_out_and_unknown_fields_are_left_behind() -> None:
    secret, rest = take_secret({"pass": "s3cret", "bar": "x", **ALERT}, {"secret": "pass"})
    assert secret == "s3cret"
    assert "s3cret" not in str(rest)
    assert "bar" not in mapped(rest).body
