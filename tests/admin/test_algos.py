"""Algos: how far, whether late, what each waits for and how it is stopped; the same few questions for any number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.algos_of_the_day import ALGOS, Piece, plan_algos, write_child
from tests.admin.trading_day import halt
from trading.admin.charts import Chart
from trading.models import Algo, AuditEntry


@pytest.fixture
def algos(day):
    return plan_algos(day)


def url_of(page: str, *args: object) -> str:
    return reverse(f"admin:trading_algo_{page}", args=args)


def read(client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def page_of(client, algo: Algo) -> str:
    return read(client, url_of("change", algo.pk))


def charts_of(client, algo: Algo) -> dict[str, Chart]:
    sections = client.get(url_of("change", algo.pk)).context["page"].sections
    return {section.key: section for section in sections if isinstance(section, Chart)}


def queries_of(client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def keys(client, **query: str) -> set[str]:
    return {str(row.pk) for row in client.get(url_of("changelist"), query).context["cl"].result_list}


def test_the_list_says_how_far_each_is_and_whether_it_is_behind(algos, browse):
    page = read(browse("viewer"), url_of("changelist"))
    assert "38 % of 0.04 BTC, 0.0099 BTC behind" in page
    assert 'aria-label="38 % filled, 62 % scheduled by now"' in page
    assert "40 % of 0.5 ETH<" in page, "an iceberg has no schedule to be behind of"
    assert "a halt: everything: was halted (Venue trouble)" in page
    assert "6.8 bps worse" in page and "21.5 bps better" in page


def test_more_algos_ask_no_more_questions(day, algos, browse):
    client = browse("risk")
    before = queries_of(client, url_of("changelist"))
    plan_algos(day)
    assert queries_of(client, url_of("changelist")) == before <= 15


def test_the_list_is_narrowed_and_an_algo_found_by_its_id_and_by_its_children(algos, browse):
    client = browse("viewer")
    living = {str(algos[name].pk) for name in ("running", "resting", "halted", "canceling")}
    assert keys(client, state="living") == living
    assert keys(client, state="denied") == {str(algos["denied"].pk)}
    assert keys(client, kind="vwap", symbol="SOL/USDT") == {str(algos["halted"].pk)}
    order = algos["running"].children.first().order
    for term in (algos["running"].pk, order.pk, order.client_order_id):
        assert keys(client, q=str(term)) == {str(algos["running"].pk)}, term
    assert keys(client, q="nothing-like-it") == set()


def test_new_algo_is_offered_to_who_may_start_one_only(algos, browse):
    assert url_of("ticket") in read(browse("trader"), url_of("changelist"))
    assert url_of("ticket") not in read(browse("risk"), url_of("changelist"))


def test_its_page_says_at_once_how_far_it_is_that_it_is_late_and_how_it_is_stopped(algos, browse):
    page = page_of(browse("trader"), algos["running"])
    head = page[page.index("lv-algo-now") : page.index("chart-schedule")]
    for words in (
        "38 %</strong>",
        "0.0151 of 0.04 BTC filled",
        "Late.",
        "Schedule 0.025 BTC by now: 0.0099 BTC behind.",
        "It catches up by at most twice its largest slice at a time. The next slice is not due yet.",
        ">Pause</button>",
        ">Cancel the rest</button>",
    ):
        assert words in head, words
    assert "6.8 bps worse than the last price at its start" in page and "which cost 0.66 USDT" in page
    assert "look at the spread first" in page


def test_who_may_only_look_has_no_button(algos, browse):
    page = page_of(browse("viewer"), algos["running"])
    assert "Cancel the rest" not in page and ">Pause<" not in page


def test_the_picture_holds_the_schedule_against_what_was_achieved(algos, browse):
    chart = charts_of(browse("viewer"), algos["running"])["schedule"]
    schedule, achieved = (series.values for series in chart.series)
    assert [series.label for series in chart.series] == ["Schedule", "Achieved"] and chart.unit == "BTC"
    assert schedule[-1] == Decimal("0.04") and schedule == sorted(schedule)
    done = [value for value in achieved if value is not None]
    assert done[-1] == Decimal("0.0151") and done == sorted(done)
    assert achieved[-1] is None, "what is ahead of now is not achieved"
    assert len(chart.bands) == 1 and chart.bands[0].label == "paused"
    now = chart.marks[0].at
    assert chart.places[0] < now < chart.places[-1]
    assert len(chart.lines) == len(chart.places)


def test_prices_and_slices_are_pictures_too(algos, browse):
    charts = charts_of(browse("viewer"), algos["running"])
    fills, average = charts["prices"].series
    assert [value for value in fills.values if value is not None] == [
        Decimal(price) for price in ("64202", "64251.5", "64330", "64298")
    ]
    assert round(average.values[-1], 2) == Decimal("64257.38")
    assert [level.label for level in charts["prices"].levels] == ["price at its start"]
    planned, achieved = charts["slices"].series
    assert list(planned.values) == [Decimal("0.005")] * 8
    assert achieved.values[:4] == [Decimal("0.005"), Decimal("0.005"), Decimal("0.0031"), Decimal("0.002")]


def test_an_iceberg_shows_what_rests_and_no_schedule(algos, browse):
    client = browse("viewer")
    assert [series.label for series in charts_of(client, algos["resting"])["schedule"].series] == ["Achieved"]
    page = page_of(client, algos["resting"])
    assert "0.1 ETH in the book now." in page and "Rests at" in page and "behind" not in page


def test_its_children_are_ordinary_orders_with_why_one_came_to_nothing(algos, browse):
    page = page_of(browse("viewer"), algos["running"])
    children = page[page.index(">Children<") : page.index("What was asked before it was started")]
    for child in algos["running"].children.select_related("order"):
        assert reverse("admin:trading_order_change", args=[child.order_id]) in children
    assert "(price_stale)" in children
    assert f"/order/?algo={algos['running'].pk}" in children


def test_more_children_and_fills_ask_no_more_questions(day, algos, browse):
    client, algo = browse("trader"), algos["running"]
    before = queries_of(client, url_of("change", algo.pk))
    spec = next(spec for spec in ALGOS if spec.name == "running")
    for number in range(6, 12):
        write_child(day, algo, spec, Piece(1, 4, "0.001", "64300"), number)
    assert queries_of(client, url_of("change", algo.pk)) == before <= 20


def test_a_long_row_of_children_is_cut_and_says_so(day, algos, browse, monkeypatch):
    monkeypatch.setattr("trading.admin.algo_page.MOST", 2)
    assert "The last 2 of 5 children" in page_of(browse("viewer"), algos["running"])


def test_a_denied_algo_shows_its_plan_and_says_in_words_why(algos, browse):
    client = browse("trader")
    page = page_of(client, algos["denied"])
    assert "The order is worth more than one order may be" in page
    assert "4 of 10 checks fail" in page and ">all of it<" in page and ">one child<" in page
    assert set(charts_of(client, algos["denied"])) == {"plan"}
    assert "Change it and try again" in page and "kind=twap" in page


def test_what_an_expired_algo_left_can_be_asked_for_again(algos, browse):
    page = page_of(browse("trader"), algos["expired"])
    assert "What is left was not dumped on the market." in page
    assert "A new algo for the rest, 0.01<" in page and "quantity=0.01&amp;price=63900" in page


def test_a_trader_pauses_and_resumes_with_a_reason_that_is_kept(algos, browse):
    client, algo = browse("trader"), algos["running"]
    answer = client.post(url_of("pause", algo.pk), {"reason": "news at noon"}, follow=True)
    algo.refresh_from_db()
    assert (algo.state, algo.state_reason) == ("paused", "news at noon")
    page = " ".join(answer.content.decode().split())
    assert "Paused: no new child is made" in page and ">Resume</button>" in page
    assert "The rest of its schedule moves by the length of the pause." in page
    client.post(url_of("resume", algo.pk))
    algo.refresh_from_db()
    assert algo.state == "running" and len(algo.pauses) == 2
    kinds = AuditEntry.objects.filter(object_id=str(algo.pk), actor="operator:trader-person")
    assert list(kinds.order_by("id").values_list("kind", flat=True)) == ["algo.paused", "algo.resumed"]


def test_the_rest_is_canceled_in_one_step_also_by_the_role_risk(algos, browse):
    algo = algos["resting"]
    answer = browse("risk").post(url_of("cancel", algo.pk), follow=True)
    algo.refresh_from_db()
    assert algo.state == "canceling"
    assert algo.children.get(number=3).order.cancel_state == "requested"
    assert "0.1 ETH of it may still be filled" in " ".join(answer.content.decode().split())


def test_while_a_halt_stands_it_cannot_be_resumed_and_the_page_says_why(algos, browse):
    halt(reason="Venue trouble")
    client, algo = browse("trader"), algos["halted"]
    page = page_of(client, algo)
    assert "It cannot be resumed while a halt stands" in page and ">Resume</button>" not in page
    answer = client.post(url_of("resume", algo.pk), follow=True)
    assert b"It cannot go on" in answer.content
    algo.refresh_from_db()
    assert algo.state == "paused"


def test_an_ended_algo_is_not_stopped_again(algos, browse):
    algo = algos["done"]
    answer = browse("trader").post(url_of("cancel", algo.pk), follow=True)
    assert b"It has ended" in answer.content
    algo.refresh_from_db()
    assert algo.state == "completed"


def test_words_from_outside_are_escaped(day, algos, browse):
    Algo.objects.filter(pk=algos["running"].pk).update(waiting_for="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in page_of(browse("viewer"), algos["running"])


def test_one_that_ended_before_its_time_says_how_far_it_came(algos, browse):
    assert "Ended before its time: 2 of 8 filled." in page_of(browse("viewer"), algos["canceled"])
