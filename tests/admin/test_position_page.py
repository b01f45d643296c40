"""A position's page: the symbol's price with the fills on it, its share of the limit, every number one click away."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.orders_of_the_day import ORDERS, write_order
from trading.models import Fill, Instrument, Order, Position


def chart_of(page):
    sections = page.context["page"].sections
    return next(section for section in sections if getattr(section, "key", "") == "price")


@pytest.fixture
def held(day):
    return Position.objects.get(instrument__symbol="BTC/USDT")


def open_page(browse, row):
    return browse("viewer").get(reverse("admin:trading_position_change", args=[row.pk]))


def test_the_price_is_drawn_with_the_fills_that_made_the_position(browse, held):
    sale = Fill.objects.get(instrument=held.instrument)
    sale.pk, sale.venue_fill_id, sale.side, sale.price = None, "T-sold", "SELL", Decimal("64100.5")
    sale.filled_at = held.updated_at
    sale.save(force_insert=True)
    page = open_page(browse, held)
    drawn = {series["label"]: series for series in chart_of(page).payload["series"]}
    assert set(drawn) == {"Price", "Bought", "Sold"}
    assert [value for value in drawn["Bought"]["values"] if value] == [63980.4]
    assert [value for value in drawn["Sold"]["values"] if value] == [64100.5]
    assert all(drawn["Price"]["values"]), "the line has no hole"
    assert 64213.55 in drawn["Price"]["values"], "what decisions saw and the quote says"
    places = chart_of(page).payload["places"]
    assert places == sorted(places)
    text = page.content.decode()
    assert "The numbers" in text and "0.0231 BTC at 63980.4" in text and "charts.js" in text


def test_the_list_of_positions_says_how_much_of_its_limit_each_uses(day, browse):
    page = browse("viewer").get(reverse("admin:trading_position_changelist"))
    assert page.content.decode().count("Of its limit") > 0
    said = {row.lines[0][0].split(">")[1].split("<")[0]: row.lines[6][0] for row in page.context["rows"]}
    assert "74 %" in said["BTC/USDT"] and "76 %" in said["ETH/USDT"]


def test_the_share_of_the_limit_names_both_of_its_numbers(browse, held):
    page = open_page(browse, held).content.decode()
    assert "1,483.33 of 2,000.00 USD" in page and "74 %" in page


def test_each_fill_leads_to_its_page_and_to_its_order(browse, held):
    fill, page = Fill.objects.get(instrument=held.instrument), open_page(browse, held).content.decode()
    for url in (
        reverse("admin:trading_fill_change", args=[fill.pk]),
        reverse("admin:trading_order_change", args=[fill.order_id]),
    ):
        assert f'href="{url}"' in page


def test_a_position_without_stored_prices_says_what_will_make_the_line(day, browse):
    lonely = Instrument.objects.get(symbol="SOL/USDT")
    row = Position.objects.get_or_create(
        account=day.account, instrument=lonely, defaults={"updated_at": day.now}
    )[0]
    assert not Fill.objects.filter(instrument=lonely).exists()
    Order.objects.filter(instrument=lonely).update(reference_price=None)
    page = open_page(browse, row)
    assert chart_of(page).is_empty and b"The line begins with the second stored price" in page.content


def test_more_orders_and_fills_ask_no_more_questions(day, browse, held):
    client, url = browse("viewer"), reverse("admin:trading_position_change", args=[held.pk])

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url).status_code == 200
        return len(asked)

    before = questions()
    for spec in ORDERS * 2:
        write_order(day, spec)
    assert questions() == before <= 16


@pytest.mark.parametrize(
    ("role", "forms", "tickets"), [("viewer", 0, 0), ("trader", 0, 1), ("risk", 1, 0), ("super", 1, 1)]
)
def test_a_position_offers_one_way_to_close_it(day, browse, people, held, role, forms, tickets):
    page = browse(role).get(reverse("admin:trading_position_change", args=[held.pk])).content.decode()
    assert page.count("Close the position</button>") == forms
    assert page.count("Open the ticket, filled in") == tickets
