"""GET /metrics: one address for all processes, open to this host and to tokens, closed to passers-by."""

from __future__ import annotations

import pytest

from .world import Caller, buy

METRICS = "/metrics"


def from_address(caller: Caller, address: str, **headers: str):
    return caller.client.get(METRICS, headers={**caller.headers, **headers}, REMOTE_ADDR=address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_a_scraper_on_this_host_needs_no_token(db, address):
    answer = from_address(Caller(), address)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    assert b"levi_" in answer.content


@pytest.mark.parametrize("address", ["10.0.0.7", "192.0.2.1", "", "unix", "::ffff:10.0.0.7"])
def test_others_need_one(db, viewer, address):
    assert from_address(Caller(), address).status_code == 401
    assert from_address(viewer, address).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_comes_through_a_proxy_is_not_local(db, header):
    assert from_address(Caller(), "127.0.0.1", **{header: "127.0.0.1"}).status_code == 401


def test_an_inner_network_may_open_it(db, settings):
    settings.METRICS_OPEN = True
    assert from_address(Caller(), "10.0.0.7").status_code == 200


def test_denials_and_halts_show_up(world, trader, settings):
    trader.post("/live/kill?on=true&reason=drill")
    trader.post("/api/v1/signals", buy(source_id="a"))
    text = from_address(Caller(), "127.0.0.1").content.decode()
    settings.STOP_FLAG.unlink(missing_ok=True)
    assert 'levi_kill_switch{reason="drill"} 1.0' in text
