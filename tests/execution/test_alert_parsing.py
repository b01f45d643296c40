"""Alerts of chart programs: read as they are written, and never guessed at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.errors import InvalidInput
from trading.execution.alert_parsing import NAMES, parse_alert

ALERT: dict[str, Any] = {"ticker": "MEXC:BTCUSDT", "action": "buy", "contracts": "0.01", "id": "1"}


def body_of(**changes: Any) -> dict[str, Any]:
    return parse_alert({**ALERT, **changes}).body


def test_a_chart_programs_alert_becomes_a_request():
    told = body_of(close="50000.5", timenow="2026-01-31T12:00:00Z", chart="BTC, 1h", reduce_only="TRUE")
    assert told == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "quantity": "0.01",
        "last_price": "50000.5",
        "sent_at": "2026-01-31T12:00:00Z",
        "reduce_only": True,
    }


def test_the_price_of_the_chart_is_never_a_limit():
    assert "price" not in body_of(price="50000")
    assert body_of(limit_price="49000")["price"] == "49000"


@pytest.mark.parametrize(
    ("sent", "read"),
    [(1769860800, "2026-01-31T12:00:00+00:00"), ("1769860800500", "2026-01-31T12:00:00.500000+00:00")],
)
def test_a_time_may_be_seconds_or_milliseconds(sent, read):
    assert body_of(time=sent)["sent_at"] == read


def test_an_alert_without_a_quantity_takes_the_webhooks_own():
    bare = {key: value for key, value in ALERT.items() if key != "contracts"}
    assert parse_alert(bare, quantity=Decimal("0.5")).body["quantity"] == "0.5"
    assert "quantity" not in parse_alert({**bare, "quote_quantity": "100"}, quantity=Decimal(1)).body
    assert body_of()["quantity"] == "0.01", "its own goes first"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ticker": None}, "symbol"),
        ({"ticker": "BTCUSDT.P"}, "symbol"),
        ({"ticker": "BYBIT:BTCUSDT.P"}, "symbol"),
        ({"ticker": "BTC1!"}, "symbol"),
        ({"ticker": 7}, "symbol"),
        ({"symbol": "ETHUSDT"}, "symbol"),
        ({"action": "short"}, "side"),
        ({"action": "close"}, "side"),
        ({"action": "flat"}, "side"),
        ({"action": ""}, "side"),
        ({"side": "sell"}, "side"),
        ({"qty": "0.02"}, "quantity"),
        ({"reduce_only": "maybe"}, "reduce_only"),
        ({"time": True}, "sent_at"),
        ({"time": 10**17}, "sent_at"),
        ({"id": None}, "id"),
    ],
)
def test_what_is_not_clear_is_refused_by_name(changes, field):
    with pytest.raises(InvalidInput) as caught:
        body_of(**changes)
    assert caught.value.context["field"] == field and caught.value.remedy


def test_without_an_id_the_content_with_its_time_is_the_key():
    bare = {key: value for key, value in ALERT.items() if key != "id"}
    at = {**bare, "time": "2026-01-31T12:00:00Z"}
    assert parse_alert(at).key == parse_alert(dict(reversed(at.items()))).key
    assert parse_alert(at).key != parse_alert({**at, "time": "2026-01-31T12:01:00Z"}).key
    assert parse_alert(at).key != parse_alert({**at, "id": "7"}).key


WORDS = st.sampled_from([name for names in NAMES.values() for name in names] + ["id", "secretary", "x"])
VALUES = st.one_of(
    st.text(max_size=12), st.integers(), st.booleans(), st.none(), st.just("buy"), st.just("BTCUSDT")
)


@given(st.dictionaries(WORDS, VALUES, max_size=8))
def test_whatever_comes_is_read_or_refused_and_no_quantity_is_made_up(payload):
    try:
        read = parse_alert(payload)
    except InvalidInput:
        return
    assert (
        read.body["side"]
        == {"buy": "BUY", "long": "BUY", "sell": "SELL"}[
            str(payload.get("side") or payload.get("action")).strip().lower()
        ]
    )
    written = {payload.get(name) for name in NAMES["quantity"]}
    assert read.body.get("quantity") is None or read.body["quantity"] in written
