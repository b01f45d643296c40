"""What one break beyond its tolerance does to its scope: reducing at first sight, halted when a second look agrees.

The scope is the instrument where the break is about one, else the account. A break that a person has acknowledged acts
again only if it has grown: by quantity, because its worth moves with every price and may be unknown. A scope that is
restricted as much already is left alone, and nothing is ever released here. Many breaks that each stay within their
tolerance are the trigger `breaks`' part, not this one's.
"""

from __future__ import annotations

import logging

from trading.domain.actors import system_actor
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import LeviError
from trading.domain.money import plain
from trading.models import Break, BreakState, ExchangeAccount, HaltState

from .halts import engage

log = logging.getLogger(__name__)
ACTOR = system_actor("reconciliation")
TRIGGER = "break"


def respond_to_breaks(account: ExchangeAccount) -> None:
    """After each look: also what could not be restricted then is restricted now."""
    live = Break.objects.filter(account=account, is_beyond=True).exclude(state=BreakState.RESOLVED)
    for row in live.select_related("account"):
        if not _is_taken(row):
            _restrict(row)


def _restrict(row: Break) -> None:
    wanted = TradingState.HALTED if row.seen_count > 1 else TradingState.REDUCING
    scope, target = scope_of(row)
    now = HaltState.objects.filter(scope=scope, target=target).values_list("state", flat=True).first()
    if now is not None and TradingState(now).restriction >= wanted.restriction:
        return
    reason = f"break: {row.kind} {row.subject}: ours {_word(row.ours)}, the venue's {_word(row.theirs)}"
    try:
        engage(scope, target, state=wanted, reason=reason, actor=ACTOR, trigger=TRIGGER, cancel=None)
    except LeviError as error:
        log.error("%s could not be set to %s: %s", target, wanted, error)


def scope_of(row: Break) -> tuple[HaltScope, str]:
    if row.symbol:
        return HaltScope.INSTRUMENT, row.symbol
    return HaltScope.ACCOUNT, row.account.name


def _is_taken(row: Break) -> bool:
    if row.state != BreakState.ACKNOWLEDGED:
        return False
    taken, now = row.taken_at_difference, row.difference
    # The other way round it is another difference, however small.
    return taken is not None and taken * now >= 0 and now.copy_abs() <= taken.copy_abs()


def _word(number: object) -> str:
    return "unknown" if number is None else plain(number)  # type: ignore[arg-type]
