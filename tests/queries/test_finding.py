"""Any id finds its row, whatever kind it is, and no search scans a big table."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.admin.trading_day import TradingDay
from trading.models import AuditEntry, Fill, Order
from trading.queries.finding import entry_by_any_word, fill_by_any_id, find_anywhere, order_by_any_id


@pytest.fixture
def day(db):
    return TradingDay()


def test_every_id_leads_to_its_order(day):
    order = day.orders["filled"]
    for term in (str(order.pk), order.client_order_id, order.exchange_order_id, order.signal.key):
        assert ("order", order.pk) in {(found.model, found.key) for found in find_anywhere(term)}, term


def test_fills_accounts_symbols_and_entries_are_found(day):
    fill, entry = Fill.objects.first(), AuditEntry.objects.first()
    for term, model in (
        (fill.venue_fill_id, "fill"),
        ("paper", "exchangeaccount"),
        ("btc/usdt", "instrument"),
        (str(entry.pk), "auditentry"),
    ):
        assert model in {found.model for found in find_anywhere(term)}, term


@pytest.mark.parametrize("term", ["", "nothing-like-it", "9" * 40, "'; DROP TABLE", "☃" * 60])
def test_what_is_not_there_is_not_found(day, term):
    assert find_anywhere(term) == []


@pytest.mark.parametrize(
    ("model", "condition"),
    [(Order, order_by_any_id), (AuditEntry, entry_by_any_word), (Fill, fill_by_any_id)],
)
def test_a_search_has_an_index_for_every_branch(day, model, condition):
    rows = model.objects.filter(condition("some-word")).order_by()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = rows.explain()
    assert f"Seq Scan on {model._meta.db_table}" not in plan, plan
