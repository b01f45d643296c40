"""What surrounds the pages: find, exports, saved views, system, fragments, and the strict policy of our own pages."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.trading_day import make_account
from tests.scripted_stream import offered, stream_row
from trading.admin.room_charts import gauges
from trading.connections import describe
from trading.exchanges.registry import get_limiter, limits_of
from trading.execution.exports import run_exports
from trading.execution.jobs import beat_heart
from trading.models import AuditEntry, ExportJob, Order, SavedFilter, Signal
from trading.queries.system import list_parts
from trading.risk.limit_fields import FIELDS

__all__ = ["offered"]
ORDERS = "/admin/trading/order/"


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "HOME_DIR", tmp_path)


def test_an_id_leads_straight_to_its_only_row(day, browse):
    order = day.orders["open"]
    answer = browse("viewer").get(reverse("panel_find"), {"q": f" {order.client_order_id} "})
    assert answer["Location"] == reverse("admin:trading_order_change", args=[order.pk])


def test_nothing_found_says_what_can_be_found(day, browse):
    page = browse("viewer").get(reverse("panel_find"), {"q": "<b>no such</b>"}).content.decode()
    assert "Nothing has the id" in page and "<b>no such</b>" not in page


def test_find_shows_only_what_the_roles_may_see(day, browse):
    answer = browse("none").get(reverse("panel_find"), {"q": str(day.orders["open"].pk)})
    assert answer.status_code == 200 and b"Nothing has the id" in answer.content


def test_an_export_is_asked_for_left_and_fetched(day, browse):
    client = browse("viewer")
    answer = client.post(
        reverse("panel_export"), {"source": "orders", "format": "csv", "query": "status=filled"}
    )
    job = ExportJob.objects.get()
    assert answer["Location"] == reverse("admin:trading_exportjob_change", args=[job.pk])
    assert client.get(reverse("admin:trading_exportjob_file", args=[job.pk])).status_code == 404, (
        "not written yet"
    )
    run_exports()
    assert "Download" in client.get(answer["Location"]).content.decode()
    got = client.get(reverse("admin:trading_exportjob_file", args=[job.pk]))
    text = b"".join(got.streaming_content).decode()
    assert "attachment" in got["Content-Disposition"] and text.count("filled") >= 1 and text.startswith("id,")


def test_a_copy_needs_the_right_to_what_it_copies(day, browse, people):
    assert (
        browse("viewer").post(reverse("panel_export"), {"source": "audit", "format": "csv"}).status_code
        == 403
    )
    assert not ExportJob.objects.exists()
    browse("risk").post(reverse("panel_export"), {"source": "audit", "format": "csv"})
    run_exports()
    file = reverse("admin:trading_exportjob_file", args=[ExportJob.objects.get().pk])
    assert browse("viewer").get(file).status_code == 403
    assert browse("risk").get(file).status_code == 200


def test_an_export_of_nothing_known_is_explained(day, browse):
    answer = browse("risk").post(
        reverse("panel_export"), {"source": "passwords", "format": "csv"}, follow=True
    )
    assert "cannot be exported" in answer.content.decode() and not ExportJob.objects.exists()


@pytest.mark.parametrize("name", ["panel_export", "panel_save_filter"])
def test_what_acts_refuses_get_and_needs_a_token(day, browse, name):
    assert browse("super").get(reverse(name)).status_code == 405
    assert browse("super", csrf=True).post(reverse(name)).status_code == 403


def test_a_view_is_saved_shown_used_and_forgotten(day, browse):
    client = browse("viewer")
    given = {"page": ORDERS, "query": "status=filled", "name": "Done"}
    assert client.post(reverse("panel_save_filter"), given)["Location"] == f"{ORDERS}?status=filled"
    assert ">Done<" in client.get(ORDERS).content.decode()
    assert ">Done<" not in browse("trader").get(ORDERS).content.decode(), "each person has their own"
    row = SavedFilter.objects.get()
    assert browse("trader").post(reverse("panel_forget_filter", args=[row.pk])).status_code == 404
    client.post(reverse("panel_forget_filter", args=[row.pk]))
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    "page", ["https://elsewhere.example/", "//elsewhere.example/", "/admin/logout/", "/live/kill"]
)
def test_a_view_leads_nowhere_but_to_a_list(day, browse, page):
    answer = browse("viewer").post(reverse("panel_save_filter"), {"page": page, "query": "a=1", "name": "x"})
    assert answer.status_code in (403, 404) and not SavedFilter.objects.exists()


def test_the_system_page_says_what_runs_and_under_which_licence(day, browse):
    page = browse("viewer").get(reverse("panel_system")).content.decode()
    assert "PostgreSQL" in page and "Chart" not in page.split("lv-frame")[0]
    assert re.search(r"<td>django</td>\s*<td>5\.2", page, re.IGNORECASE) and "BSD" in page
    assert "What ended on this host" in page and "web processes do not" not in page, "they report, as all do"
    assert browse("none").get(reverse("panel_system")).status_code == 403


def test_the_door_and_the_panel_have_one_head(day, browse, client):
    def head_of(page: str) -> set[str]:
        lines = page.split("<head>")[1].split("</head>")[0].splitlines()
        return {line.strip() for line in lines if "lv-now" not in line and "<title>" not in line} - {""}

    door = head_of(client.get(reverse("admin:login")).content.decode())
    panel = head_of(browse("viewer").get(reverse("admin:password_change")).content.decode())
    assert any("panel.js" in line for line in door) and any("charset" in line for line in door)
    assert door <= panel and all("live.js" in line for line in panel - door)


def test_the_system_page_works_with_redis_away(day, browse, monkeypatch):
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    assert "away" in browse("viewer").get(reverse("panel_system")).content.decode()


def test_a_fragment_is_the_page_without_its_surroundings(day, browse):
    whole = browse("viewer").get(ORDERS).content.decode()
    part = browse("viewer").get(ORDERS, headers={"X-Levi-Fragment": "1"}).content.decode()
    assert 'id="lv-strip"' in part and 'id="result_list"' in part
    assert "<nav id=" in whole and "<nav id=" not in part and len(part) < len(whole)


@pytest.mark.parametrize(
    "path", ["/admin/", ORDERS, "/admin/system/", "/admin/trading/order/new/", "/admin/find/"]
)
def test_our_own_pages_allow_no_inline_and_no_evaluated_code(day, browse, path):
    answer = browse("super").get(path)
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy, policy
    html = answer.content.decode()
    assert not re.search(r"<script(?![^>]*(src=|application/json))|\son\w+=|\sstyle=|javascript:", html)


def test_a_page_is_light_enough_for_a_phone(day, browse):
    for path in ("/admin/", ORDERS):
        assert len(browse("risk").get(path).content) < 120_000, path


def test_no_page_of_ours_writes_on_a_get(day, browse):
    client = browse("super")
    before = AuditEntry.objects.count(), ExportJob.objects.count(), SavedFilter.objects.count()
    for name in ("panel_find", "panel_strip", "panel_system", "admin:trading_exportjob_changelist"):
        assert client.get(reverse(name)).status_code == 200
        assert client.head(reverse(name)).status_code == 200
    assert (AuditEntry.objects.count(), ExportJob.objects.count(), SavedFilter.objects.count()) == before


def test_a_signal_is_asked_again_as_a_dry_run(world, browse):
    order = world.submit()
    client, url = browse("trader"), reverse("admin:trading_signal_replay", args=[order.signal_id])
    before = Order.objects.count(), Signal.objects.count(), AuditEntry.objects.count()
    page = client.post(url).content.decode()
    assert "What every rule says now" in page and "Nothing was written" in page
    assert (Order.objects.count(), Signal.objects.count(), AuditEntry.objects.count()) == before
    assert client.get(url).status_code == 405
    assert browse("viewer").post(url).status_code == 403


def test_the_system_page_lists_the_product_and_no_tool_of_development(day, browse):
    names = {part.name.lower() for part in list_parts()}
    assert {"django", "celery", "httpx"} <= names
    assert not names & {"pytest", "mypy", "ruff", "playwright", "hypothesis"}


@pytest.mark.parametrize("page", ["system", "account"])
def test_what_is_left_of_the_rate_limits_is_shown_with_what_is_kept_for_cancels(day, browse, page):
    text = browse("super").get(address_of_limits(day, page)).content.decode()
    table = text.split("Rate limits</h2>")[1].split("</section>")[0]
    for words in (
        "orders and cancels",
        "all requests",
        "Kept for cancels",
        "New orders never use",
    ):
        assert words in table, words
    row = re.search(r"orders and cancels</td>(.*?)</tr>", table, re.DOTALL)[1]
    left, capacity, kept, again = map(Decimal, re.findall(r'lv-num">([\d.]+)<', row))
    assert 0 < left <= capacity and again > 0 and 0 < kept < capacity


@pytest.mark.parametrize("page", ["system", "account"])
def test_without_redis_the_rate_limits_are_told_in_words(day, browse, monkeypatch, page):
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    text = browse("super").get(address_of_limits(day, page)).content.decode()
    assert "every process keeps to a small share of each limit by itself" in text


def test_a_closed_venue_is_told_with_its_time(day, browse):
    scope, _ = limits_of(describe(day.account, None))
    get_limiter(settings.REDIS_URL).block(scope, 120)
    try:
        text = browse("super").get(reverse("panel_system")).content.decode()
        assert re.search(
            r"answers nobody of paper for (1 min|2 min) more: nothing is sent, cancels neither", text
        )
    finally:
        redis.Redis.from_url(settings.REDIS_URL).delete(f"levi:rate:{scope}:closed")
        get_limiter.cache_clear()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, ("live", "for 1 h")),
        (
            {"state": "lost", "heard": 125, "reason": "the listen key was refused"},
            ("lost", "unheard for 2 min", "listen key was refused"),
        ),
        ({"lease": -5, "heard": 20}, ("nobody listens", "unheard for 20 s", "run_streams")),
    ],
)
def test_how_a_private_stream_stands_is_shown_in_the_control_room_and_on_its_account(
    day, browse, offered, found, words
):
    stream_row(day.account, **found)
    client = browse("viewer")
    room = client.get(reverse("admin:index")).content.decode()
    table = room.split('id="accounts"')[1].split("</section>")[0]
    assert all(word in table for word in words), table
    page = client.get(reverse("admin:trading_exchangeaccount_change", args=[day.account.pk])).content.decode()
    facts = page.split("Private stream</h2>")[1].split("</section>")[0]
    assert all(word in facts for word in words if " for " not in f" {word}"), facts
    assert "Lost after it had been live" in facts and "streams@here:1" in facts


def test_every_limit_in_use_has_its_name_as_people_say_it():
    names = [name for name, _share in gauges(dict.fromkeys(FIELDS, 0.1))]
    assert not any(name.startswith("Max ") or "_" in name for name in names)
    assert "Notional per minute" in names


def test_an_account_that_nobody_ever_listened_to_says_what_to_start(day, browse, offered):
    page = browse("viewer").get(reverse("admin:trading_exchangeaccount_change", args=[day.account.pk]))
    facts = page.content.decode().split("Private stream</h2>")[1].split("</section>")[0]
    assert "never heard" in facts and "run_streams" in facts


def address_of_limits(day, page):
    return (
        reverse("panel_system")
        if page == "system"
        else reverse("admin:trading_exchangeaccount_change", args=[day.account.pk])
    )


def test_more_accounts_and_processes_ask_no_more_questions_of_the_system_page(day, browse):
    client, url = browse("viewer"), reverse("panel_system")

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url).status_code == 200
        return len(asked)

    before = questions()
    make_account("second", is_default=False)
    for number in range(5):
        beat_heart(name=f"orders@elsewhere:{number}")
    assert questions() == before <= 14
