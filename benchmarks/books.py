"""What measurements inside the product share: the paper account, orders in it, and clocks around a call.

Imported only after Django has been set up with a stack's environment; no bell rings and no worker runs there.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tests.scripted_stream import stream_row
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import OrderOrigin, OrderStatus
from trading.doorbell import silence
from trading.execution.intake import submit
from trading.execution.limit_changes import change_limits
from trading.execution.sync import sync_account
from trading.metrics import ORDER_LATENCY
from trading.models import ExchangeAccount, Order
from trading.queries.limits import limits_in_force

BENCHMARK = Actor(ActorKind.COMMAND, "benchmarks")


def open_books() -> ExchangeAccount:
    """The seeded paper account with limits that no measurement reaches, and fresh balances."""
    account = ExchangeAccount.objects.get(is_default=True)
    wide = {
        "max_orders_per_minute": 1_000_000,
        "exposure_limit_symbol": "10000000",
        "exposure_limit_total": "10000000",
    }
    limits = limits_in_force()
    if limits is None or limits.max_orders_per_minute != wide["max_orders_per_minute"]:
        change_limits(wide | {"max_open_orders": 100_000}, reason="benchmark", actor=BENCHMARK)
    stream_row(account, heard=-86_400, lease=86_400)  # nobody listens here, and nobody is missed
    sync_account(account.pk, trigger="benchmark")
    return account


def fund(**deposits: str) -> None:
    """Deposit at the simulated venue, so that there is something to sell."""
    root = ExchangeAccount.objects.get(is_default=True).base_url.rpartition("/")[0]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a loopback address needs none
    for asset, quantity in deposits.items():
        body = json.dumps({"asset": asset, "deposit": quantity}).encode()
        request = urllib.request.Request(
            f"{root}/_sim/balances", data=body, headers={"Content-Type": "application/json"}
        )
        with opener.open(request, timeout=10):
            pass


def submit_one(**body: Any) -> Order:
    asked = {"symbol": "BTC/USDT", "side": "BUY", "quantity": "0.0005", **body}
    with silence():
        order = submit(asked, actor=BENCHMARK, key=str(uuid4()), origin=OrderOrigin.API).order
    assert order.status == OrderStatus.APPROVED, order.status_reason
    return order


def time_call(step: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    outcome = step()
    return time.perf_counter() - began, outcome


def read_stages() -> dict[str, float]:
    """Seconds spent in each stage by this process so far."""
    samples = [sample for family in ORDER_LATENCY.collect() for sample in family.samples]
    return {sample.labels["stage"]: sample.value for sample in samples if sample.name.endswith("_sum")}


@contextmanager
def stage_seconds() -> Iterator[dict[str, float]]:
    """What each stage took inside the block, filled in at its end."""
    taken: dict[str, float] = {}
    before = read_stages()
    yield taken
    after = read_stages()
    taken |= {stage: seconds - before.get(stage, 0.0) for stage, seconds in after.items()}
