"""What a private stream told of orders: by any name, the most that was said, and no more than fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.domain.announcements import Announcements

START = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = Decimal(1), Decimal(2)


def test_an_order_is_known_by_each_of_its_names_and_by_the_most_that_was_said():
    heard = Announcements(START)
    heard.note(("venue-1", "ours-1"), TWO, START)
    heard.note(("venue-1", ""), ONE, START)
    assert heard.told(("", "ours-1")) == heard.told(("venue-1", "another")) == TWO
    assert heard.told(("venue-2", "")) == heard.told(("", "")) == 0


def test_what_is_forgotten_is_not_judged_any_more():
    heard = Announcements(START, most_names=2)
    for number in range(4):
        heard.note((f"venue-{number}",), ONE, START + timedelta(seconds=number))
    assert heard.told(("venue-0",)) == heard.told(("venue-1",)) == 0
    assert heard.told(("venue-3",)) == ONE
    assert heard.judged_from == START + timedelta(seconds=1)


def test_an_order_that_is_told_of_again_is_forgotten_later():
    heard = Announcements(START, most_names=2)
    for name in ("a", "b", "a", "c"):
        heard.note((name,), ONE, START)
    assert heard.told(("a",)) == ONE and heard.told(("b",)) == 0
