"""Drills: the real kill path, from a resting order to a proven empty venue, on an account where it can cost nothing.

Simulated accounts only, the account's own scope only, and only while nothing of anybody is on its way there. Places one
order far from the market, engages, sweeps to the verdict, and releases. A drill that does not end clean leaves the
account halted for a person to look at. What it took stands in the rows of every halt (change and sweep, trigger
`drill`) and in the audit entry `drill.finished`. Its engage raises the one epoch, so approvals elsewhere lapse.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from trading import audit
from trading.domain.actors import Actor, system_actor
from trading.domain.enums import Environment, HaltScope, OrderOrigin, OrderStatus, OrderType, Side
from trading.domain.errors import LeviError, NotAllowed, StaleDecision
from trading.domain.money import divide, multiply, plain, round_to_lot, round_to_tick
from trading.domain.order_states import AT_RISK
from trading.doorbell import silence
from trading.market import ensure_price
from trading.models import Balance, ExchangeAccount, HaltState, Instrument, Order, Quote, Sweep, SweepVerdict
from trading.queries.drills import TRIGGER, read_drills
from trading.queries.halts import everything_is_halted
from trading.queries.limits import limits_in_force
from trading.stop_flag import find_stop_flag

from .halts import engage, release
from .intake import submit
from .jobs import claim_slot
from .poller import advance_order
from .sweep import run_sweep

log = logging.getLogger(__name__)
ACTOR = system_actor("drill")
ACCOUNT_OF_ITS_OWN = "drill"
_DAY = 86_400
_REST_SECONDS = 15.0
_VERDICT_SECONDS = 330.0  # a sweep ends after five minutes at the latest
_FURTHEST = Decimal(20)  # percent below the last price, where no collar is set
_ROOM = Decimal("1.5")  # above the venue's minimum notional


@dataclass(frozen=True, slots=True)
class DrillReport:
    """Seconds since the engagement, but `engage_seconds`, which is how long it took to answer."""

    account: str
    order_id: str
    verdict: str
    engage_seconds: float
    gate: float
    drain: float | None
    first_cancel: float | None
    clean: float | None
    released: bool

    @property
    def passed(self) -> bool:
        return self.verdict == SweepVerdict.CLEAN and self.released

    def as_dict(self) -> dict[str, Any]:
        seconds = ("engage_seconds", "gate", "drain", "first_cancel", "clean")
        numbers = {name: getattr(self, name) for name in seconds}
        return {
            "account": self.account,
            "order": self.order_id,
            "verdict": self.verdict,
            "released": self.released,
            **{name: None if number is None else f"{number:.3f}" for name, number in numbers.items()},
        }


def choose_account(name: str | None = None) -> ExchangeAccount:
    """The named one, the account `drill`, or the default. Raises NotAllowed where a drill could cost something."""
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE, is_enabled=True)
    if name:
        account = accounts.filter(name=name).first()
    else:
        account = accounts.filter(name=ACCOUNT_OF_ITS_OWN).first() or accounts.filter(is_default=True).first()
    if account is None or account.environment != Environment.SIMULATED:
        raise NotAllowed(
            f"{name or 'The default account'} is no enabled simulated account of {settings.LEVI_MODE} mode.",
            remedy="Drills run on the simulated venue only. Add an account named drill that is on it.",
            code="drill_refused",
        )
    if Order.objects.filter(account=account, status__in=sorted(AT_RISK)).exists():
        raise NotAllowed(
            f"Orders are on their way or open on {account.name}.",
            remedy="Wait until they have ended, or use an account of its own named drill.",
            code="drill_refused",
        )
    halted = HaltState.objects.filter(scope=HaltScope.ACCOUNT, target=account.name).exclude(state="active")
    if halted.exists() or everything_is_halted() or find_stop_flag(settings.STOP_FLAG):
        raise NotAllowed("It is halted already.", remedy="Release it first.", code="drill_refused")
    return account


def run_drill(
    account_name: str | None = None, *, actor: Actor, seconds: float = _VERDICT_SECONDS
) -> DrillReport:
    """One drill. Raises NotAllowed before anything was done, or if no order could be placed."""
    account = choose_account(account_name)
    with silence():  # this process takes every step itself, as it would with Redis dead
        order = _rest_order(account, actor)
        began = time.time()
        done = engage(
            HaltScope.ACCOUNT,
            account.name,
            reason="drill: the kill path is tried",
            actor=actor,
            trigger=TRIGGER,
        )
        sweep = _await_verdict(done.sweep_id, seconds)
        released = sweep.verdict == SweepVerdict.CLEAN and _release(account, done.epoch)
    report = _describe(account, order, sweep, began, done.seconds, released)
    with transaction.atomic(durable=True):
        audit.record(
            "drill.finished", actor=actor, object_type="halt", object_id=done.change_id, data=report.as_dict()
        )
    return report


def drill_when_quiet() -> DrillReport | None:
    """The scheduled drill. None: the account was not quiet; once it is overdue, that is an alarm a day."""
    try:
        return run_drill(actor=ACTOR)
    except LeviError as error:
        log.warning("no drill: %s", error)
        if read_drills().is_overdue and claim_slot("drill overdue", _DAY):
            with transaction.atomic(durable=True):
                audit.record("drill.overdue", actor=ACTOR, object_type="halt", data={"why": error.message})
        return None


def _rest_order(account: ExchangeAccount, actor: Actor) -> Order:
    """An order that rests at the venue."""
    answer = submit(_body(account), actor=actor, key=f"drill-{uuid4()}", origin=OrderOrigin.API)
    until = time.monotonic() + _REST_SECONDS
    while True:
        order = Order.objects.get(pk=answer.order.pk)
        if order.status == OrderStatus.OPEN:
            return order
        if order.status not in AT_RISK or time.monotonic() > until:
            raise NotAllowed(
                f"The drill's order came to be {order.status}: {order.status_reason or 'it did not rest in time'}.",
                remedy="See its page for the decision; a drill needs an order that rests.",
                code="drill_refused",
            )
        advance_order(order.id)
        time.sleep(0.1)


def _body(account: ExchangeAccount) -> dict[str, Any]:
    limits = limits_in_force()
    instruments = Instrument.objects.filter(
        venue=account.venue, environment=account.environment, is_tradable=True
    )
    if limits is not None and limits.allowed_symbols is not None:
        instruments = instruments.filter(symbol__in=limits.allowed_symbols)
    held = Balance.objects.filter(account=account, free__gt=0).values("asset")
    instrument = instruments.filter(quote_asset__in=held).order_by("symbol").first()
    if instrument is None:
        raise NotAllowed(
            f"Nothing can be bought on {account.name}.",
            remedy="It needs a balance in the quote asset of an allowed symbol, and a sync.",
            code="drill_refused",
        )
    ensure_price(account, instrument)
    last = Quote.objects.get(instrument=instrument).last
    collar = limits.price_collar_pct if limits is not None else None
    away = divide(multiply(min(collar or _FURTHEST, _FURTHEST), Decimal("0.8")), Decimal(100))
    price = round_to_tick(multiply(last, 1 - away), instrument.tick_size, Side.BUY)
    wanted = divide(multiply(instrument.min_notional or Decimal(10), _ROOM), price)
    quantity = round_to_lot(max(wanted, instrument.min_quantity or wanted), instrument.lot_size)
    return {
        "account": account.name,
        "symbol": instrument.symbol,
        "side": Side.BUY.value,
        "order_type": OrderType.LIMIT.value,
        "quantity": plain(max(quantity, instrument.lot_size)),
        "price": plain(price),
    }


def _await_verdict(sweep_id: Any, seconds: float) -> Sweep:
    """Swept here, or by whoever took the lease first."""
    until = time.monotonic() + seconds
    while True:
        sweep = run_sweep(sweep_id)
        if sweep.verdict != SweepVerdict.RUNNING or time.monotonic() > until:
            return sweep
        time.sleep(0.5)


def _release(account: ExchangeAccount, epoch: int) -> bool:
    """False if somebody engaged meanwhile: that halt is meant, and stays."""
    try:
        release(HaltScope.ACCOUNT, account.name, reason="drill: proven clean", actor=ACTOR, seen_epoch=epoch)
    except StaleDecision:
        return False
    return True


def _describe(
    account: ExchangeAccount, order: Order, sweep: Sweep, began: float, engage_seconds: float, released: bool
) -> DrillReport:
    def since(at: Any) -> float | None:
        return (at - sweep.engaged_at).total_seconds() if at else None

    return DrillReport(
        account=account.name,
        order_id=str(order.id),
        verdict=sweep.verdict,
        engage_seconds=engage_seconds,
        gate=max(0.0, sweep.engaged_at.timestamp() - began),
        drain=since(sweep.drained_at),
        first_cancel=since(sweep.first_cancel_at),
        clean=since(sweep.finished_at),
        released=released,
    )
