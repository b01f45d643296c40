"""STOP in the worst hour: no Redis, no script, a phone's small screen. One press, and nothing more is sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import SMALL_PHONE, serve
from tests.making import status_of
from trading.execution.sweep import run_sweep
from trading.models import HaltState, Sweep

NOBODY_LISTENS = "redis://127.0.0.1:9/0"


@pytest.fixture(scope="module")
def without_redis(django_db_setup) -> Iterator[str]:
    with serve(REDIS_URL=NOBODY_LISTENS) as base:
        yield base


@pytest.mark.parametrize("scripts", [False, True], ids=["no-script", "script"])
def test_stop_is_one_press_on_a_phone_with_redis_gone(live_world, people, visit, without_redis, scripts):
    resting = live_world.rest()
    sent = len(live_world.placements())
    options = {"base": without_redis, "size": SMALL_PHONE, "scripts": scripts, "may_complain": scripts}
    with visit(people["trader"], **options) as tab:
        tab.open("/admin/trading/order/")
        box = tab.sees("button.lv-stop").bounding_box()
        assert box["y"] + box["height"] <= SMALL_PHONE[1] / 3, "in reach without scrolling"
        tab.page.click("button.lv-stop")
        tab.sees("#lv-strip >> text=HALTED")
        tab.sees("text=the gate is closed in every process")
        tab.shoot(f"stop-without-redis-{'script' if scripts else 'plain'}")
    assert HaltState.objects.get(scope="everything").state == "halted"
    assert live_world.submit("0.01", price="49000").status == "denied"
    assert len(live_world.placements()) == sent
    run_sweep(Sweep.objects.get().pk)
    assert status_of(resting) == "canceled"
