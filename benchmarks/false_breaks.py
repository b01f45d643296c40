"""Twenty orders a second for a minute, ours and somebody else's on the same account, while the books are compared."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from benchmarks.rows import Row
from rig.instance import StackInstance, wait_until
from rig.load import Load

SECONDS = 60
OURS_PER_SECOND, THEIRS_PER_SECOND = 5, 15
SIDES = ("BUY", "SELL")
_PATIENCE = 300


def paced(per_second: int, made: Any) -> Iterator[Any]:
    """One every so often; late ones are not made up for by a burst."""
    begin = time.monotonic()
    for number in range(per_second * SECONDS):
        time.sleep(max(begin + number / per_second - time.monotonic(), 0))
        yield made(number)


class Strangers:
    """Somebody who trades at the market on the same account, beside us, in a thread."""

    def __init__(self, stack: StackInstance) -> None:
        self.outcomes: Counter[str] = Counter()
        self._venue = stack.venue
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Strangers:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.join(timeout=_PATIENCE)

    def _run(self) -> None:
        from tests.exchanges.making import make_exchange, make_place_request
        from trading.domain.enums import OrderType, Side

        exchange = make_exchange(self._venue.base_url, key=self._venue.key, secret=self._venue.secret)
        for side in paced(THEIRS_PER_SECOND, lambda number: SIDES[number % 2]):
            request = make_place_request(
                client_order_id=f"by-hand-{uuid4().hex[:20]}",
                side=Side(side),
                order_type=OrderType.MARKET,
                price=None,
                venue_time_ms=exchange.venue_time_ms(),
            )
            self.outcomes[type(exchange.place_order(request)).__name__] += 1
        exchange.close()


def measure(stack: StackInstance) -> list[Row]:
    stack.venue.set_price("BTCUSDT", "50000")
    stack.venue.deposit("BTC", "5")
    with stack.client() as client:
        wait_until(lambda: is_equal(client, stack), "the deposit is in the books", _PATIENCE)
        before, began, at = len(stack.venue.fills()), time.monotonic(), datetime.now(UTC)
        posts = paced(OURS_PER_SECOND, lambda n: (str(uuid4()), {"quantity": "0.0005", "side": SIDES[n % 2]}))
        with Strangers(stack) as strangers, Load(stack, posts, 4) as load:
            load.wait()
        executed = len(stack.venue.fills()) - before
        seconds = time.monotonic() - began
        wait_until(lambda: not client.unfinished_orders(), "every order has ended", _PATIENCE)
        wait_until(lambda: is_equal(client, stack), "the books are the venue's ledger", _PATIENCE)
        wait_until(lambda: newest(client) == "equal", "a comparison after it says equal", _PATIENCE)
        runs = client.get_all("/api/v1/reconciliations", started_after=at.isoformat())
        breaks = client.get_all("/api/v1/breaks")
    verdicts = Counter(run["balances"] for run in runs if run["is_complete"])
    if not verdicts:
        raise AssertionError(f"no look was complete: {Counter(run['error'] for run in runs).most_common(3)}")
    if breaks:
        raise AssertionError(
            f"false breaks: {[(row['kind'], row['subject'], row['detail']) for row in breaks]}"
        )
    ours, theirs = len(load.answers), sum(strangers.outcomes.values())
    return [
        Row(
            "orders executed a second", executed / seconds, "/s", "about 20", f"{ours} ours, {theirs} others'"
        ),
        Row("complete comparisons meanwhile and after", sum(verdicts.values()), "", note=say(verdicts)),
        Row("breaks", len(breaks), "", "0", "of any kind or state; books equal the ledger at the end"),
    ]


def is_equal(client: Any, stack: StackInstance) -> bool:
    rows = client.get_all("/api/v1/balances")
    booked = {row["asset"]: Decimal(row["free"]) + Decimal(row["locked"]) for row in rows}
    held = {asset: Decimal(row["total"]) for asset, row in stack.venue.balances().items()}
    return {key: total for key, total in booked.items() if total} == {
        key: total for key, total in held.items() if total
    }


def newest(client: Any) -> str:
    """What the last complete comparison of balances came to."""
    runs = client.get("/api/v1/reconciliations", limit=5)["results"]
    return next((run["balances"] for run in runs if run["is_complete"]), "")


def say(verdicts: Counter[str]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
