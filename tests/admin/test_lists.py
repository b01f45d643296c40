"""Lists: the same number of queries for ten rows and for many, any id finds its order, numbers read as numbers."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib import admin
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.orders_of_the_day import ORDERS, write_order
from trading.admin import cells
from trading.admin.alerts import AlertScreen
from trading.admin.kill_switch import KillSwitchScreen
from trading.admin.orders import OrderScreen
from trading.admin.page import PanelAdmin
from trading.admin.second_factor import SecondFactorScreen
from trading.models import Balance, Fill, Order

LISTS = (
    "order",
    "fill",
    "position",
    "signal",
    "balance",
    "equitysnapshot",
    "syncrun",
    "break",
    "auditentry",
    "instrument",
    "exchangeaccount",
    "strategy",
)


def url_of(model: str) -> str:
    return reverse(f"admin:trading_{model}_changelist")


def queries_of(client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


@pytest.mark.parametrize("model", LISTS)
def test_a_list_asks_few_questions(day, browse, model):
    client = browse("risk")
    assert queries_of(client, url_of(model)) <= 14


def test_the_page_of_limits_measures_all_of_them_in_a_fixed_number_of_questions(day, browse):
    """It is a list with the use of every limit and the state of every trigger above it."""
    assert queries_of(browse("risk"), url_of("limitsversion")) <= 36


def test_more_rows_ask_no_more_questions(day, browse):
    client = browse("risk")
    urls = [*map(url_of, ("order", "fill", "signal", "auditentry", "exportjob")), reverse("admin:index")]
    before = [queries_of(client, url) for url in urls]
    for spec in ORDERS * 2:
        write_order(day, spec)
    assert [queries_of(client, url) for url in urls] == before


def test_no_list_counts_its_rows(day, browse):
    client = browse("risk")
    for model in ("order", "fill", "signal", "auditentry"):
        with CaptureQueriesContext(connection) as asked:
            client.get(url_of(model))
        table = f'FROM "trading_{model}"'
        assert not [
            q["sql"] for q in asked if "COUNT(" in q["sql"] and table in q["sql"] and "WHERE" not in q["sql"]
        ]


def test_an_order_is_found_by_any_of_its_ids(day, browse):
    client, order = browse("viewer"), day.orders["filled"]
    ids = (order.pk, order.client_order_id, order.exchange_order_id, order.signal_id, order.signal.key)
    for term in ids:
        found = client.get(url_of("order"), {"q": str(term)}).context["cl"].result_list
        assert [row.pk for row in found] == [order.pk], term
    assert not client.get(url_of("order"), {"q": "nothing-like-it"}).context["cl"].result_list


def test_a_fill_is_found_by_the_venues_id_and_by_its_order(day, browse):
    client, fill = browse("viewer"), Fill.objects.select_related("order").first()
    for term in (fill.venue_fill_id, fill.order.client_order_id):
        found = client.get(url_of("fill"), {"q": term}).context["cl"].result_list
        assert [row.pk for row in found] == [fill.pk], term


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "in_doubt"}, {"doubt"}),
        ({"symbol": "SOL/USDT", "side": "BUY"}, {"rejected", "quarantined"}),
        ({"strategy": "mean-reversion", "status": "open"}, {"open"}),
        ({"account": "paper", "status": "denied"}, {"denied"}),
        ({"status": "nonsense"}, set()),
    ],
)
def test_filters_narrow_the_list(day, browse, query, expected):
    rows = browse("viewer").get(url_of("order"), query).context["cl"].result_list
    assert {row.pk for row in rows} == {day.orders[name].pk for name in expected}


def test_the_list_of_breaks_tells_open_breaks_from_open_orders(day, browse):
    page = browse("viewer").get(url_of("break")).content.decode()
    assert '<span class="lv-badge lv-bad">open</span>' in page


def test_tiny_and_huge_numbers_are_written_out(day, browse):
    Balance.objects.filter(asset="BTC").update(free=Decimal("0.0000001"))
    Balance.objects.filter(asset="ETH").update(free=Decimal("12000000000.5"))
    page = browse("viewer").get(url_of("balance")).content.decode()
    assert ">0.0000001<" in page and ">12000000000.5<" in page
    assert "E-" not in page.split("result_list")[1].split("</table>")[0]


def test_pages_by_key_reach_every_row_once_and_lead_back(day, browse, monkeypatch):
    monkeypatch.setattr("trading.admin.orders.OrderScreen.list_per_page", 5)
    client, query, seen = browse("viewer"), "", []
    while query is not None:
        cl = client.get(url_of("order") + query).context["cl"]
        seen.append([row.pk for row in cl.result_list])
        query = cl.next_url or None
    everything = [pk for page in seen for pk in page]
    assert everything == list(Order.objects.order_by("-created_at", "-id").values_list("pk", flat=True))
    assert [
        row.pk for row in client.get(url_of("order") + cl.previous_url).context["cl"].result_list
    ] == seen[-2]


def test_a_page_far_back_costs_what_the_first_does(day, browse, monkeypatch):
    monkeypatch.setattr("trading.admin.orders.OrderScreen.list_per_page", 3)
    client = browse("viewer")
    first = client.get(url_of("order"))
    with CaptureQueriesContext(connection) as asked:
        client.get(url_of("order") + first.context["cl"].next_url)
    assert not [q["sql"] for q in asked if "OFFSET" in q["sql"]]


def test_a_cursor_that_is_none_of_ours_shows_the_first_page(day, browse):
    page = browse("viewer").get(url_of("order"), {"cursor": "nonsense"})
    assert page.status_code == 200 and page.context["cl"].is_first


@pytest.mark.parametrize(
    ("model", "query"),
    [("order", {"symbol": "NO/NO"}), ("order", {"strategy": "nobody"}), ("fill", {"account": "nobody"})],
)
def test_a_name_that_nothing_has_is_not_looked_for_among_the_rows(day, browse, model, query):
    client = browse("viewer")
    with CaptureQueriesContext(connection) as asked:
        page = client.get(url_of(model), query)
    assert not page.context["cl"].result_list and b"Nothing matches." in page.content
    assert not [q["sql"] for q in asked if f'FROM "trading_{model}"' in q["sql"] and "ORDER BY" in q["sql"]]


def test_more_rows_ask_no_more_questions_of_a_narrowed_list(day, browse):
    client, url = browse("risk"), url_of("order") + "?symbol=SOL/USDT&side=BUY"
    before = queries_of(client, url)
    for spec in ORDERS * 2:
        write_order(day, spec)
    assert queries_of(client, url) == before <= 18


@pytest.fixture
def slow_lists(monkeypatch):
    """Every look at the orders takes longer than a narrowed list may take for all of them."""
    plain = OrderScreen.get_queryset

    def slow(screen, request):
        return plain(screen, request).extra(where=["(SELECT pg_sleep(0.02)) IS NOT NULL"])

    monkeypatch.setattr(OrderScreen, "get_queryset", slow)
    monkeypatch.setattr("trading.queries.key_walk.PATIENCE_MS", 5)
    monkeypatch.setattr("trading.queries.key_walk.WINDOW", 4)


def test_a_list_that_would_read_everything_looks_through_a_part_says_so_and_leads_on(day, browse, slow_lists):
    client, query, seen, pages = browse("viewer"), "?status=filled", [], 0
    while query:
        page = client.get(url_of("order") + query)
        cl, pages = page.context["cl"], pages + 1
        seen += [row.pk for row in cl.result_list]
        assert (b"rows were looked through" in page.content) == (cl.looked_until is not None)
        query = cl.next_url
    filled = Order.objects.filter(status="filled").order_by("-created_at", "-id")
    assert seen == list(filled.values_list("pk", flat=True)), "every match once, in order"
    assert pages > Order.objects.count() // 4 > 1


def test_a_part_without_a_match_does_not_pretend_that_there_is_none(day, browse, slow_lists):
    oldest = Order.objects.order_by("created_at", "id").first()
    page = browse("viewer").get(
        url_of("order"),
        {"status": oldest.status, "symbol": oldest.instrument.symbol, "q": oldest.client_order_id},
    )
    assert not page.context["cl"].result_list and page.context["cl"].next_url
    assert b"Nothing matches so far." in page.content


def test_a_failure_of_another_kind_is_not_taken_for_a_slow_list(day, browse, monkeypatch):
    def fail(walk, rows):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("trading.queries.key_walk.KeyWalk.along", fail)
    with pytest.raises(OperationalError):
        browse("viewer").get(url_of("order"), {"side": "BUY"})


def test_every_list_says_what_it_is_empty_of_and_what_to_do():
    """Asked of the screens, not of one page each: an empty list that only says so helps nobody."""
    silent = [
        type(screen).__name__
        for screen in admin.site._registry.values()
        if isinstance(screen, PanelAdmin)
        and not isinstance(
            screen, (AlertScreen, KillSwitchScreen, SecondFactorScreen)
        )  # pages instead of lists
        and screen.empty_words == PanelAdmin.empty_words
    ]
    assert silent == []


def test_a_list_is_called_what_the_navigation_calls_it(day, browse):
    for name, title in (
        ("auditentry", "Audit trail"),
        ("apitoken", "API tokens"),
        ("limitsversion", "Risk limits"),
    ):
        assert f'<h1 class="lv-page-title">{title}</h1>' in browse("super").get(url_of(name)).content.decode()


@pytest.mark.parametrize("model", ["apitoken", "exchangeaccount", "alertchannel", "invitation"])
def test_what_can_be_made_here_is_offered_to_who_may_make_it_only(day, browse, model):
    url = reverse(f"admin:trading_{model}_add")
    answer = browse("admin").get(reverse(f"admin:trading_{model}_changelist"))
    assert f'href="{url}"' in answer.content.decode()
    assert url not in browse("viewer").get(reverse(f"admin:trading_{model}_changelist")).content.decode()


def test_a_measure_is_rounded_for_the_eye_and_whole_in_its_tooltip(day, browse):
    assert cells.rounded(Decimal("1.192039925")) == '<span class="lv-num" title="1.192039925">1.19</span>'
    assert cells.rounded(Decimal(5000)) == '<span class="lv-num" title="5000">5000</span>'
    page = browse("viewer").get(reverse("admin:trading_limitsversion_changelist")).content.decode()
    used = page.split("In use now")[-1].split("</table>")[0]
    assert re.findall(r">[−\d]*\.\d{3,}<", used) == []
    assert "%, over" in used
