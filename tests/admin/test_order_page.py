"""An order's page explains its whole life, and offers its cancel to those who may."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.trading_day import ANNA
from trading import audit
from trading.admin.life_picture import LifePicture
from trading.domain.order_states import AT_RISK
from trading.models import Fill, Order, OrderAttempt


def page_of(client, order) -> str:
    answer = client.get(reverse("admin:trading_order_change", args=[order.pk]))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_filled_order_tells_its_story_in_order(day, browse):
    page = page_of(browse("viewer"), day.orders["filled"])
    story = (
        "Received",
        "Decided",
        "Permit given, attempt 1",
        "First byte sent",
        "Outcome, attempt 1",
        "placement: placed",
        "<strong>Fill</strong>",
    )
    places = [page.index(words) for words in story]
    assert places == sorted(places)
    for stage in (
        "decide",
        "wait for the permit",
        "until the first byte",
        "the venue&#x27;s answer",
        "until filled",
        "until booked",
    ):
        assert stage in page, stage
    assert "178 ms" in page, "the time between the first byte and the answer"


def test_a_denied_order_says_why_with_observed_value_and_limit(day, browse):
    page = page_of(browse("viewer"), day.orders["denied"])
    assert "Decision: denied: max order notional, exposure symbol" in page
    assert "The order is worth more than one order may be." in page
    assert "1483.33" in page and "1500" in page
    assert page.index("failed") < page.index("passed"), "what broke comes first"
    assert "Nothing was sent." in page


def test_a_denial_is_told_in_words_with_the_code_beside_them(day, browse):
    Order.objects.filter(pk=day.orders["denied"].pk).update(
        status_reason="max_order_notional, exposure_symbol"
    )
    order = Order.objects.get(pk=day.orders["denied"].pk)
    said = "The order is worth more than one order may be (max_order_notional)."
    with transaction.atomic():
        data = {"status": "denied", "reason": order.status_reason}
        audit.record("order.denied", actor=ANNA, object_type="order", object_id=order.pk, data=data)
    page = page_of(browse("viewer"), order)
    lead, timeline = page.split('class="lv-lead">')[1].split("</p>")[0], page.split("lv-timeline")[1]
    assert lead.startswith(said)
    assert f"5 checks, epoch 4: {said}" in timeline
    assert f"by operator:anna: {said}" in timeline


def test_requests_and_answers_are_escaped(day, browse):
    order = day.orders["rejected"]
    OrderAttempt.objects.filter(order=order).update(answer="<img src=x onerror=alert(1)>")
    page = page_of(browse("viewer"), order)
    assert "<img src=x" not in page and "&lt;img src=x" in page


def test_a_trader_cancels_an_open_order(day, browse):
    order = day.orders["open"]
    client = browse("trader")
    assert "Cancel this order" in page_of(client, order)
    answer = client.post(reverse("admin:trading_order_cancel", args=[order.pk]), follow=True)
    order.refresh_from_db()
    assert order.cancel_state == "requested" and order.status == "open"
    assert b"keeps its status until the venue shows its end" in answer.content


def test_a_cancel_of_an_order_never_sent_ends_it_at_once(day, browse):
    order = day.orders["approved"]
    answer = browse("risk").post(reverse("admin:trading_order_cancel", args=[order.pk]), follow=True)
    order.refresh_from_db()
    assert order.status == "lapsed" and b"was never sent" in answer.content


def test_a_finished_order_cannot_be_canceled(day, browse):
    order, client = day.orders["filled"], browse("trader")
    assert "Cancel this order" not in page_of(client, order)
    answer = client.post(reverse("admin:trading_order_cancel", args=[order.pk]), follow=True)
    assert b"is already filled" in answer.content
    assert Order.objects.get(pk=order.pk).cancel_state == "none"


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_others_see_no_cancel(day, browse, role):
    assert "Cancel this order" not in page_of(browse(role), day.orders["open"])


@pytest.mark.parametrize("key", ["not-an-id", "01890000-0000-7000-8000-000000000000"])
def test_an_unknown_order_is_404(day, browse, key):
    assert browse("viewer").get(f"/admin/trading/order/{key}/change/").status_code == 404


def test_the_role_risk_resolves_a_quarantined_order_with_a_reason(day, browse):
    order, client = day.orders["quarantined"], browse("risk")
    assert "Resolve by my word" in page_of(client, order)
    address = reverse("admin:trading_order_resolve", args=[order.pk])
    silent = client.post(address, {"verdict": "not_accepted", "reason": ""}, follow=True)
    order.refresh_from_db()
    assert order.status == "quarantined" and b"Reason: This field is required" in silent.content
    client.post(address, {"verdict": "not_accepted", "reason": "the venue's page has no such order"})
    order.refresh_from_db()
    assert order.status == "not_accepted" and "the venue's page" in order.status_reason


def test_a_trader_is_not_offered_the_resolution(day, browse):
    assert "Resolve by my word" not in page_of(browse("trader"), day.orders["quarantined"])


def life_of(client, order):
    answer = client.get(reverse("admin:trading_order_change", args=[order.pk]))
    pictures = [part for part in answer.context["page"].sections if isinstance(part, LifePicture)]
    return pictures[0] if pictures else None


def test_the_life_is_drawn_stage_by_stage_on_one_axis(day, browse):
    picture = life_of(browse("viewer"), day.orders["filled"])
    took = {bar.name: re.sub("<[^>]+>", "", bar.took) for bar in picture.bars}
    assert took == {
        "decide": "6.0 ms",
        "wait for the permit": "25.0 ms",
        "until the first byte": "5.0 ms",
        "the venue's answer": "178 ms",
        "until filled": "1.69 s",
        "until booked": "100 ms",
    }
    begins = [float(re.search(r'x="([\d.]+)%"', bar.drawing)[1]) for bar in picture.bars]
    widths = [float(re.search(r'width="([\d.]+)%"', bar.drawing)[1]) for bar in picture.bars]
    assert begins[:5] == sorted(begins[:5]) and begins[0] == 0
    assert all(b + w <= 100.01 and w > 0 for b, w in zip(begins, widths, strict=True))
    assert [word for _, word in picture.axis] == ["1 ms", "10 ms", "100 ms", "1 s"]


def test_the_instants_of_each_stage_are_one_click_away(day, browse):
    page = page_of(browse("viewer"), day.orders["filled"])
    numbers = page.split('id="numbers-life"')[1].split("</details>")[0]
    assert numbers.count("<tr>") == 1 + 6 and "Began" in numbers and "Ended" in numbers


def test_a_fill_before_the_answer_is_told_as_that(day, browse):
    order = day.orders["filled"]
    attempt, fill = OrderAttempt.objects.get(order=order), Fill.objects.get(order=order)
    Fill.objects.bulk_create(
        [
            Fill(
                **{
                    field.attname: getattr(fill, field.attname)
                    for field in Fill._meta.concrete_fields
                    if not field.primary_key
                }
                | {
                    "order_id": day.orders["submitting"].pk,
                    "venue_fill_id": "T-at-once",
                    "filled_at": day.orders["submitting"].created_at,
                    "booked_at": day.orders["submitting"].created_at + timedelta(seconds=3),
                }
            )
        ]
    )
    picture = life_of(browse("viewer"), day.orders["submitting"])
    assert attempt.finished_at < fill.filled_at
    assert [bar.name for bar in picture.bars][-2:] == ["filled before the answer", "until booked"]


def test_an_order_that_was_not_filled_lasts_until_its_end(day, browse):
    picture = life_of(browse("viewer"), day.orders["canceled"])
    last = picture.bars[-1]
    assert last.name == "until the end" and "lv-life-good" in last.drawing


def test_a_denied_order_has_the_one_stage_it_went_through(day, browse):
    picture = life_of(browse("viewer"), day.orders["denied"])
    assert [bar.name for bar in picture.bars] == ["decide"]


def test_an_order_page_asks_a_fixed_number_of_questions(day, browse):
    client, order = browse("viewer"), day.orders["filled"]

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            page_of(client, order)
        return len(asked)

    before = questions()
    fill = Fill.objects.get(order=order)
    for number in range(5):
        fill.pk, fill.venue_fill_id = None, f"T-more-{number}"
        fill.save(force_insert=True)
    assert questions() == before <= 16


def test_chosen_orders_are_canceled_each_by_itself(day, browse):
    client, url = browse("trader", csrf=False), reverse("admin:trading_order_cancel_selected")
    chosen = [day.orders[name].pk for name in ("open", "filled", "approved")]
    answer = client.post(url, {"chosen": [*chosen, chosen[0], "nonsense"], "query": "side=SELL"}, follow=True)
    assert answer.redirect_chain == [(reverse("admin:trading_order_changelist") + "?side=SELL", 302)]
    said = [str(message) for message in answer.context["messages"]]
    assert any("already filled" in words for words in said)
    assert "“nonsense” is no order's id." in said
    assert "Cancel requested for 2 orders. Each keeps its status until the venue shows its end." in said
    found = {
        name: Order.objects.get(pk=day.orders[name].pk) for name in ("open", "filled", "approved", "part")
    }
    assert (found["open"].status, found["open"].cancel_state) == ("open", "requested")
    assert (found["filled"].status, found["approved"].status) == ("filled", "lapsed")
    assert found["part"].cancel_state == "none", "what was not chosen stays"
    assert "Choose an order first" in client.post(url, follow=True).content.decode()


def test_only_what_may_still_end_can_be_chosen_and_only_by_who_may_cancel(day, browse):
    url = reverse("admin:trading_order_changelist")
    page = browse("trader").get(url).content.decode()
    boxes = set(re.findall(r'name="chosen" value="([^"]+)"', page))
    live = Order.objects.filter(status__in=AT_RISK).values_list("pk", flat=True)
    assert boxes == {str(pk) for pk in live} and "Cancel the chosen orders" in page
    client = browse("viewer")
    assert 'name="chosen"' not in client.get(url).content.decode()
    answer = client.post(reverse("admin:trading_order_cancel_selected"), {"chosen": list(boxes)})
    assert answer.status_code == 403
    assert not Order.objects.filter(cancel_state="requested").exists()
