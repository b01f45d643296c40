"""One step on the product: the functions of `trading/execution` on a real PostgreSQL, in virtual time.

Everything runs on one connection in the test's transaction; a seed is taken back to its savepoint. `timezone.now` and
SQL's clocks read the virtual one, bells are silent, and the venue is the scripted one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from tests.chaos.virtual.kernel import as_time
from tests.chaos.virtual.scenario import ACCOUNTS, LIMIT, STRATEGIES, SYMBOLS
from trading import connections, market
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import (
    CancelScope,
    Environment,
    HaltScope,
    OrderOrigin,
    QuarantineVerdict,
    TradingMode,
    TradingState,
    VenueName,
)
from trading.domain.errors import IllegalTransition, LeviError, VenueUnavailable
from trading.domain.outcomes import (
    FillReport,
    InstrumentReport,
    NotSentOutcome,
    OrderFound,
    OrderNotFound,
    OrderReport,
    PriceReport,
    QueryFailed,
    Unknown,
)
from trading.doorbell import silence
from trading.execution import (
    cancellation,
    dispatch,
    following,
    halts,
    in_doubt,
    intake,
    outcome,
    poller,
    resolution,
    settlement,
    sweep,
)
from trading.execution.accounts import create_account
from trading.execution.limit_changes import change_limits
from trading.models import Balance, ExchangeAccount, HaltState, Instrument, Order, Strategy, Sweep
from trading.queries.halts import current_epoch

from .schedule import Answers, Asked, Step
from .venue import is_open, make_fills, make_report

PERSON = Actor(ActorKind.OPERATOR, "olga", "crosscheck")
ONE = Decimal(1)
_DIAL_SECONDS = 2.0


@dataclass
class Clock:
    """Seconds since the virtual start, for Python and for the connection's SQL."""

    now: float = 0.0

    def set(self, now: float) -> None:
        self.now = round(now, 6)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('crosscheck.now', %s, false)", [as_time(self.now).isoformat()])

    def sleep(self, seconds: float) -> None:
        self.set(self.now + seconds)


class ScriptedExchange:
    """An adapter that answers what the step says, for one account."""

    def __init__(self, side: ProductSide, account: str) -> None:
        self._side, self._account = side, account

    def close(self) -> None: ...

    def venue_time_ms(self) -> int:
        return int(self._side.clock.now * 1000)

    def warm_up(self) -> None:
        if self._side.answers.is_refused:
            self._side.clock.sleep(_DIAL_SECONDS)
            raise VenueUnavailable("no connection")

    def acquire_place_slot(self, _max_wait_seconds: float) -> bool:
        return True

    def place_order(self, _request: Any) -> Any:
        return self._side.answers.place

    def cancel_order(self, _symbol: str, **_ids: str) -> Any:
        refused = NotSentOutcome("connection refused")
        return refused if self._side.answers.is_refused else self._side.answers.cancel

    def query_order(self, _symbol: str, *, client_order_id: str = "", exchange_order_id: str = "") -> Any:
        if self._side.answers.query_fails:
            return QueryFailed("no answer")
        for report in self._side.reports(self._account):
            if exchange_order_id in ("", report.exchange_order_id) and client_order_id in (
                "",
                report.client_order_id,
            ):
                return OrderFound(report)
        return OrderNotFound("-2013")

    def fetch_open_orders(self, symbol: str | None = None, *, urgent: bool = False) -> list[OrderReport]:
        if self._side.answers.lists_fail:
            raise VenueUnavailable("no answer")
        shown = [report for report in self._side.reports(self._account) if is_open(report)]
        return [report for report in shown if symbol in (None, report.symbol)]

    def fetch_fills(self, symbol: str, **_more: Any) -> list[FillReport]:
        if self._side.answers.fills_fail:
            raise VenueUnavailable("no answer")
        return [fill for fill in self._side.fills(self._account) if fill.symbol == symbol]

    def fetch_prices(self, symbols: list[str]) -> list[PriceReport]:
        return [PriceReport(symbol, ONE, ONE, ONE, timezone.now()) for symbol in symbols]

    def fetch_instruments(self, _symbols: Any = None) -> list[InstrumentReport]:
        rows = []
        for symbol in SYMBOLS:
            base, quote = symbol.split("/")
            grid = (Decimal("0.01"), ONE)
            rows.append(
                InstrumentReport(base + quote, base, quote, True, *grid, *[None] * 6, ("LIMIT", "MARKET"))
            )
        return rows


@dataclass
class ProductSide:
    clock: Clock = field(default_factory=Clock)
    answers: Answers = field(default_factory=lambda: Answers({}, Unknown(""), Unknown("")))
    accounts: dict[str, ExchangeAccount] = field(default_factory=dict)
    asked: dict[int, Asked] = field(default_factory=dict)
    ids: dict[int, UUID] = field(default_factory=dict)
    client_ids: dict[int, str] = field(default_factory=dict)
    permits: dict[int, int] = field(default_factory=dict)
    looks: list[tuple[bool, int, int]] = field(default_factory=list)
    first_epoch: int = 0

    # -- one seed ----------------------------------------------------------------------------------------------
    @contextmanager
    def fresh(self) -> Iterator[None]:
        """Everything that the block writes is taken back."""
        point = transaction.savepoint()
        self.asked, self.ids, self.client_ids, self.permits = {}, {}, {}, {}
        self.clock.set(0.0)
        self.first_epoch = current_epoch()
        try:
            yield
        finally:
            settings.STOP_FLAG.unlink(missing_ok=True)
            transaction.savepoint_rollback(point)

    def take(self, step: Step) -> str:
        """Run one step. Returns what was raised, if anything, in the double's words."""
        self.answers, self.looks = step.answers, []
        self.clock.sleep(step.wait)
        try:
            _VERBS[step.verb](self, step)
        except IllegalTransition:
            return "IllegalMove"
        except LeviError:
            pass  # a refusal: what it left behind is compared
        return ""

    # -- what the venue shows ----------------------------------------------------------------------------------
    def reports(self, account: str) -> list[OrderReport]:
        of = [index for index, asked in self.asked.items() if asked.account == account]
        shown = [self.report_of(index) for index in of]
        return [report for report in shown if report is not None]

    def report_of(self, index: int) -> OrderReport | None:
        view = self.answers.views.get(index)
        return make_report(self.asked[index], self.client_ids[index], view) if view else None

    def fills_of(self, index: int) -> list[FillReport]:
        view = self.answers.views.get(index)
        return make_fills(self.asked[index], self.client_ids[index], view) if view else []

    def fills(self, account: str) -> list[FillReport]:
        of = [index for index, asked in self.asked.items() if asked.account == account]
        return [fill for index in of for fill in self.fills_of(index)]

    def life(self, asked: Asked) -> float:
        live = settings.LEVI_CONFIG.live
        return float(live.market_expiry_sec if asked.ends_at_once else live.limit_expiry_sec)


@contextmanager
def running_product() -> Iterator[ProductSide]:
    """Accounts, instruments, limits and halt states in virtual time; the caller's transaction takes all back."""
    side = ProductSide()
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA crosscheck")
        for name in ("clock_timestamp", "statement_timestamp"):
            cursor.execute(
                f"CREATE FUNCTION crosscheck.{name}() RETURNS timestamptz LANGUAGE sql AS "
                "$$ SELECT current_setting('crosscheck.now')::timestamptz $$"
            )
        cursor.execute("SET LOCAL search_path = crosscheck, pg_catalog, public")
    side.clock.set(0.0)
    read = lambda: side.clock.now  # noqa: E731
    time = SimpleNamespace(perf_counter=read, monotonic=read, sleep=side.clock.sleep)
    with (
        patch.object(timezone, "now", lambda: as_time(side.clock.now)),
        patch.object(halts, "time", time),
        patch.object(sweep, "_in_threads", lambda step, ids: [sweep._guarded(step, one) for one in ids]),
        silence(),
    ):
        _set_up(side)
        try:
            yield side
        finally:
            connections.forget_all()


def _set_up(side: ProductSide) -> None:
    for name in ACCOUNTS:
        account = create_account(
            name,
            venue=VenueName.MEXC,
            environment=Environment.SIMULATED,
            mode=TradingMode.PAPER,
            base_url="http://127.0.0.1:9",
            is_default=name == ACCOUNTS[0],
            actor=PERSON,
        )
        side.accounts[name] = account
        exchange: Any = ScriptedExchange(side, name)
        pid = os.getpid()
        connections._exchanges[(pid, "account", account.pk, account.base_url, None, None)] = exchange
        connections._exchanges[(pid, "public", account.venue, account.base_url)] = exchange
        for asset in ("USDT", "BTC", "ETH"):
            held = Decimal(10**9)
            Balance.objects.create(
                account=account,
                asset=asset,
                free=held,
                locked=0,
                booked=held,
                observed_at=timezone.now(),
            )
    market.refresh_instruments(account)
    for name in filter(None, STRATEGIES):
        Strategy.objects.create(name=name)
        HaltState.objects.create(
            scope=HaltScope.STRATEGY, target=name, state=TradingState.ACTIVE, since=timezone.now()
        )
    change_limits({"max_balance_age_seconds": str(10**9)}, reason="crosscheck", actor=PERSON)
    now = timezone.now()
    ExchangeAccount.objects.update(synced_at=now, clock_offset_seconds=0, clock_measured_at=now)
    for name in ACCOUNTS:
        limits = {"exposure_limit_total": str(LIMIT), "max_balance_age_seconds": str(10**9)}
        change_limits(limits, reason="crosscheck", actor=PERSON, scope=HaltScope.ACCOUNT, target=name)
    assert Instrument.objects.filter(symbol__in=SYMBOLS).count() == len(SYMBOLS)


# -- the verbs ---------------------------------------------------------------------------------------------------------
def _approve(side: ProductSide, step: Step) -> None:
    asked = step.asked
    assert asked is not None
    ExchangeAccount.objects.update(clock_measured_at=timezone.now())
    body = {
        "account": asked.account,
        "symbol": asked.symbol,
        "side": asked.side.value,
        "quantity": str(asked.quantity),
        "reduce_only": asked.reduce_only,
        **({"strategy": asked.strategy} if asked.strategy else {}),
        **({} if asked.ends_at_once else {"price": "1"}),
    }
    origin = OrderOrigin.FLATTEN if asked.flattens else OrderOrigin.SIGNAL
    answer = intake.submit(body, actor=PERSON, key=f"key {asked.index}", origin=origin)
    side.asked[asked.index], side.ids[asked.index] = asked, answer.order.id
    side.client_ids[asked.index] = answer.order.client_order_id


def _permit(side: ProductSide, step: Step) -> None:
    order = dispatch._load(side.ids[step.order])
    exchange: Any = connections.exchange_for(order.account)
    permit = dispatch._take_permit(order, exchange)
    if permit is not None:
        side.permits[step.order] = permit.attempt


def _report(side: ProductSide, step: Step) -> None:
    attempt = side.permits.get(step.order)
    if attempt is not None:
        outcome.record_outcome(side.ids[step.order], attempt, step.answers.place)


def _settle(side: ProductSide, step: Step) -> None:
    report, fills = side.report_of(step.order), side.fills_of(step.order)
    settlement.settle(side.ids[step.order], report=report, fills=fills, source="query")


def _verdict(side: ProductSide, step: Step) -> None:
    verdict = QuarantineVerdict(step.what)
    at_venue = step.answers.views[step.order].exchange_order_id if verdict is QuarantineVerdict.ADOPT else ""
    resolution.resolve_quarantined(
        side.ids[step.order], verdict, reason="crosscheck", actor=PERSON, exchange_order_id=at_venue
    )


def _engage(side: ProductSide, step: Step) -> None:
    scope, target = step.scope
    halts.engage(
        HaltScope(scope),
        target,
        state=TradingState(step.what),
        reason="crosscheck",
        actor=PERSON,
        cancel=CancelScope.OURS,
    )


def _release(side: ProductSide, step: Step) -> None:
    seen = current_epoch() - (step.what == "stale")
    scope, target = step.scope
    halts.release(HaltScope(scope), target, reason="crosscheck", actor=PERSON, seen_epoch=seen)


def _forget(_side: ProductSide, step: Step) -> None:
    HaltState.objects.filter(scope=step.scope[0], target=step.scope[1]).delete()


def _limits(_side: ProductSide, _step: Step) -> None:
    change_limits({"max_price_age_seconds": "30"}, reason="again", actor=PERSON)


def _sweep(side: ProductSide, step: Step) -> None:
    row = Sweep.objects.select_related("change").order_by("change__epoch")[step.order]
    looks = [sweep._as_look(seen) for seen in sweep._one_round(row).values()]
    side.looks = [(look.was_answered, look.open_at_venue, look.alive_in_books) for look in looks]


def _by_order(function: Callable[[UUID], object]) -> Callable[[ProductSide, Step], None]:
    def run(side: ProductSide, step: Step) -> None:
        function(side.ids[step.order])

    return run


_VERBS: dict[str, Callable[[ProductSide, Step], None]] = {
    "approve": _approve,
    "dispatch": _by_order(dispatch.dispatch_order),
    "permit": _permit,
    "report": _report,
    "lapse": _by_order(lambda order_id: dispatch.lapse_if_void(dispatch._load(order_id))),
    "advance": _by_order(poller.advance_order),
    "settle": _settle,
    "follow": _by_order(following.follow_order),
    "resolve": _by_order(in_doubt.resolve_order),
    "cancel": _by_order(lambda order_id: cancellation.request_cancel(order_id, actor=PERSON)),
    "send_cancel": _by_order(cancellation.send_cancel),
    "verdict": _verdict,
    "engage": _engage,
    "release": _release,
    "forget": _forget,
    "limits": _limits,
    "sweep": _sweep,
    "poll": lambda _side, _step: poller.poll_once() and None,
}


def orders_by_index(side: ProductSide) -> dict[int, Order]:
    rows = Order.objects.in_bulk(list(side.ids.values()))
    return {index: rows[order_id] for index, order_id in side.ids.items()}
