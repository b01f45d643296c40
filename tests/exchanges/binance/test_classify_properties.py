"""Whatever is done to an answer, it does not become definite unless the tables list it."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.binance.samples import ORDER, PLACED
from tests.exchanges.binance.test_classify import place, query
from trading.domain.outcomes import (
    CancelAccepted,
    CancelRefused,
    OrderFound,
    OrderNotFound,
    Placed,
    Refused,
    Unknown,
)
from trading.exchanges.binance.classify import classify_cancel, find_read_error
from trading.exchanges.binance.codes import CODED_STATUSES, CODES, MESSAGES
from trading.exchanges.meanings import Does

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3000, 3000)
    | st.sampled_from(sorted(CODES))
    | st.text(max_size=12)
    | st.sampled_from(["0.001", "BTCUSDT", "BUY", "Duplicate order sent.", "Market is closed."])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["code", "msg", "orderId", "symbol", "clientOrderId", "side", "type", "origQty", "status", "x"]
)
mutations = st.dictionaries(names, values, max_size=4)
bases = st.sampled_from([{}, PLACED, ORDER, {"code": -1013, "msg": "x"}, {"code": -2010, "msg": "x"}])


@st.composite
def bodies(draw) -> bytes:
    kind = draw(st.sampled_from(["object", "json", "cut", "bytes"]))
    if kind == "bytes":
        return draw(st.binary(max_size=64))
    if kind == "json":
        return json.dumps(draw(values)).encode()
    body = json.dumps(draw(bases) | draw(mutations)).encode()
    return body if kind == "object" else body[: draw(st.integers(0, len(body)))]


statuses = st.sampled_from(
    [200, 201, 302, 400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504]
) | st.integers(100, 599)


def _object_of(body: bytes) -> dict:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@settings(max_examples=250)
@given(statuses, bodies(), st.text(max_size=8))
def test_no_placement_answer_is_definite_unless_it_is_listed(
    status: int, body: bytes, retry_after: str
) -> None:
    outcome, row = place(status, body, retry_after), _object_of(body)
    if isinstance(outcome, Placed):
        assert status == 200
        assert (row["symbol"], row["clientOrderId"]) == ("BTCUSDT", PLACED["clientOrderId"])
        assert row["orderId"] is not None and "code" not in row
        assert row.get("side") in (None, "BUY")
        assert row.get("type") in (None, "LIMIT")
    elif isinstance(outcome, Refused) and status != 418:
        assert status in CODED_STATUSES
        assert "orderId" not in row
        said = next((meaning for text, meaning in MESSAGES if text in str(row.get("msg")).casefold()), None)
        listed = said if row["code"] == -2010 else CODES.get(row["code"])
        assert listed is not None and listed.does in (Does.REJECT, Does.NOT_RUN)
        assert "Duplicate" not in str(row.get("msg"))
    elif status != 418:
        assert isinstance(outcome, Unknown)


@settings(max_examples=250)
@given(statuses, bodies())
def test_no_cancel_or_query_answer_is_definite_unless_it_is_listed(status: int, body: bytes) -> None:
    row = _object_of(body)
    canceled, asked = classify_cancel(status, body), query(status, body)
    if isinstance(canceled, CancelAccepted):
        assert status == 200
    if isinstance(canceled, CancelRefused) and status != 418:
        assert row["code"] in CODES or row["code"] == -2010
    if isinstance(asked, OrderNotFound):
        assert (status, row["code"]) == (400, -2013)
    if isinstance(asked, OrderFound):
        assert status == 200
        assert row["clientOrderId"] == "myOrder1"
    find_read_error(status, body, "")
