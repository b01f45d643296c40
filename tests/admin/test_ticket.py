"""The order ticket: Check writes nothing, Place sends what was checked, and never twice."""

from __future__ import annotations

import pytest
from django.core.signing import TimestampSigner
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.test_pages import WRITES
from trading.models import AuditEntry, Order, Signal

ORDER = {
    "account": "paper",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "order_type": "LIMIT",
    "quantity": "0.0100009",
    "price": "49000",
    "time_in_force": "GTC",
}


@pytest.fixture
def url() -> str:
    return reverse("admin:trading_order_ticket")


@pytest.fixture
def trader(world, browse):
    return browse("trader")


def check(client, url, **changes):
    return client.post(url, {**ORDER, **changes, "step": "check"})


def place(client, url, token, **changes):
    return client.post(url, {**ORDER, "confirmed": "on", **changes, "token": token, "step": "place"})


def test_check_shows_rounding_notional_fee_and_every_rule(trader, url):
    answer = check(trader, url)
    page = " ".join(answer.content.decode().split())
    assert answer.context["answer"]["decision"] == "approved", answer.context["answer"]["codes"]
    assert "rounded from 0.0100009" in page
    assert "490 <span" in page and "USDT" in page
    assert len(answer.context["answer"]["checks"]) > 20
    assert "Place: BUY 0.01 BTC/USDT" in page


def test_check_writes_nothing(trader, url):
    check(trader, url)  # the price is fresh now
    before = (Order.objects.count(), Signal.objects.count(), AuditEntry.objects.count())
    with CaptureQueriesContext(connection) as asked:
        check(trader, url)
    assert not [query["sql"] for query in asked if WRITES.match(query["sql"])]
    assert before == (Order.objects.count(), Signal.objects.count(), AuditEntry.objects.count())


def test_place_sends_what_was_checked_and_opens_its_page(trader, url):
    token = check(trader, url).context["token"]
    answer = place(trader, url, token)
    order = Order.objects.get()
    assert answer["Location"] == reverse("admin:trading_order_change", args=[order.pk])
    assert (order.status, order.origin, order.actor) == ("approved", "panel", "operator:trader-person")
    assert str(order.quantity.normalize()) == "0.01"


def test_a_double_click_a_reload_and_the_back_button_send_once(trader, url):
    token = check(trader, url).context["token"]
    pages = {place(trader, url, token)["Location"] for _ in range(3)}
    assert len(pages) == 1 and Order.objects.count() == 1


def test_the_second_time_says_that_nothing_was_sent(trader, url):
    token = check(trader, url).context["token"]
    place(trader, url, token)
    page = trader.get(place(trader, url, token)["Location"]).content.decode()
    assert "nothing was sent a second time" in page


def test_placing_without_a_check_is_refused(trader, url):
    answer = place(trader, url, "made-up")
    assert answer.status_code == 409 and b"Check the order first" in answer.content
    assert not Order.objects.exists()


def test_what_was_not_checked_is_not_placed(trader, url):
    token = check(trader, url).context["token"]
    answer = place(trader, url, token, quantity="0.5")
    assert answer.status_code == 409 and b"differs from what was checked" in answer.content
    assert not Order.objects.exists()


def test_a_check_of_somebody_else_is_no_check(trader, url, people, browse):
    token = check(trader, url).context["token"]
    people["none"].groups.set(people["trader"].groups.all())
    assert place(browse("none"), url, token).status_code == 409
    assert not Order.objects.exists()


def test_a_check_grows_old(trader, url, monkeypatch):
    token = check(trader, url).context["token"]
    monkeypatch.setattr("trading.admin.ticket_token.TOKEN_SECONDS", -1)
    answer = place(trader, url, token)
    assert answer.status_code == 409 and b"more than ten minutes old" in answer.content
    assert not Order.objects.exists()


def test_a_token_signed_for_something_else_is_refused(trader, url):
    forged = TimestampSigner(salt="other").sign("key|1|{}")
    assert place(trader, url, forged).status_code == 409
    assert not Order.objects.exists()


def test_a_denied_order_offers_no_place_button(trader, url, world):
    world.change_limits(max_order_notional="100")
    answer = check(trader, url)
    page = answer.content.decode()
    assert "Would be denied" in page and "The order is worth more than one order may be." in page
    assert 'value="place"' not in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("quantity", "abc", "not a number"),
        ("quantity", "-1", "greater than zero"),
        ("quantity", "1e400", "quantity"),
        ("price", "", "needs a price"),
        ("symbol", "NO/PE", "Unknown symbol"),
    ],
)
def test_bad_input_is_explained_beside_its_field(trader, url, field, value, words):
    answer = check(trader, url, **{field: value})
    assert answer.status_code == 400
    assert words in " ".join(answer.context["form"].errors[field])
    assert not Order.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "risk", "admin", "none"])
def test_only_traders_have_the_ticket(world, browse, url, role):
    client = browse(role)
    assert client.get(url).status_code == 403
    assert check(client, url).status_code == 403


def test_a_link_may_fill_the_ticket_in(trader, url):
    page = trader.get(url, {"symbol": "ETH/USDT", "side": "SELL", "reduce_only": "on"}).content.decode()
    assert 'value="ETH/USDT"' in page
    assert not Order.objects.exists()


def test_nothing_is_placed_without_a_confirmation_of_quantity_notional_and_mode(trader, url):
    token = check(trader, url).context["token"]
    answer = place(trader, url, token, confirmed="")
    page = " ".join(answer.content.decode().split())
    assert "Confirm quantity, notional and mode first" in page and not Order.objects.exists()
    words = "I mean <strong>BUY 0.01 BTC/USDT</strong>, worth <strong>490 USDT</strong>, in <strong>PAPER</strong>"
    assert words in page
