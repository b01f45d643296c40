"""All processes together on a real Redis, and each one alone when Redis is gone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from levi_site.stack.embedded_redis import FORGETFUL, EmbeddedRedis
from levi_site.stack.ports import find_free_port
from tests.exchanges.making import CountingObserver, make_exchange, make_place_request
from tests.exchanges.raw_server import answers, raw_server, refused_port
from tests.servers import wait_until
from trading.domain.outcomes import NotSentOutcome
from trading.exchanges import shared_limiter
from trading.exchanges.limiter import TOKEN, Bucket, Charge, Reading
from trading.exchanges.shared_limiter import SharedLimiter

PROJECT = Path(__file__).resolve().parents[2]
SCOPE = "mexc:test:host"
ORDERS = Bucket("orders", f"{SCOPE}:orders", capacity=10 * TOKEN, rate=TOKEN, reserve=4 * TOKEN)

CHILD = """
import sys, time
from trading.exchanges.limiter import TOKEN, Bucket, Charge
from trading.exchanges.shared_limiter import SharedLimiter
url, key, tries = sys.argv[1], sys.argv[2], int(sys.argv[3])
limiter = SharedLimiter(url)
bucket = Bucket("orders", key, capacity=10 * TOKEN, rate=TOKEN)
granted = sum(limiter.acquire("mexc:test:host", [Charge(bucket)]).granted for _ in range(tries))
assert limiter.is_shared
print(granted)
"""


class OwnRedis:
    """A Redis that a test may stop and start again on the same port."""

    def __init__(self, home: Path) -> None:
        self.server = EmbeddedRedis(home, find_free_port(), "own", FORGETFUL)
        self.server.prepare()
        self.start()

    def start(self) -> None:
        self.child = subprocess.Popen(
            self.server.argv(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert self.child.stdin is not None
        self.child.stdin.write(self.server.configuration())
        self.child.stdin.close()
        wait_until(self.server.is_ready, self.child, "Redis")

    def stop(self) -> None:
        self.child.kill()
        self.child.wait()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    found = OwnRedis(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def limiter(redis_client) -> SharedLimiter:
    return SharedLimiter(settings.REDIS_URL)


def _count_granted(limiter: SharedLimiter, tries: int, *, urgent: bool = False) -> int:
    return sum(limiter.acquire(SCOPE, [Charge(ORDERS)], urgent=urgent).granted for _ in range(tries))


def test_two_processes_together_stay_within_one_budget(redis_client) -> None:
    began = time.monotonic()
    command = [sys.executable, "-c", CHILD, settings.REDIS_URL, f"{SCOPE}:two", "200"]
    children = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = [int(child.communicate(timeout=60)[0]) for child in children]
    assert 10 <= sum(counts) <= 10 + (time.monotonic() - began) + 1


def test_orders_cannot_touch_the_reserve_and_cancels_can(limiter: SharedLimiter) -> None:
    assert _count_granted(limiter, 50) in (6, 7)
    assert _count_granted(limiter, 50, urgent=True) in (4, 5)
    assert limiter.is_shared


def test_a_refusal_says_how_long_to_wait_and_waiting_works(limiter: SharedLimiter) -> None:
    fast = Bucket("fast", f"{SCOPE}:fast", capacity=TOKEN, rate=20 * TOKEN)
    assert limiter.acquire(SCOPE, [Charge(fast)]).granted
    refused = limiter.acquire(SCOPE, [Charge(fast, weight=1)])
    assert refused.granted or 0 < refused.wait_seconds <= 0.05
    assert limiter.acquire(SCOPE, [Charge(fast)], max_wait_seconds=2).granted


def test_several_buckets_are_paid_together_or_not_at_all(limiter: SharedLimiter) -> None:
    one = Bucket("one", f"{SCOPE}:one", capacity=TOKEN, rate=1)
    assert limiter.acquire(SCOPE, [Charge(ORDERS), Charge(one)]).granted
    assert not limiter.acquire(SCOPE, [Charge(ORDERS), Charge(one)]).granted
    assert _count_granted(limiter, 50) in (5, 6), "the refused attempt took nothing"


def test_a_large_charge_waits_for_a_full_bucket_and_leaves_a_debt(limiter: SharedLimiter) -> None:
    small = Bucket("small", f"{SCOPE}:small", capacity=2 * TOKEN, rate=TOKEN)
    assert limiter.acquire(SCOPE, [Charge(small, weight=5)]).levels == (("small", -3 * TOKEN),)
    refused = limiter.acquire(SCOPE, [Charge(small)])
    assert not refused.granted
    assert 3 < refused.wait_seconds <= 4


@pytest.mark.parametrize("urgent", [False, True])
def test_a_closed_venue_is_closed_for_every_process(limiter: SharedLimiter, urgent: bool) -> None:
    other_process = SharedLimiter(settings.REDIS_URL)
    limiter.block(SCOPE, 60)
    limiter.block(SCOPE, 1)  # never shortens
    refused = other_process.acquire(SCOPE, [Charge(ORDERS)], urgent=urgent, max_wait_seconds=5)
    assert not refused.granted
    assert 50 < refused.blocked_seconds <= 60
    assert other_process.acquire("mexc:test:other", [Charge(ORDERS)], urgent=urgent).granted


def test_levels_outlive_the_time_they_need_to_fill_and_not_much_more(limiter, redis_client) -> None:
    limiter.acquire(SCOPE, [Charge(ORDERS)])
    assert 0 < redis_client.pttl(f"levi:rate:{ORDERS.key}") < 120_000


def test_without_redis_each_process_keeps_to_its_own_share(caplog: pytest.LogCaptureFixture) -> None:
    limiter = SharedLimiter(f"redis://:pass-canary@127.0.0.1:{refused_port()}/0")
    assert _count_granted(limiter, 5) == 1
    assert _count_granted(limiter, 50, urgent=True) == 5, "half of the burst stays for cancels"
    assert not limiter.is_shared
    assert caplog.text.count("are not shared now") == 1
    assert "pass-canary" not in caplog.text


def test_a_slow_redis_counts_as_gone() -> None:
    """It accepts and never answers, as a swapping or stopped server does."""

    def silent(server, link) -> None:
        server.is_stopping.wait(30)

    with raw_server(silent) as server:
        limiter = SharedLimiter(f"redis://127.0.0.1:{server.port}/0")
        assert limiter.acquire(SCOPE, [Charge(ORDERS)]).granted
        assert not limiter.is_shared
        connections = server.connections
        limiter.acquire(SCOPE, [Charge(ORDERS)])
        assert server.connections == connections, "it is not asked again at once"


def test_redis_may_go_and_come_back(own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_limiter, "_PROBE_SECONDS", 0.0)
    limiter = SharedLimiter(own_redis.server.url)
    assert _count_granted(limiter, 1) == 1
    own_redis.stop()
    assert limiter.acquire(SCOPE, [Charge(ORDERS)], urgent=True).granted
    assert not limiter.is_shared
    limiter.block(SCOPE, 30)
    assert limiter.blocked_seconds(SCOPE) > 0, "told while Redis was away, and obeyed all the same"
    own_redis.start()
    assert limiter.acquire("mexc:test:other", [Charge(ORDERS)]).granted
    assert limiter.is_shared
    assert not limiter.acquire(SCOPE, [Charge(ORDERS)]).granted


def test_cancels_still_go_out_when_redis_dies(own_redis: OwnRedis) -> None:
    own_redis.stop()
    observer = CountingObserver()
    with raw_server(answers("200 OK", '{"symbol":"X","orderId":"1"}')) as server:
        limiter = SharedLimiter(own_redis.server.url)
        exchange = make_exchange(server.base_url, limiter=limiter, observer=observer)
        exchange.cancel_order("X", client_order_id="c1")
    assert observer.outcomes("cancelOrder") == ["ok"]


def test_a_429_closes_the_venue_for_the_next_process(redis_client) -> None:
    body = '{"code":429,"msg":"Too Many Requests"}'
    with raw_server(answers("429 Too Many Requests", body, "Retry-After: 30")) as server:
        first = make_exchange(server.base_url, limiter=SharedLimiter(settings.REDIS_URL))
        second = make_exchange(server.base_url, limiter=SharedLimiter(settings.REDIS_URL))
        assert first.acquire_place_slot(0)
        first.place_order(make_place_request())
        assert not second.acquire_place_slot(0)
        assert isinstance(second.place_order(make_place_request()), NotSentOutcome)
        assert server.received.count(b"POST ") == 1


def test_a_look_takes_nothing_and_sees_what_all_have_left(own_redis: OwnRedis) -> None:
    limiter, eyes = SharedLimiter(own_redis.server.url), SharedLimiter(own_redis.server.url)
    assert eyes.look(SCOPE, [ORDERS]) == Reading((10 * TOKEN,)), "a bucket that nobody used is full"
    for _ in range(3):
        assert limiter.acquire(SCOPE, [Charge(ORDERS)]).granted
    first, second = eyes.look(SCOPE, [ORDERS]), eyes.look(SCOPE, [ORDERS])
    assert first is not None and second is not None
    assert 7 * TOKEN <= first.levels[0] <= second.levels[0] <= 10 * TOKEN


def test_a_look_sees_a_closed_venue_and_admits_to_a_lost_redis(own_redis: OwnRedis) -> None:
    limiter = SharedLimiter(own_redis.server.url)
    limiter.block(SCOPE, 60)
    seen = SharedLimiter(own_redis.server.url).look(SCOPE, [ORDERS])
    assert seen is not None and 50 < seen.blocked_seconds <= 60
    own_redis.stop()
    eyes = SharedLimiter(own_redis.server.url)
    assert eyes.look(SCOPE, [ORDERS]) is None
    assert eyes.is_shared, "looking changes nothing about how requests are limited"
