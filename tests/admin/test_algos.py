"""Algos: how far, whether late, what each waits for and how it is stopped; the same few questions for any number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.admin.algos_of_the_day import ALGOS, Piece, plan_algos, write_child
from tests.admin.trading_day import halt
from trading.admin.charts import Chart
from trading.domain.enums import Severity
from trading.domain.errors import InvalidInput
from trading.models import Algo, AuditEntry, Position
from trading.notify import notify
from trading.queries.export_sources import chosen_rows, get_source, read_filters


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
    client = browse("viewer")
    before = queries_of(client, reverse("admin:index"))
    plan_algos(day)
    assert queries_of(client, reverse("admin:index")) == before


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


def test_what_may_be_done_is_offered_to_who_may_do_it_only(algos, browse):
    assert url_of("ticket") in read(browse("trader"), url_of("changelist"))
    assert url_of("ticket") not in read(browse("risk"), url_of("changelist"))
    page = page_of(browse("viewer"), algos["running"])
    assert "Cancel the rest" not in page and ">Pause<" not in page


def test_its_page_says_at_once_how_far_it_is_that_it_is_late_and_how_it_is_stopped(algos, browse):
    page = page_of(browse("trader"), algos["running"])
    assert "Buys 0.04 BTC evenly over 16 min, in 8 slices, at the market&#x27;s price." in page
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
    assert "Sells 0.5 ETH at 3391 USDT or better, showing 0.1 ETH at a time." in page
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


def test_a_long_row_of_children_is_cut_and_words_from_outside_are_escaped(day, algos, browse, monkeypatch):
    monkeypatch.setattr("trading.admin.algo_page.MOST", 2)
    assert "The last 2 of 5 children" in page_of(browse("viewer"), algos["running"])
    Algo.objects.filter(pk=algos["running"].pk).update(waiting_for="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in page_of(browse("viewer"), algos["running"])


def test_an_ended_algo_says_why_and_leads_to_what_is_next(algos, browse):
    client = browse("trader")
    page = page_of(client, algos["denied"])
    assert "The order is worth more than one order may be" in page
    assert "4 of 10 checks fail" in page and ">of the whole<" in page
    assert set(charts_of(client, algos["denied"])) == {"plan"}
    assert "Change it and try again" in page and "kind=twap" in page

    page = page_of(browse("trader"), algos["expired"])
    assert "What is left was not dumped on the market." in page
    assert "A new algo for the rest, 0.01<" in page and "quantity=0.01&amp;price=63900" in page
    assert "Ended before its time: 2 of 8 filled." in page_of(browse("viewer"), algos["canceled"])


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


def test_what_cannot_be_done_now_is_refused_and_the_page_says_why(algos, browse):
    halt(reason="Venue trouble")
    client, algo = browse("trader"), algos["halted"]
    page = page_of(client, algo)
    assert "It cannot be resumed while a halt stands" in page and ">Resume</button>" not in page
    answer = client.post(url_of("resume", algo.pk), follow=True)
    assert b"It cannot go on" in answer.content
    algo.refresh_from_db()
    assert algo.state == "paused"

    algo = algos["done"]
    answer = browse("trader").post(url_of("cancel", algo.pk), follow=True)
    assert b"It has ended" in answer.content
    algo.refresh_from_db()
    assert algo.state == "completed"


def test_an_order_and_the_list_of_orders_lead_from_the_child_to_its_parent(algos, browse):
    client, algo = browse("viewer"), algos["running"]
    child = algo.children.get(number=2)
    link = f'href="{url_of("change", algo.pk)}">TWAP, child 2</a>'
    assert link in read(client, reverse("admin:trading_order_change", args=[child.order_id]))
    orders = reverse("admin:trading_order_changelist")
    assert link in read(client, orders)
    rows = client.get(orders, {"algo": str(algo.pk)}).context["cl"].result_list
    assert [row.algo_child.number for row in rows] == [5, 4, 3, 2, 1]
    assert not client.get(orders, {"algo": "nonsense"}).context["cl"].result_list


def test_an_export_of_one_algos_orders_holds_its_children_only(algos, browse):
    source = get_source("orders")
    filters = read_filters(source, {"algo": str(algos["running"].pk)}, timezone.now())
    assert chosen_rows(source, filters).count() == 5
    with pytest.raises(InvalidInput, match="is no algo's id"):
        read_filters(source, {"algo": "nonsense"}, timezone.now())


def test_find_and_the_audit_trail_lead_to_it(algos, browse):
    client, algo = browse("viewer"), algos["running"]
    found = client.get(reverse("panel_find"), {"q": str(algo.pk)})
    assert found["Location"] == url_of("change", algo.pk)
    trail = read(client, reverse("admin:trading_auditentry_changelist") + f"?q={algo.pk}")
    assert trail.count(f'href="{url_of("change", algo.pk)}"') == 3
    narrowed = client.get(reverse("admin:trading_auditentry_changelist"), {"kind": "algo."}).context["cl"]
    assert {row.kind.partition(".")[0] for row in narrowed.result_list} == {"algo"}


def test_the_control_room_and_the_kill_switch_say_which_live_and_why_some_stand_still(day, algos, browse):
    page = read(browse("viewer"), reverse("admin:index"))
    card = page[page.index('id="algos"') : page.index('id="gauges"')]
    assert "Algos: 2 running, 1 paused, 1 canceling" in card
    assert "a halt: everything: was halted (Venue trouble)" in card and "0.0099 BTC behind" in card
    assert url_of("change", algos["done"].pk) not in card

    page = read(browse("viewer"), reverse("admin:trading_haltstate_changelist"))
    card = page[page.index('id="halt-algos"') : page.index('id="changes"')]
    assert "A halt of everything would pause 2 of them; 1 paused now, which no release wakes." in card
    assert url_of("change", algos["running"].pk) in card


def test_canceling_everything_says_that_algos_end_too(algos, browse):
    answer = browse("trader").post(reverse("admin:trading_haltstate_cancel_all"), follow=True)
    assert "orders and 3 algos. Trading goes on." in " ".join(answer.content.decode().split())
    assert {Algo.objects.get(pk=algos[name].pk).state for name in ("running", "resting", "halted")} == {
        "canceling"
    }


def test_an_alert_of_a_paused_algo_leads_to_it(algos, browse):
    client, algo = browse("viewer"), algos["halted"]
    alert = notify("algo.paused", Severity.WARNING, "Paused: VWAP", "a halt", dedupe_key=f"algo {algo.pk}|")
    link = f'href="{url_of("change", algo.pk)}">Open the algo</a>'
    assert link in read(client, reverse("admin:trading_alert_changelist"))
    assert link in read(client, reverse("admin:trading_alert_change", args=[alert.pk]))


def test_nothing_is_said_of_algos_where_there_are_none(day, browse):
    client = browse("viewer")
    assert "Algos:" not in read(client, reverse("admin:index"))
    assert "would pause" not in read(client, reverse("admin:trading_haltstate_changelist"))


def test_strategies_and_positions_show_the_algos_that_work_for_them(day, algos, browse):
    client = browse("risk")
    strategy = read(client, reverse("admin:trading_strategy_change", args=[day.strategy.pk]))
    assert "Its last algos" in strategy and url_of("change", algos["expired"].pk) in strategy
    held = Position.objects.get(instrument__symbol="BTC/USDT")
    position = read(client, reverse("admin:trading_position_change", args=[held.pk]))
    assert "Algos at work on it" in position and url_of("change", algos["running"].pk) in position
    assert url_of("change", algos["expired"].pk) not in position
