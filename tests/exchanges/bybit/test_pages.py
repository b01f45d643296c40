"""Lists in pages are read to their end or are an error; an order is looked for in both lists."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.exchanges.bybit.samples import EXECUTION, ORDER, listed
from trading.domain.errors import MalformedAnswer, VenueError
from trading.domain.outcomes import OrderFound, QueryFailed
from trading.exchanges.bybit.constants import EXECUTIONS, MOST_PAGES, REALTIME_ORDERS
from trading.exchanges.bybit.fills import read_fills
from trading.exchanges.bybit.order_reads import judge_reports, read_open_orders
from trading.exchanges.bybit.pages import read_pages, windows
from trading.exchanges.bybit.parse import parse_fills, parse_order, parse_orders

NOW_MS = 1_672_300_000_000


class ScriptedLine:
    """Answers from a list, one after the other; remembers what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, str]] = []

    def read(self, endpoint: Any, pairs: Any, *, urgent: bool = False) -> Any:
        self.asked.append(dict(pairs))
        return self.answers.pop(0)

    def venue_time_ms(self) -> int:
        return NOW_MS


def order(number: int) -> dict[str, Any]:
    return ORDER | {"orderId": str(number), "orderLinkId": f"lv-{number}", "orderStatus": "New"}


def test_pages_are_followed_by_the_cursor_as_it_came_until_one_is_empty() -> None:
    line = ScriptedLine(
        listed(order(1), order(2), cursor="132766%3A2%2C1"),
        listed(order(3), cursor="abc"),
        listed(cursor="x"),
    )
    found = read_open_orders(line, None, urgent=True)
    assert [report.exchange_order_id for report in found] == ["1", "2", "3"]
    assert [asked.get("cursor") for asked in line.asked] == [None, "132766:2,1", "abc"], (
        "escaped when it is sent"
    )
    assert line.asked[0] == {"category": "spot", "openOnly": "0", "limit": "50"}


def test_an_order_that_two_pages_show_is_one() -> None:
    line = ScriptedLine(listed(order(1), cursor="a"), listed(order(1)))
    assert len(read_open_orders(line, "BTCUSDT", urgent=False)) == 1


def test_a_list_that_does_not_end_is_an_error() -> None:
    with pytest.raises(VenueError, match="does not end"):
        read_pages(ScriptedLine(*[listed(order(1), cursor="same")] * 2), REALTIME_ORDERS, (), parse_orders)
    endless = ScriptedLine(*[listed(order(1), cursor=str(n)) for n in range(MOST_PAGES + 1)])
    with pytest.raises(VenueError, match="does not end"):
        read_pages(endless, REALTIME_ORDERS, (), parse_orders)


def test_a_page_with_a_bad_row_spoils_the_list() -> None:
    line = ScriptedLine(listed(order(1), cursor="a"), listed(order(2) | {"side": "?"}))
    with pytest.raises(MalformedAnswer):
        read_open_orders(line, None, urgent=False)


def test_a_page_of_other_executions_is_not_the_end() -> None:
    funding = EXECUTION | {"execType": "Funding"}
    line = ScriptedLine(listed(funding, cursor="a"), listed(EXECUTION))
    assert len(read_pages(line, EXECUTIONS, (), parse_fills)) == 1


def test_windows_share_their_edges_and_reach_the_end() -> None:
    begin = datetime.fromtimestamp(NOW_MS / 1000, UTC) - timedelta(days=16)
    found = list(windows(begin, NOW_MS, 7))
    assert len(found) == 3
    assert found[0][0] == NOW_MS - 16 * 86_400_000
    assert found[-1][1] == NOW_MS + 5000, "our clock reads late by design"
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))
    assert list(windows(begin + timedelta(days=30), NOW_MS, 7)) == [(NOW_MS + 5000, NOW_MS + 5000)]


def test_fills_of_several_weeks_come_once_and_oldest_first() -> None:
    late = EXECUTION | {"execId": "2", "execTime": str(NOW_MS - 1000)}
    line = ScriptedLine(listed(EXECUTION), listed(late, EXECUTION))
    since = datetime.fromtimestamp(NOW_MS / 1000, UTC) - timedelta(days=8)
    assert [fill.venue_fill_id for fill in read_fills(line, "ETHUSDT", since, "")] == [
        EXECUTION["execId"],
        "2",
    ]
    younger = read_fills(ScriptedLine(listed(late, EXECUTION)), "ETHUSDT", since + timedelta(days=7.99), "")
    assert [fill.venue_fill_id for fill in younger] == ["2"]


@pytest.mark.parametrize("asked", [("BTCUSDT", ""), ("ETHUSDT", "another")])
def test_a_fill_of_something_else_spoils_the_list(asked) -> None:
    symbol, order_id = asked
    since = datetime.fromtimestamp(NOW_MS / 1000, UTC) - timedelta(hours=1)
    with pytest.raises(MalformedAnswer):
        read_fills(ScriptedLine(listed(EXECUTION)), symbol, since, order_id)


def test_only_the_one_order_that_was_asked_for_is_found() -> None:
    report = parse_order(order(1))
    assert judge_reports([report], "BTCUSDT", "lv-1", "") == OrderFound(report)
    assert judge_reports([report], "BTCUSDT", "", "1") == OrderFound(report)
    for reports, key in (
        ([report, report], ("BTCUSDT", "lv-1", "")),
        ([report], ("BTCUSDT", "lv-2", "")),
        ([report], ("BTCUSDT", "lv-1", "2")),
        ([report], ("ETHUSDT", "lv-1", "")),
    ):
        assert isinstance(judge_reports(reports, *key), QueryFailed)
