"""Cancel what is open on every account of the key file, and look until the venue has proven to be empty.

Clean is claimed only with the proof of a sweep: two complete and empty lists in a row, both asked after the last
instant at which the venue could accept something sent before the stop flag was raised. What others placed is canceled
only with the scope "everything". A venue that cannot be asked is reported as exactly that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from trading.domain.client_order_id import is_ours
from trading.domain.enums import CancelScope
from trading.domain.errors import LeviError
from trading.domain.money import plain
from trading.domain.outcomes import CancelAccepted, OrderReport
from trading.exchanges.base import Exchange
from trading.exchanges.limiter import Limiter
from trading.exchanges.registry import connect
from trading.execution.dispatch_limits import LAST_ACCEPTANCE

from .key_file import GlassAccount, KeyRing

_PAUSES = (0.3, 0.5, 1.0, 1.0, 2.0)
_LINES = 4


@dataclass
class AccountClearing:
    """What one account showed. `open` is the last complete list in scope, None if there never was one."""

    account: str
    open: list[dict[str, str]] | None = None
    foreign: int = 0
    cancels_sent: int = 0
    rounds: int = 0
    is_proven: bool = False
    trouble: str = ""
    cancel_troubles: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "clean": self.is_proven,
            "open": self.open,
            "foreign": self.foreign,
            "cancels_sent": self.cancels_sent,
            "rounds": self.rounds,
            "trouble": self.trouble or None,
            "cancel_troubles": self.cancel_troubles,
        }


def clear_accounts(
    ring: KeyRing,
    scope: CancelScope,
    *,
    limiter: Limiter,
    seconds: float,
    proof_after: float | None = None,
    progress: Callable[[AccountClearing], None] = lambda _found: None,
) -> list[AccountClearing]:
    """All accounts side by side. `proof_after`: seconds from now before an empty list counts."""
    wait = LAST_ACCEPTANCE.total_seconds() if proof_after is None else proof_after
    began = time.monotonic()

    def clear(account: GlassAccount) -> AccountClearing:
        found = AccountClearing(account.name)
        try:
            with closing(connect(account.as_connection(), limiter=limiter)) as exchange:
                _clear(exchange, ring, scope, found, began + wait, began + seconds, progress)
        except LeviError as error:
            found.trouble = str(error)
        return found

    with ThreadPoolExecutor(max(1, len(ring.accounts))) as accounts:
        return list(accounts.map(clear, ring.accounts))


def _clear(
    exchange: Exchange,
    ring: KeyRing,
    scope: CancelScope,
    found: AccountClearing,
    proof_at: float,
    until: float,
    progress: Callable[[AccountClearing], None],
) -> None:
    empty = 0
    while True:
        asked_at = time.monotonic()
        wanted = _look(exchange, ring, scope, found)
        counts = wanted == [] and asked_at >= proof_at
        empty = empty + 1 if counts else 0
        if wanted:
            _cancel(exchange, wanted, found)
        found.is_proven = empty >= 2
        progress(found)
        if found.is_proven or time.monotonic() >= until:
            return
        time.sleep(_PAUSES[min(found.rounds, len(_PAUSES) - 1)])
        found.rounds += 1


def _look(
    exchange: Exchange, ring: KeyRing, scope: CancelScope, found: AccountClearing
) -> list[OrderReport] | None:
    """The open orders in scope; None if the venue could not be asked."""
    try:
        reports = exchange.fetch_open_orders(urgent=True)
    except LeviError as error:
        found.trouble = str(error)
        return None
    ours = [report for report in reports if is_ours(report.client_order_id, ring.instance_id)]
    wanted = list(reports) if scope is CancelScope.EVERYTHING else ours
    found.trouble, found.foreign = "", len(reports) - len(ours)
    found.open = [_item(report) for report in wanted]
    return wanted


def _item(report: OrderReport) -> dict[str, str]:
    return {
        "symbol": report.symbol,
        "side": report.side.value,
        "quantity": plain(report.quantity),
        "filled": plain(report.filled_quantity),
        "price": plain(report.price) if report.price is not None else "",
        "client_order_id": report.client_order_id,
        "exchange_order_id": report.exchange_order_id,
    }


def _cancel(exchange: Exchange, wanted: list[OrderReport], found: AccountClearing) -> None:
    def cancel(report: OrderReport) -> tuple[OrderReport, str]:
        outcome = exchange.cancel_order(report.symbol, exchange_order_id=report.exchange_order_id)
        if isinstance(outcome, CancelAccepted):
            return report, ""
        said = getattr(outcome, "message", "") or getattr(outcome, "reason", "")
        return report, f"{type(outcome).__name__}: {said}"

    with ThreadPoolExecutor(_LINES) as lines:
        for report, trouble in lines.map(cancel, wanted):
            found.cancels_sent += 1
            found.cancel_troubles.pop(report.exchange_order_id, None)
            if trouble:
                found.cancel_troubles[report.exchange_order_id] = trouble
