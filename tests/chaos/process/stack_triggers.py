"""Every automatic halt by a real cause on a stack of its own, and none by a bad tick, a NaN or a stale feed.

The causes are what the world does: prices that move at the venue, orders that it refuses, answers that are lost, money
that is gone, a clock that is off, a disk that fills. Thresholds are low, because a campaign has minutes and not days.
The alert channels' trigger looks in production only, which no simulated venue serves; tests/execution has it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import yaml

from rig.instance import PROJECT, NeverHappened, wait_until
from tests.chaos.process.figures import Figure, timing
from tests.chaos.process.stack_world import CampaignStack
from trading.risk.triggers import TRIGGER_RULES

Say = Callable[[str], None]
GIBIBYTE = 1024**3
THRESHOLDS: dict[str, Any] = {
    "order_errors": 6, "denial_storm": 5, "in_doubt_age": 20, "in_doubt_count": 3, "breaks": 2,
}  # fmt: skip
ONLY_PRODUCTION = "alert_channel"
LOSSES = ("max_daily_loss_pct", "max_daily_loss_usd", "kill_threshold_usd", "max_drawdown_pct")
PRICES, ORDERS = "/api/v3/ticker/*", "/api/v3/order"
PATIENCE = 180.0
FIRED = "SELECT scope, target, state FROM trading_haltstate WHERE state <> 'active' AND trigger = '{}'"
EVERY_HALT = "SELECT trigger, after, reason FROM trading_haltchange WHERE after <> 'active' ORDER BY at"
QUOTE = (
    "SELECT q.last FROM trading_quote q JOIN trading_instrument i ON i.id = q.instrument_id "
    "WHERE i.symbol = 'BTC/USDT' AND q.last BETWEEN {} AND {}"
)
PEAK = "SELECT max(equity) AS peak FROM trading_equitypeak"
LOST_STREAMS = "SELECT coalesce(sum(losses), 0) AS n FROM trading_accountstream"
LIVE_STREAMS = "SELECT count(*) AS n FROM trading_accountstream WHERE state = 'live'"
SYNCS = "SELECT count(*) AS n FROM trading_syncrun WHERE finished_at IS NOT NULL"


class TriggerStack(CampaignStack):
    """A CampaignStack with a configuration of its own."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"LEVI_CONFIG": str(self.home / "app.yaml")}

    def write_configuration(self) -> None:
        config = yaml.safe_load((PROJECT / "config" / "app.yaml").read_text())
        disk = shutil.disk_usage(self.home)
        usable = disk.total - GIBIBYTE
        near = round((disk.total - disk.free + GIBIBYTE) * 100 / usable, 3)  # one gibibyte more than now
        config["risk"]["triggers"] = {**THRESHOLDS, "disk_space": near}
        (self.home / "app.yaml").write_text(yaml.safe_dump(config))

    def limit(self, **values: Any) -> None:
        with self.client() as client:
            body = {**values, "reason": "the campaign's causes"}
            client.http.put("/api/v1/limits", json=body).raise_for_status()

    def post(self, count: int, **body: Any) -> None:
        with self.client() as client:
            for _number in range(count):
                client.post_signal(**body).raise_for_status()

    def fault(self, kind: str, path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
        return {"match": {"method": method, "path": path}, "kind": kind, **more}

    def price(self, price: int) -> None:
        self.venue.set_price("BTCUSDT", str(price))

    def wait_for_price(self, price: int) -> None:
        wait_until(lambda: self.rows(QUOTE.format(price * 0.99, price * 1.01)), f"the price {price} is known")

    def wait_for_syncs(self, count: int = 3) -> None:
        """So many syncs, with the looks that follow them."""
        before = self.rows(SYNCS)[0]["n"]
        wait_until(lambda: self.rows(SYNCS)[0]["n"] >= before + count, f"{count} syncs")


@dataclass(frozen=True)
class Cause:
    """`within`: how soon the halt should follow; what a trigger waits for by its definition is in it."""

    words: str
    happen: Callable[[TriggerStack], None]
    mend: Callable[[TriggerStack], None]
    within: float = 30.0


def lose_money(stack: TriggerStack) -> None:
    stack.limit(max_daily_loss_pct="3")
    stack.price(46_000)


def gain_exposure(stack: TriggerStack) -> None:
    stack.limit(kill_threshold_usd="55000")
    stack.price(60_000)


def fall_from_a_peak(stack: TriggerStack) -> None:
    before = stack.rows(PEAK)[0]["peak"]
    stack.price(60_000)
    wait_until(lambda: stack.rows(PEAK)[0]["peak"] > before + 9_000, "the peak is confirmed")
    stack.limit(max_drawdown_pct="5")
    stack.price(50_000)


def back_to_normal(stack: TriggerStack) -> None:
    stack.venue.clear_faults()
    stack.price(50_000)
    stack.wait_for_price(50_000)
    stack.limit(**dict.fromkeys(LOSSES), max_order_notional="90000", max_price_age_seconds=30)


def lose_the_feed(stack: TriggerStack) -> None:
    stack.limit(max_price_age_seconds=5)
    stack.venue.faults([stack.fault("http_status", PRICES, status=503)])


def refuse_orders(stack: TriggerStack) -> None:
    stack.venue.faults([stack.fault("reject", ORDERS, "POST", code=30016, msg="Trading disabled")])
    stack.post(6)


def ask_for_too_much(stack: TriggerStack) -> None:
    stack.limit(max_order_notional="10")
    stack.post(6, strategy="wild")


def lose_answers(count: int) -> Callable[[TriggerStack], None]:
    def happen(stack: TriggerStack) -> None:
        lost = stack.fault("drop_after", ORDERS, "POST")
        silent = [
            stack.fault("http_status", f"/api/v3/{name}", status=503)
            for name in ("order", "openOrders", "allOrders", "myTrades")
        ]
        stack.venue.faults([lost, *silent])
        stack.post(count, price="48500")

    return happen


def lose_a_little_money(stack: TriggerStack) -> None:
    """Below the tolerance, so that no single difference restricts anything."""
    for asset in ("USDC", "USDT"):
        total = float(stack.venue.balances()[asset]["total"])
        stack.venue.set_balance(asset, f"{total - 0.3:.8f}")


def pay_it_back(stack: TriggerStack) -> None:
    for asset in ("USDC", "USDT"):
        total = float(stack.venue.balances()[asset]["total"])
        stack.venue.set_balance(asset, f"{total + 0.3:.8f}")
    back_to_normal(stack)


def skew_the_clock(stack: TriggerStack) -> None:
    stack.venue.faults([{"match": {}, "kind": "clock_skew", "ms": 7000}])


def cut_the_stream(stack: TriggerStack, refuse_seconds: float = PATIENCE) -> None:
    """With the next frame, which an order makes; nobody may connect again meanwhile."""
    stack.venue.faults([{"kind": "stream_drop", "count": 1, "refuse_seconds": refuse_seconds}])
    stack.post(1)


def fill_the_disk(stack: TriggerStack) -> None:
    with (stack.home / "ballast").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 2 * GIBIBYTE)


def empty_the_disk(stack: TriggerStack) -> None:
    (stack.home / "ballast").unlink()
    back_to_normal(stack)


CAUSES: dict[str, Cause] = {
    "daily_loss": Cause("the price of what is held falls by 8 %", lose_money, back_to_normal),
    "exposure": Cause("the price of what is held rises by 20 %", gain_exposure, back_to_normal),
    "drawdown": Cause("it falls back from a confirmed peak", fall_from_a_peak, back_to_normal, 90),
    "stale_prices": Cause("the venue's prices cannot be had", lose_the_feed, back_to_normal, 60),
    "order_errors": Cause("the venue refuses six orders in a row", refuse_orders, back_to_normal),
    "denial_storm": Cause("a strategy asks six times for too much", ask_for_too_much, back_to_normal),
    "in_doubt_age": Cause("an answer is lost and the venue answers no question", lose_answers(1), back_to_normal, 60),
    "in_doubt_count": Cause("three answers are lost", lose_answers(3), back_to_normal),
    "breaks": Cause("small sums are gone from two balances", lose_a_little_money, pay_it_back, 120),
    "stream_gap": Cause("the stream is cut and the venue takes no other", cut_the_stream, back_to_normal, 100),
    "clock_error": Cause("the venue's clock is seven seconds off", skew_the_clock, back_to_normal, 90),
    "disk_space": Cause("two gibibytes are written to the disk", fill_the_disk, empty_the_disk),
}  # fmt: skip


def fire_every_trigger(say: Say) -> list[Figure]:
    stack = TriggerStack()
    stack.write_configuration()
    try:
        stack.start()
        back_to_normal(stack)
        wait_until(lambda: _buys(stack), "one bitcoin is bought", 60)
        figures = _provoke_nothing(stack, say)
        for name, cause in CAUSES.items():
            say(f"trigger {name}: {cause.words}")
            figures += _provoke(stack, name, cause)
        return [*figures, _others(stack)]
    finally:
        if left := stack.end():
            say(f"left behind: {left}")


def _buys(stack: TriggerStack) -> bool:
    """Right after a start balances and prices are not known yet."""
    with stack.client() as client:
        return client.position() >= 1 or (
            client.post_signal(quantity="1").json().get("decision") == "approved"
            and _arrives(lambda: client.position() >= 1)
        )


def _arrives(condition: Callable[[], bool]) -> bool:
    with suppress(NeverHappened):
        wait_until(condition, "the fill", 20)
        return True
    return False


def _provoke_nothing(stack: TriggerStack, say: Say) -> list[Figure]:
    """Each of these is followed by three syncs; a halt by any of them is a false one."""
    stack.limit(max_daily_loss_pct="3", kill_threshold_usd="60000", max_drawdown_pct="3")
    figures = []
    for words, happen in (
        ("one tick to a tenth of the price", lambda: _tick(stack, 5_000)),
        ("one tick to ten times the price", lambda: _tick(stack, 500_000)),
        ("prices that are no numbers", lambda: _answer_nonsense(stack)),
        ("a private stream that is cut once", lambda: _reconnect(stack)),
    ):
        say(f"no trigger: {words}")
        happen()
        stack.wait_for_syncs()
        halts = [str(row) for row in stack.rows(EVERY_HALT)]
        figures.append(
            Figure("T0", f"halts by {words}", str(len(halts)), "0", not halts, stories=tuple(halts))
        )
        stack.release()
    back_to_normal(stack)
    return figures


def _tick(stack: TriggerStack, price: int) -> None:
    """The venue says it until it was read once."""
    stack.price(price)
    deadline = time.monotonic() + 60
    while not stack.rows(QUOTE.format(price * 0.9, price * 1.1)) and time.monotonic() < deadline:
        time.sleep(0.02)
    stack.price(50_000)
    stack.wait_for_price(50_000)


def _reconnect(stack: TriggerStack) -> None:
    """It was lost, and is live again within seconds."""
    before = stack.rows(LOST_STREAMS)[0]["n"]
    cut_the_stream(stack, 3)
    wait_until(lambda: stack.rows(LOST_STREAMS)[0]["n"] > before, "the stream is lost", 60)
    wait_until(lambda: stack.rows(LIVE_STREAMS)[0]["n"], "the stream is live again", 60)


def _answer_nonsense(stack: TriggerStack) -> None:
    stack.venue.faults([stack.fault("malformed", PRICES, variant="nan")])
    stack.wait_for_syncs(1)
    stack.venue.clear_faults()


def _provoke(stack: TriggerStack, name: str, cause: Cause) -> list[Figure]:
    """The halt must be of the trigger, and do what its rule says."""
    rule = TRIGGER_RULES[name]
    began = time.monotonic()
    cause.happen(stack)
    found: list[dict[str, Any]] = []

    def has_fired() -> bool:
        found[:] = stack.rows(FIRED.format(name))
        return bool(found)

    with suppress(NeverHappened):
        wait_until(has_fired, name, PATIENCE)
    seconds = time.monotonic() - began
    cause.mend(stack)
    stack.wait_for_syncs(1)
    stack.release()
    right = [row for row in found if row["state"] == rule.action and row["scope"] in rule.scopes]
    said = ", ".join(f"{row['scope']} {row['target']}".strip() for row in found) or "nothing"
    figures = [Figure("T1", f"{name}: {cause.words}", f"{said} {rule.action}"[:22], rule.action, bool(right))]
    took = [seconds] if found else []
    return [*figures, timing("T1", f"{name}: from the cause to the halt", took, 100, cause.within)]


def _others(stack: TriggerStack) -> Figure:
    """Whatever halted without being asked to."""
    ours = {*CAUSES, "operator"}
    others = [str(row) for row in stack.rows(EVERY_HALT) if row["trigger"] not in ours]
    return Figure(
        "T2", "halts by anything else meanwhile", str(len(others)), "0", not others, stories=tuple(others)
    )
