"""The documents' Python interface: four classes over the same stages that signals over REST go through.

    broker = MexcOrders(key=…, secret=…, base_url=…)      order = await broker.place_order("BTC/USDT", "BUY", 0.01)

Inside a Django project it works as it is; a script calls django.setup() first (docs/api.md, "Python interface"). The
same parameters are the same intent and give the same order, never a second one; another `ts=` states a new intent.
The kill switch is the real one: it stops every process, not only this object. Floats are taken here and nowhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from trading.domain.enums import HaltScope, Side, TradingState
from trading.domain.errors import InvalidInput
from trading.domain.money import ZERO, multiply, plain, positive
from trading.execution.halts import engage, release
from trading.execution.sweep import run_sweep
from trading.models import Balance, ExchangeAccount, LimitsVersion, Position, Sweep
from trading.queries.halts import read_scopes, read_status
from trading.queries.limits import limits_in_force
from trading.queries.portfolio import daily_pnl

from . import sdk_stages as stages
from .sdk_lanes import Lane, close_lanes, lane, work_aside

__all__ = ["HeldPosition", "MexcOrders", "OrderExecutor", "Portfolio", "RiskManager", "close_lanes"]

_FIRST_CANCELS_SECONDS = 5.0
_brokers: list[MexcOrders] = []


def _orders() -> Lane:
    return lane("orders")


def _stop() -> Lane:
    return lane("kill")


class MexcOrders:
    """Orders on one MEXC account. The account is made at the first use, its key sealed in the database."""

    def __init__(self, key: str, secret: str, base_url: str, rate_limit_rps: Any = 5.0) -> None:
        self._key, self._secret, self._base_url = key, secret, base_url
        self.rate_limit_rps = positive(
            stages.as_decimal(rate_limit_rps, field="rate_limit_rps"), field="rate_limit_rps"
        )
        self._account: ExchangeAccount | None = None
        _brokers[:] = [self]

    def __repr__(self) -> str:
        return f"MexcOrders(base_url={self._base_url!r}, key=…{self._key[-4:]})"

    def open(self) -> ExchangeAccount:
        """In the lane's thread: the account's row, checked and made when it is missing."""
        if self._account is None:
            self._account = stages.open_account(self._key, self._secret, self._base_url, self.rate_limit_rps)
        return self._account

    async def place_order(
        self,
        symbol: str,
        side: str,
        quantity: Any,
        *,
        price: Any = None,
        ts: Any = None,
        wait_seconds: float = 10.0,
        **more: Any,
    ) -> dict[str, Any]:
        """Through every rule and the gate to the venue. `more`: order_type, time_in_force, reduce_only, strategy …

        A denial is an answer (status "denied" with its reason); wrong input raises InvalidInput.
        """
        body = {"symbol": symbol, "side": side, "quantity": _text(quantity, "quantity"), **more}
        if price is not None:
            body["price"] = _text(price, "price")
        return await _orders().wait(partial(self._place, body, ts, wait_seconds))

    def _place(self, body: Mapping[str, Any], ts: Any, wait_seconds: float) -> dict[str, Any]:
        account = stages.freshen(self.open())
        return stages.order_answer(stages.place(account, body, ts=ts, wait_seconds=wait_seconds))

    async def try_slot(self) -> bool:
        """Whether the rate limit lets one more order out right now; takes the slot if so."""
        return await _orders().wait(lambda: stages.free_place_slot(self.open()))


def _text(value: Any, field: str) -> str:
    return plain(stages.as_decimal(value, field=field))


@dataclass(frozen=True, slots=True)
class HeldPosition:
    quantity: Decimal
    average_price: Decimal

    @property
    def qty(self) -> Decimal:
        return self.quantity

    @property
    def avg_px(self) -> Decimal:
        return self.average_price


class Portfolio:
    """What an account holds, as of the last `refresh`. Without a name: of the last MexcOrders made here."""

    def __init__(self, account: str | None = None) -> None:
        self._name = account
        self._balances: dict[str, Decimal] = {}
        self._positions: dict[str, HeldPosition] = {}

    async def refresh(self) -> None:
        """Ask the venue. Raises VenueUnavailable when it does not answer; the old numbers stay."""
        await _orders().wait(self._refresh)

    def _find_account(self) -> ExchangeAccount:
        if self._name is not None:
            account = ExchangeAccount.objects.filter(name=self._name).first()
            if account is None:
                raise InvalidInput(f"Unknown account {self._name!r}.", code="unknown_account")
            return account
        return _brokers[0].open() if _brokers else stages.default_account()

    def _refresh(self) -> None:
        self.read(stages.freshen(self._find_account(), at_most=timedelta(0)))

    def read(self, account: ExchangeAccount) -> None:
        """In the lane's thread: take over what our books say now."""
        self._name = account.name
        balances = Balance.objects.filter(account=account)
        held = Position.objects.filter(account=account).select_related("instrument")
        self._balances = {row.asset: row.free + row.locked for row in balances}
        self._positions = {
            row.instrument.symbol: HeldPosition(row.quantity, row.average_price) for row in held
        }

    def get_balance(self, asset: str) -> Decimal:
        """Free and locked together; zero for an asset the account does not have."""
        return self._balances.get(asset.upper(), ZERO)

    def get_position(self, symbol: str) -> HeldPosition:
        return self._positions.get(symbol.upper(), HeldPosition(ZERO, ZERO))

    def exposure_notional(self, symbol: str, last_price: Any) -> Decimal:
        price = positive(stages.as_decimal(last_price, field="last_price"), field="last_price")
        return multiply(abs(self.get_position(symbol).quantity), price)


class RiskManager:
    """Limits a program puts on itself, named as in the panel: RiskManager(10000, max_daily_loss_pct=3).

    They are written as a new version where they are stricter than the limits in force, and never loosen them. The
    loss of the day may not exceed the same percentage of `base_equity` either: that is the global stop.
    """

    def __init__(self, base_equity: Any, **limits: Any) -> None:
        self.base_equity = positive(stages.as_decimal(base_equity, field="base_equity"), field="base_equity")
        unknown = [name for name in limits if name not in LimitsVersion.LIMIT_FIELDS]
        if unknown:
            raise InvalidInput(
                f"Unknown limit {unknown[0]!r}.",
                remedy=f"Known limits: {', '.join(LimitsVersion.LIMIT_FIELDS)}.",
                field=unknown[0],
            )
        self.limits = {name: _limit(name, value) for name, value in limits.items()}

    def explain_stop(self, account: ExchangeAccount) -> str:
        """Why trading must stop for the day; empty if it need not. In the lane's thread."""
        limits, pnl = limits_in_force(), daily_pnl(account)
        percent = limits.max_daily_loss_pct if limits else None
        if percent is None or pnl is None:
            return ""  # without numbers the risk rules deny on their own
        allowed = multiply(self.base_equity, percent) / 100
        if -pnl < allowed:
            return ""
        return f"global stop: lost {plain(-pnl)} today of {plain(allowed)} allowed on {account.name}"


def _limit(name: str, value: Any) -> Any:
    return list(value) if name == "allowed_symbols" else stages.as_decimal(value, field=name)


class OrderExecutor:
    """Signals through risk, kill switch and broker. Above `kill_threshold_usd` in one symbol everything is halted."""

    def __init__(
        self, risk: RiskManager, broker: MexcOrders, portfolio: Portfolio, kill_threshold_usd: Any
    ) -> None:
        self.risk, self.broker, self.portfolio = risk, broker, portfolio
        self.kill_threshold_usd = positive(
            stages.as_decimal(kill_threshold_usd, field="kill_threshold_usd"), field="kill_threshold_usd"
        )

    # --- signals ----------------------------------------------------------------------------------------------

    async def execute_signal(
        self, symbol: str, side: str, qty: Any, last_px: Any, *, ts: Any = None, **more: Any
    ) -> dict[str, Any]:
        """{"ok": True, "orderId", "clientOrderId", "status", …} or {"ok": False, "reason", "detail", …}.

        Reasons: kill_switch, global_stop, exposure_limit, the codes of a denial, or the status of an order that did
        not come to rest at the venue ("in_doubt": ask again with the same parameters).
        """
        quantity, price = _positive(qty, "qty"), _positive(last_px, "last_px")
        wanted_side = _side(side)
        body = {
            "symbol": symbol.strip().upper(),
            "side": wanted_side.value,
            "quantity": plain(quantity),
            "last_price": plain(price),
            **more,
        }
        return await _orders().wait(partial(self._execute, body, wanted_side, quantity, price, ts))

    def _execute(
        self, body: Mapping[str, Any], side: Side, quantity: Decimal, price: Decimal, ts: Any
    ) -> dict[str, Any]:
        account = self.broker.open()
        stages.tighten_limits({**self.risk.limits, "kill_threshold_usd": self._threshold()})
        blocked = self._find_halt(account, body["symbol"])
        if blocked:
            return blocked
        self.portfolio.read(stages.freshen(account))  # the sync itself evaluates the automatic halts
        blocked = (
            self._find_halt(account, body["symbol"])
            or self._check_day(account)
            or self._check_exposure(body["symbol"], side, quantity, price)
        )
        if blocked:
            return blocked
        order = stages.place(account, body, ts=ts, wait_seconds=10.0)
        self.portfolio.read(account)
        answer = stages.order_answer(order)
        if stages.is_good(order):
            return {**answer, "ok": True}
        reason = answer["reason"] if order.status == "denied" else answer["status"]
        return {**answer, "ok": False, "reason": reason, "detail": order.status_reason}

    def _threshold(self) -> Decimal:
        """The stricter of this executor's and what the risk manager was told."""
        return min(
            self.kill_threshold_usd, self.risk.limits.get("kill_threshold_usd", self.kill_threshold_usd)
        )

    def _find_halt(self, account: ExchangeAccount, symbol: str) -> dict[str, Any] | None:
        for scope in read_scopes(account.name, symbol, None):
            missing_symbol = scope.state is None and scope.scope is HaltScope.INSTRUMENT
            if scope.state is not TradingState.ACTIVE and not missing_symbol:
                where = f"{scope.scope} {scope.target}".strip()
                return _blocked(
                    "kill_switch", f"{where} is {scope.state or 'without a state'}: {scope.reason}"
                )
        return None

    def _check_day(self, account: ExchangeAccount) -> dict[str, Any] | None:
        reason = self.risk.explain_stop(account)
        if reason:
            self._engage(reason, trigger="daily_loss")
            return _blocked("global_stop", reason)
        return None

    def _check_exposure(
        self, symbol: str, side: Side, quantity: Decimal, price: Decimal
    ) -> dict[str, Any] | None:
        """A signal that leads above the threshold is a signal gone wrong: it stops everything."""
        held = self.portfolio.get_position(symbol).quantity
        after = held + side.sign * quantity
        notional = multiply(abs(after), price)
        if abs(after) <= abs(held) or notional <= self._threshold():
            return None
        reason = (
            f"exposure: {plain(notional)} in {symbol} is above the kill threshold {plain(self._threshold())}"
        )
        self._engage(reason, trigger="exposure")
        return _blocked("exposure_limit", reason)

    # --- the kill switch --------------------------------------------------------------------------------------

    def engage_kill_switch(self, reason: str = "manual") -> dict[str, Any]:
        """Halt everything, everywhere; returns when no new order can start and the first cancels are out."""
        return _stop().call(partial(self._engage, reason, trigger="manual"))

    def release_kill_switch(self, reason: str) -> dict[str, Any]:
        """Trade again, with a reason. Approvals given before the halt stay void."""
        actor = stages.sdk_actor()
        _stop().call(partial(release, HaltScope.EVERYTHING, "", reason=reason, actor=actor))
        return _stop().call(read_status)

    @property
    def kill_switch(self) -> bool:
        """Whether everything is halted now, by whomever."""
        return bool(_stop().call(read_status)["kill_switch"])

    def _engage(self, reason: str, *, trigger: str) -> dict[str, Any]:
        engagement = engage(HaltScope.EVERYTHING, reason=reason, actor=stages.sdk_actor(), trigger=trigger)
        if engagement.sweep_id is not None:
            _start_sweep(engagement.sweep_id)
        return engagement.as_dict()


def _start_sweep(sweep_id: Any) -> None:
    """In a lane of its own, for a script beside which no supervisor runs. Returns after the first cancels."""
    seen = threading.Event()

    def note(_sweep: Sweep) -> None:
        seen.set()

    done = work_aside(f"sweep-{sweep_id}", partial(run_sweep, sweep_id, progress=note))
    done.add_done_callback(lambda _future: seen.set())
    seen.wait(_FIRST_CANCELS_SECONDS)


def _blocked(reason: str, detail: str) -> dict[str, Any]:
    return {"ok": False, "reason": reason, "detail": detail, "orderId": None, "clientOrderId": None}


def _positive(value: Any, field: str) -> Decimal:
    return positive(stages.as_decimal(value, field=field), field=field)


def _side(text: Any) -> Side:
    word = str(text).strip().upper()
    if word not in {side.value for side in Side}:
        raise InvalidInput(f"side {text!r} is not known.", remedy="Use BUY or SELL.", field="side")
    return Side(word)
