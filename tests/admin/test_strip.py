"""The strip: on every page of a signed-in operator, in two queries, and never reassuring when it does not know."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.trading_day import halt
from trading.models import EquitySnapshot, ExchangeAccount, HaltState, LimitsVersion
from trading.queries.strip import read_strip

EVERYWHERE = (
    "admin:index",
    "admin:password_change",
    "admin:auth_user_changelist",
    "admin:trading_order_changelist",
)


def strip_of(client, name: str = "admin:index") -> str:
    page = client.get(reverse(name)).content.decode()
    begin = page.index('id="lv-strip"')
    return page[begin : page.index("</section>", begin)]


@pytest.mark.parametrize("name", EVERYWHERE)
def test_it_stands_on_every_page_with_a_plain_form_that_stops(day, browse, name):
    strip = strip_of(browse("super"), name)
    assert "PAPER" in strip and "ACTIVE" in strip
    assert f'method="post" action="{reverse("admin:trading_haltstate_stop")}"' in strip
    assert "csrfmiddlewaretoken" in strip
    assert "required" not in strip


def test_app_list_page_carries_it_too(day, browse):
    assert b"lv-strip" in browse("super").get("/admin/trading/").content


def test_strangers_see_nothing_of_it(day, client):
    page = client.get(reverse("admin:login")).content
    assert b"lv-strip" not in page and b"ACTIVE" not in page


def test_a_viewer_sees_the_state_but_no_stop_button(day, browse):
    strip = strip_of(browse("viewer"))
    assert "ACTIVE" in strip
    assert "STOP" not in strip


@pytest.mark.parametrize("role", ["trader", "risk", "admin"])
def test_everybody_who_may_engage_has_the_button(day, browse, role):
    assert 'class="lv-stop"' in strip_of(browse(role))


def test_it_costs_two_queries(day):
    with CaptureQueriesContext(connection) as asked:
        strip = read_strip()
        assert strip.state == "active" and strip.loss_share is not None and strip.is_late is False
    assert len(asked) == 2


def test_today_is_measured_against_the_loss_limit(day, browse):
    strip = read_strip()
    assert strip.facts.daily_pnl == Decimal(-87)
    assert strip.loss_limit == Decimal(360)  # 3 % of the day's first 12,000
    assert round(strip.loss_share, 1) == Decimal("24.2")
    assert "−87.00" in strip_of(browse("viewer"))


def test_the_portfolio_names_the_same_result_as_the_strip(day, browse):
    page = browse("viewer").get(reverse("admin:trading_equitysnapshot_portfolio")).content.decode()
    said = re.search(r"PnL of the day, without transfers</dt><dd>(.*?)</dd>", page)
    assert said and "−87.00" in said[1]


def test_a_winning_day_uses_nothing_of_the_limit(day):
    EquitySnapshot.objects.update(daily_pnl=Decimal(40))
    assert read_strip().loss_share == 0


def test_without_a_snapshot_the_day_is_unknown_not_zero(day, browse):
    EquitySnapshot.objects.all().delete()
    strip = read_strip()
    assert strip.facts.daily_pnl is None and strip.loss_limit is None and strip.loss_share is None
    assert "—" in strip_of(browse("viewer"))


def test_one_account_without_a_snapshot_makes_the_sum_unknown(day):
    ExchangeAccount.objects.create(
        name="second",
        venue="mexc",
        environment="simulated",
        mode="paper",
        base_url="http://127.0.0.1:9100/mexc",
    )
    facts = read_strip().facts
    assert facts.daily_pnl is None and facts.equity is None
    assert facts.data_at is None, "an account that was never synced is not fresh"


def test_no_limit_in_force_shows_no_limit(day):
    assert read_strip().facts.loss_limit_pct == Decimal(3)
    LimitsVersion.objects.create(effective_at=day.now, reason="none", actor="tests", max_daily_loss_pct=None)
    strip = read_strip()
    assert strip.loss_limit is None and strip.loss_share is None


def test_a_halt_says_why_by_whom_and_what_is_still_there(day, browse):
    halt(reason="Venue trouble")
    strip = strip_of(browse("trader"))
    assert "HALTED" in strip and "Venue trouble" in strip and "operator:anna" in strip
    assert "Still there: 2 open, 2 on the way, 1 in doubt, 1 quarantined" in " ".join(strip.split())
    assert "Nothing new is sent." in strip
    assert "lv-stop-again" in strip, "stopping again must stay possible"


def test_an_earlier_sweep_is_not_shown_as_this_halts(day, browse):
    halt()
    assert not read_strip().sweep_belongs
    HaltState.objects.filter(scope="everything").update(since=day.sweep.engaged_at)
    assert read_strip().sweep_belongs
    assert "7 cancels sent" in " ".join(strip_of(browse("risk")).split())


def test_a_missing_state_counts_as_halted(day, browse):
    HaltState.objects.filter(scope="everything").delete()
    strip = strip_of(browse("risk"))
    assert "HALTED" in strip and "counts as halted" in strip


def test_a_narrower_halt_is_named_while_the_rest_is_active(day, browse):
    halt("instrument", "ETH/USDT")
    strip = strip_of(browse("viewer"))
    assert "ACTIVE" in strip
    assert "instrument ETH/USDT" in strip


def test_reasons_are_escaped(day, browse):
    halt(reason="<script>alert(1)</script>")
    page = browse("viewer").get(reverse("admin:index")).content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
