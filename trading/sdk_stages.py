"""What the Python interface does, synchronously, on top of the stages of execution: accounts, limits, orders.

Knows no event loop. Rings no bell: it dispatches and follows in its own thread, so that it needs neither Redis nor
workers; when it dies, the pollers of a running stack go on with its orders.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from trading.connections import exchange_for
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import Environment, HaltScope, OrderOrigin, OrderStatus, TradingMode, VenueName
from trading.domain.errors import InvalidInput, StaleDecision, VenueUnavailable
from trading.domain.money import exact, plain
from trading.domain.order_states import TERMINAL
from trading.doorbell import silence
from trading.exchanges.venues import check_base_url
from trading.execution.accounts import create_account, set_rate_limit, store_credentials
from trading.execution.intake import submit
from trading.execution.limit_changes import change_limits
from trading.execution.poller import advance_order
from trading.execution.sync import sync_account
from trading.first_run import seed_limits
from trading.models import ExchangeAccount, LimitsVersion, Order, Signal
from trading.process_name import os_user
from trading.queries.limits import lasting_limits, limits_in_force, newest_version
from trading.risk.limit_fields import stricter_of
from trading.vault import open_credentials

# Which installation of a venue a mode talks to.
ENVIRONMENTS = {
    TradingMode.PAPER: Environment.SIMULATED,
    TradingMode.TESTNET: Environment.TESTNET,
    TradingMode.PRODUCTION: Environment.LIVE,
}
_SYNC_AGE = timedelta(seconds=10)
_LOOK_SECONDS = 0.05
_ENDED_BADLY = (OrderStatus.DENIED, OrderStatus.LAPSED, OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)


def sdk_actor() -> Actor:
    return Actor(ActorKind.COMMAND, f"sdk-{os_user()}")


def as_decimal(value: Any, *, field: str) -> Decimal:
    """The only door that takes floats: 0.01 means the number that a person reads, which is what repr shows."""
    return exact(repr(value) if isinstance(value, float) else value, field=field)


def open_account(key: str, secret: str, base_url: str, rate_limit_rps: Decimal) -> ExchangeAccount:
    """The account of this key at this address; made, with its key sealed, when there is none yet."""
    mode = TradingMode(settings.LEVI_MODE)
    address = check_base_url(VenueName.MEXC, ENVIRONMENTS[mode], base_url)
    known = ExchangeAccount.objects.filter(venue=VenueName.MEXC, mode=mode, base_url=address)
    account = next((row for row in known if _has_key(row, key)), None)
    if account is None:
        account = create_account(
            "sdk-" + hashlib.sha256(f"{address}|{key}".encode()).hexdigest()[:10],
            venue=VenueName.MEXC,
            environment=ENVIRONMENTS[mode],
            mode=mode,
            base_url=address,
            is_default=not ExchangeAccount.objects.filter(is_default=True).exists(),
            rate_limit_rps=rate_limit_rps,
            actor=sdk_actor(),
        )
    stored = open_credentials(account)
    if stored is None or (stored.key, stored.secret) != (key, secret):
        store_credentials(account, key, secret, actor=sdk_actor())
    if account.rate_limit_rps != rate_limit_rps:
        account = set_rate_limit(account, rate_limit_rps, actor=sdk_actor())
    seed_limits()
    return account


def _has_key(account: ExchangeAccount, key: str) -> bool:
    stored = open_credentials(account)
    return stored is not None and stored.key == key


def default_account() -> ExchangeAccount:
    account = ExchangeAccount.objects.filter(is_default=True, mode=settings.LEVI_MODE).first()
    if account is None:
        raise InvalidInput(
            "There is no account yet.", remedy="Make a MexcOrders(key=…, secret=…, base_url=…) first."
        )
    return account


def freshen(account: ExchangeAccount, *, at_most: timedelta = _SYNC_AGE) -> ExchangeAccount:
    """Sync with the venue unless somebody just did. Raises VenueUnavailable where books would be guessed at."""
    account.refresh_from_db()
    # The first pass learns which assets are held, the second prices them.
    passes = 2 if account.synced_at is None else 1
    if account.synced_at is None or account.synced_at <= timezone.now() - at_most:
        for _pass in range(passes):
            _sync(account)
        account.refresh_from_db()
    return account


def _sync(account: ExchangeAccount) -> None:
    with silence():
        run = sync_account(account.id, trigger="sdk")
    if not run.is_complete:
        raise VenueUnavailable(f"{account.name} could not be synced: {run.error}")


def free_place_slot(account: ExchangeAccount) -> bool:
    """Whether one more order may be sent right now; takes the slot if so."""
    return exchange_for(account).acquire_place_slot(0.0)


def place(account: ExchangeAccount, body: Mapping[str, Any], *, ts: Any, wait_seconds: float) -> Order:
    """The order of exactly these parameters: made, sent and followed if it is new, else as it stands now."""
    asked = {**body, "account": account.name}
    order = _find_or_submit(asked, _intent(asked, ts))
    return carry(order, wait_seconds)


def _intent(body: Mapping[str, Any], ts: Any) -> str:
    """One text per intent. It names the parameters, so that a repeat after a crash finds its order."""
    parts = [f"{name}={body[name]}" for name in sorted(body)] + [f"ts={ts!r}" if ts is not None else ""]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:40]


def _find_or_submit(body: Mapping[str, Any], intent: str) -> Order:
    """A denied order was never sent: asking again is a new try, under the next number."""
    actor = sdk_actor()
    number = 1
    while (known := _order_of(actor, f"{intent}:{number}")) and known.status == OrderStatus.DENIED:
        number += 1
    if known is not None:
        return known
    with silence():
        return submit(body, actor=actor, key=f"{intent}:{number}", origin=OrderOrigin.SDK).order


def _order_of(actor: Actor, key: str) -> Order | None:
    signal = Signal.objects.filter(source=f"{actor.kind}:{actor.name}", key=key).first()
    return Order.objects.filter(signal=signal).first() if signal else None


def carry(order: Order, wait_seconds: float) -> Order:
    """Take the order's steps in this thread until it has ended or rests at the venue, or the time is up."""
    deadline = time.monotonic() + wait_seconds
    with silence():
        while not _has_settled(order) and time.monotonic() < deadline:
            if order.next_action_at is None or order.status == OrderStatus.APPROVED or _is_due(order):
                advance_order(order.pk)
            else:
                time.sleep(_LOOK_SECONDS)
            order = _load(order)
    return _load(order)


def _load(order: Order) -> Order:
    return Order.objects.select_related("account", "instrument").get(pk=order.pk)


def _is_due(order: Order) -> bool:
    return order.next_action_at is not None and order.next_action_at <= timezone.now()


def _has_settled(order: Order) -> bool:
    rests = order.order_type != "MARKET" and order.status in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
    booked = order.filled_quantity >= order.venue_filled_quantity
    return rests or (order.status in TERMINAL and booked)


def order_answer(order: Order) -> dict[str, Any]:
    """An order as the interface hands it out. `orderId` is the venue's, None while it has none; numbers are exact."""
    return {
        "clientOrderId": order.client_order_id,
        "orderId": order.exchange_order_id or None,
        "status": str(order.status),
        "symbol": order.instrument.symbol,
        "side": str(order.side),
        "quantity": order.quantity,
        "price": order.price,
        "filledQuantity": order.filled_quantity,
        "filledNotional": order.filled_notional,
        "reason": order.status_reason or None,
        "id": str(order.id),
    }


def is_good(order: Order) -> bool:
    """Whether the venue has taken it, as far as is known."""
    return bool(order.exchange_order_id) and order.status not in _ENDED_BADLY


_TIGHTENING_TRIES = 3


def tighten_limits(asked: Mapping[str, Any]) -> None:
    """Write a new version where these limits are stricter than those in force. Never loosens: that takes a person."""
    wanted = {
        name: sorted({str(symbol).upper() for symbol in limit}) if name == "allowed_symbols" else limit
        for name, limit in asked.items()
    }
    for _try in range(_TIGHTENING_TRIES):
        with suppress(StaleDecision):  # somebody else was writing: look again
            _tighten_once(wanted)
            return
    raise StaleDecision("The risk limits are being changed by others.", remedy="Try again.")


def _tighten_once(asked: Mapping[str, Any]) -> None:
    newest, current = newest_version(HaltScope.EVERYTHING, ""), limits_in_force()
    lasting = lasting_limits(HaltScope.EVERYTHING, "")
    changes = {}
    for name in LimitsVersion.LIMIT_FIELDS:
        lasts = getattr(lasting, name, None)
        # An override that is stricter would end with this version: it stays in it.
        stricter = stricter_of(name, stricter_of(name, lasts, getattr(current, name, None)), asked.get(name))
        if stricter != lasts:
            changes[name] = plain(stricter) if isinstance(stricter, Decimal) else stricter
    tightens = any(
        stricter_of(name, in_force, limit) != in_force
        for name, limit in asked.items()
        for in_force in [getattr(current, name, None)]
    )
    if changes and tightens:
        change_limits(
            changes,
            reason="Tightened by a program through the Python interface.",
            actor=sdk_actor(),
            seen_version=newest.version if newest else 0,
        )
