"""The buckets let busy programs pass and stop wild ones, each caller on its own."""

from __future__ import annotations

from trading.api.throttles import RATES, take_token


def test_a_hundred_signals_a_second_pass_for_a_minute():
    waits = [take_token("order", "bot", now=n / 100) for n in range(6000)]
    assert not any(waits)


def test_a_burst_beyond_the_bucket_waits_and_then_passes():
    rate = RATES["order"]
    assert not any(take_token("order", "bot", now=0.0) for _ in range(rate.burst))
    wait = take_token("order", "bot", now=0.0)
    assert 0 < wait <= 1 / rate.per_second
    assert take_token("order", "bot", now=wait * 1.01) == 0


def test_one_wild_caller_does_not_slow_another():
    for _ in range(RATES["order"].burst + 5):
        take_token("order", "wild", now=0.0)
    assert take_token("order", "wild", now=0.0) > 0
    assert take_token("order", "calm", now=0.0) == 0


def test_throttled_requests_say_when_to_come_back(viewer, monkeypatch):
    from trading.api import throttles

    monkeypatch.setitem(throttles.RATES, "read", throttles.Rate(0.01, 1))
    assert viewer.get("/api/v1/orders").status_code == 200
    answer = viewer.get("/api/v1/orders")
    assert answer.status_code == 429 and answer.json()["code"] == "throttled"
    assert 1 <= int(answer.headers["Retry-After"]) <= 100
