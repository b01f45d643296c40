"""The ticket of an algo: Check shows the plan and writes nothing, Start begins what was checked, and never twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.test_pages import WRITES
from trading.models import Algo, AuditEntry, Order

TWAP = {
    "kind": "twap",
    "account": "paper",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": "0.0400009",
    "duration": "20",
    "duration_unit": "minutes",
    "slices": "4",
}
ICEBERG = {
    "kind": "iceberg",
    "account": "paper",
    "symbol": "BTC/USDT",
    "side": "BUY",
    "quantity": "0.05",
    "price": "49000",
    "visible_quantity": "0.02",
}


@pytest.fixture
def url() -> str:
    return reverse("admin:trading_algo_ticket")


@pytest.fixture
def trader(world, browse):
    return browse("trader")


def check(client, url, given=TWAP, **changes):
    return client.post(url, {**given, **changes, "step": "check"})


def start(client, url, token, given=TWAP, **changes):
    return client.post(url, {**given, "confirmed": "on", **changes, "token": token, "step": "start"})


def words_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_check_shows_the_plan_its_rounding_and_every_rule(trader, url):
    answer = check(trader, url)
    page, shown = words_of(answer), answer.context["shown"]
    assert shown.decision == "started", answer.context["answer"]["codes"]
    assert "0.04 BTC/USDT as TWAP: 4 children over 20 min, on paper" in page
    assert "rounded from 0.0400009" in page and "4, the largest 0.01 BTC" in page
    assert list(shown.charts[0].series[0].values) == [
        Decimal(text) for text in ("0.01", "0.02", "0.03", "0.04", "0.04")
    ]
    assert ">of the whole<" in page and "Asked of the largest child" in page
    assert "I mean <strong>BUY 0.04 BTC/USDT in 4 children over 20 min, worth 2000 USDT</strong>, in" in page


def test_check_writes_nothing(trader, url):
    check(trader, url)  # the price is fresh now
    before = AuditEntry.objects.count()
    with CaptureQueriesContext(connection) as asked:
        check(trader, url)
    assert not [query["sql"] for query in asked if WRITES.match(query["sql"])]
    assert not Algo.objects.exists() and AuditEntry.objects.count() == before


def test_start_begins_what_was_checked_and_opens_its_page(trader, url):
    answer = start(trader, url, check(trader, url).context["token"])
    algo = Algo.objects.get()
    assert answer["Location"] == reverse("admin:trading_algo_change", args=[algo.pk])
    assert (algo.state, algo.kind, algo.actor) == ("running", "twap", "operator:trader-person")
    assert (algo.quantity, algo.duration_seconds, len(algo.plan)) == (Decimal("0.04"), 1200, 4)
    page = words_of(trader.get(answer["Location"]))
    assert "Started. This page follows it." in page and "0 % </strong>" not in page
    assert not Order.objects.exists(), "the first child is the runner's"


def test_a_double_click_a_reload_and_the_back_button_start_once(trader, url):
    token = check(trader, url).context["token"]
    pages = {start(trader, url, token)["Location"] for _ in range(3)}
    assert len(pages) == 1 and Algo.objects.count() == 1
    assert "nothing was started a second time" in words_of(trader.get(pages.pop()))


def test_only_what_was_checked_by_this_person_a_moment_ago_is_started(
    trader, url, people, browse, monkeypatch
):
    token = check(trader, url).context["token"]
    people["none"].groups.set(people["trader"].groups.all())
    refused = [
        (start(trader, url, "made-up"), "Check the algo first, then start it."),
        (start(trader, url, token, quantity="0.5"), "differs from what was checked"),
        (start(browse("none"), url, token), "differs from what was checked"),
    ]
    monkeypatch.setattr("trading.admin.ticket_token.TOKEN_SECONDS", -1)
    refused.append((start(trader, url, token), "more than ten minutes old"))
    for answer, words in refused:
        assert answer.status_code == 409 and words in words_of(answer)
    assert not Algo.objects.exists()


def test_nothing_is_started_without_a_confirmation_of_quantity_notional_and_mode(trader, url):
    answer = start(trader, url, check(trader, url).context["token"], confirmed="")
    assert "Confirm quantity, notional and mode first" in words_of(answer)
    assert not Algo.objects.exists()


def test_a_denied_algo_offers_no_start_button(trader, url, world):
    world.change_limits(max_order_notional="100")
    page = words_of(check(trader, url))
    assert "Would be denied" in page and "The order is worth more than one order may be" in page
    assert 'value="start"' not in page


def test_a_vwap_shows_the_weights_of_the_request_as_bars(trader, url):
    answer = check(trader, url, kind="vwap", slices="", profile="1, 2; 1")
    plan, pieces = answer.context["shown"].charts
    assert list(pieces.series[0].values) == [Decimal(text) for text in ("0.01", "0.02", "0.01")]
    assert plan.key == "plan" and "weights of the request" in words_of(answer)


def test_a_vwap_without_weights_says_where_they_are_from(trader, url):
    answer = check(trader, url, kind="vwap", duration="2", duration_unit="hours")
    assert answer.status_code == 200, answer.context["form"].errors
    shown = answer.context["shown"]
    assert [chart.key for chart in shown.charts] == ["plan", "pieces"]
    assert dict(shown.facts.rows)["Weights from"]


def test_an_iceberg_shows_its_children_one_after_the_other_and_may_have_no_end(trader, url):
    answer = check(trader, url, ICEBERG)
    (pieces,) = answer.context["shown"].charts
    assert list(pieces.series[0].values) == [Decimal(text) for text in ("0.02", "0.02", "0.01")]
    assert "3 children at 49000 or better" in words_of(answer) and "when all is filled" in words_of(answer)
    start(trader, url, answer.context["token"], ICEBERG)
    assert Algo.objects.get().duration_seconds is None


def test_a_start_in_the_future_is_read_as_utc(trader, url):
    answer = check(trader, url, start_at="2020-01-31 14:30")
    assert "start_at is in the past" in " ".join(answer.context["form"].errors["start_at"])


WRONG = [
    ({"quantity": "abc"}, "quantity", "not a number"),
    ({"duration": ""}, "duration", "needs duration_seconds"),
    ({"duration": "1e400"}, "duration", "duration_seconds"),
    ({"duration": "soon"}, "duration", "not a number"),
    ({"slices": "1000"}, "slices", "whole number"),
    ({"start_at": "tomorrow"}, "start_at", "not a time"),
    ({"symbol": "NO/PE"}, "symbol", "Unknown symbol"),
    ({"visible_quantity": "0.01"}, "visible_quantity", "Only Iceberg has it"),
    ({"kind": "vwap", "profile": "1,x"}, "profile", "profile"),
    ({"kind": "iceberg", "slices": "", "visible_quantity": "0.01"}, "price", "rests in the book"),
]


def test_bad_input_is_explained_beside_its_field(trader, url):
    for changes, field, words in WRONG:
        answer = check(trader, url, **changes)
        assert answer.status_code == 400, changes
        assert words in " ".join(answer.context["form"].errors[field]), changes
    assert not Algo.objects.exists()


def test_only_traders_have_the_ticket(world, browse, url):
    for role in ("viewer", "risk", "admin", "none"):
        client = browse(role)
        assert client.get(url).status_code == check(client, url).status_code == 403, role


def test_a_link_may_fill_the_ticket_in(trader, url):
    page = trader.get(
        url, {"kind": "iceberg", "symbol": "ETH/USDT", "visible_quantity": "0.5"}
    ).content.decode()
    assert 'value="ETH/USDT"' in page and 'value="0.5"' in page
    assert not Algo.objects.exists()
