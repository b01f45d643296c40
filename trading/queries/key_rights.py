"""How the venue key of an account stands: what the venue said it may do, what is wrong with that, and how old it is.

What the venue did not say again is unknown with its age, never good; what was wrong stays wrong until the venue says
otherwise. Reads only; `execution.key_rights` asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trading.domain.enums import Environment, Severity
from trading.models import ExchangeAccount

# Asked once a day: an answer that is twice as old says nothing of now.
KEY_ANSWER_HOLDS = timedelta(hours=48)
_DAYS_TO_RENEW = 7


@dataclass(frozen=True, slots=True)
class KeyFault:
    code: str
    severity: Severity
    words: str


@dataclass(frozen=True, slots=True)
class KeyState:
    """`word`: no key, not asked yet, unknown, at fault or good."""

    word: str
    faults: tuple[KeyFault, ...] = ()
    checked_at: datetime | None = None
    asked_at: datetime | None = None
    error: str = ""


def key_faults(rights: Mapping[str, Any], environment: str) -> tuple[KeyFault, ...]:
    """What is wrong with what a venue said of a key; the worst first. Severity by what it may cost."""
    faults = []
    if dangerous := rights.get("dangerous"):
        words = f"it may do what a trading key must not: {', '.join(dangerous)}"
        faults.append(KeyFault("dangerous", Severity.CRITICAL, words))
    if not rights.get("can_trade"):
        words = "it may not trade: nothing can be sent with it, and no open order canceled"
        faults.append(KeyFault("no_trade", Severity.CRITICAL, words))
    if not rights.get("can_read"):
        words = "it may not read orders and balances: fills and outcomes cannot be found"
        faults.append(KeyFault("no_read", Severity.CRITICAL, words))
    # Answers from before addresses were kept say nothing of them.
    if rights.get("addresses") == [] and (rights.get("was_bound") or environment == Environment.LIVE):
        lost = "no longer" if rights.get("was_bound") else "not"
        faults.append(KeyFault("unbound", Severity.WARNING, f"it is {lost} bound to addresses"))
    days = rights.get("days_left")
    if days is not None and days <= _DAYS_TO_RENEW:
        words = f"it expires in {days} days; then nothing can be sent or canceled"
        faults.append(KeyFault("expiring", Severity.WARNING, words))
    return tuple(faults)


def key_state(account: ExchangeAccount, now: datetime) -> KeyState:
    """Asks nothing where `credential` was read with the account."""
    key = getattr(account, "credential", None)
    if key is None:
        return KeyState("no key")
    faults = key_faults(key.rights, account.environment) if key.rights_checked_at else ()
    if faults:
        word = "at fault"
    elif key.rights_error or (key.rights_checked_at and now - key.rights_checked_at > KEY_ANSWER_HOLDS):
        word = "unknown"
    else:
        word = "good" if key.rights_checked_at else "not asked yet"
    return KeyState(word, faults, key.rights_checked_at, key.rights_asked_at, key.rights_error)
