"""Asks the venues what the stored keys may do: once a day each, when one is replaced, and when a person wants to know.

What is dangerous sets its account to `reducing`, once for each right that appeared, before the answer is written down:
a person who releases it, knowing the alert, is not overruled every day. An answer about a key that was replaced
meanwhile is thrown away. A venue that does not answer is asked again, and nothing counts as good for it. Cancels and
what shrinks a position are never in its way.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from trading import audit
from trading.connections import exchange_for
from trading.domain.actors import Actor, system_actor
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import LeviError
from trading.domain.outcomes import KeyRights
from trading.models import Credential, ExchangeAccount, HaltState
from trading.queries.key_rights import KEY_ANSWER_HOLDS, key_faults
from trading.queries.watched_accounts import watched_accounts

from .halts import engage

log = logging.getLogger(__name__)
ACTOR = system_actor("key-rights")
TRIGGER = "key_rights"
_EVERY = timedelta(hours=24)
_RETRY = timedelta(hours=6)
# So many bells in one slot: after a long stop the venues are not asked for all keys at once.
AT_ONCE = 20


def due_keys(now: datetime | None = None) -> list[UUID]:
    """The accounts whose key should be asked about now; those that waited longest first."""
    now = now or timezone.now()
    never, last = Q(credential__rights_checked_at=None), Q(credential__rights_checked_at__lte=now - _EVERY)
    rested = Q(credential__rights_asked_at=None) | Q(credential__rights_asked_at__lte=now - _RETRY)
    answered = Q(credential__rights_error="")
    rows = watched_accounts().filter(never | last, rested | answered, credential__isnull=False)
    return list(rows.order_by("credential__rights_checked_at", "name").values_list("pk", flat=True)[:AT_ONCE])


def check_key(account_id: UUID) -> None:
    """The periodic look. A message that comes twice asks twice, and changes nothing."""
    account = ExchangeAccount.objects.filter(pk=account_id, credential__isnull=False).first()
    if account is None:
        return
    try:
        ask_rights(account, actor=ACTOR)
    except LeviError as error:
        log.warning("the rights of the key of %s are not known: %s", account.name, error)


def ask_rights(account: ExchangeAccount, *, actor: Actor) -> dict[str, Any]:
    """What the key may do, written down with its entry. Raises LeviError, which is written down too."""
    key = Credential.objects.filter(account=account).first()
    try:
        rights = exchange_for(account).fetch_key_rights()
    except LeviError as error:
        if key is not None:
            _store_failure(account, key, str(error), actor)
        raise
    assert key is not None  # without one there was no line to ask over
    record = rights_record(rights)
    known = key.rights or {}
    record["was_bound"] = bool(record["addresses"]) or bool(known.get("was_bound"))
    record["restricted_for"] = _restrict(account, record["dangerous"], known.get("restricted_for", []))
    _store_answer(account, key, record, actor)
    return record


def rights_record(rights: KeyRights) -> dict[str, Any]:
    return {
        "rights": list(rights.rights),
        "can_trade": rights.can_trade,
        "can_read": rights.can_read,
        "dangerous": list(rights.dangerous),
        "addresses": list(rights.address_list),
        "days_left": rights.days_left,
    }


def _restrict(account: ExchangeAccount, dangerous: list[str], answered_for: list[str]) -> list[str]:
    """Nothing new is opened where the money may be taken away. Returns the rights that were answered."""
    if not set(dangerous) <= set(answered_for):
        state = HaltState.objects.filter(scope=HaltScope.ACCOUNT, target=account.name).first()
        if state is None or TradingState(state.state).restriction < TradingState.REDUCING.restriction:
            engage(
                HaltScope.ACCOUNT,
                account.name,
                state=TradingState.REDUCING,
                reason=f"the venue's key may do what a trading key must not: {', '.join(dangerous)}",
                actor=ACTOR,
                trigger=TRIGGER,
                cancel=None,
            )
    return dangerous


def _store_answer(account: ExchangeAccount, key: Credential, record: dict[str, Any], actor: Actor) -> None:
    faults = key_faults(record, account.environment)
    now = timezone.now()
    with transaction.atomic(durable=True):
        still = Credential.objects.filter(account=account, replaced_at=key.replaced_at)
        if still.update(rights=record, rights_checked_at=now, rights_asked_at=now, rights_error=""):
            audit.record(
                "credential.checked",
                actor=actor,
                object_type="account",
                object_id=account.id,
                data={
                    "account": account.name,
                    "key_hint": key.key_hint,
                    **record,
                    "faults": [[fault.code, fault.severity, fault.words] for fault in faults],
                },
            )


def _store_failure(account: ExchangeAccount, key: Credential, error: str, actor: Actor) -> None:
    now, last = timezone.now(), key.rights_checked_at
    with transaction.atomic(durable=True):
        still = Credential.objects.filter(account=account, replaced_at=key.replaced_at)
        if still.update(rights_asked_at=now, rights_error=error[:500] or "no reason given"):
            audit.record(
                "credential.unanswered",
                actor=actor,
                object_type="account",
                object_id=account.id,
                data={
                    "account": account.name,
                    "key_hint": key.key_hint,
                    "error": error[:300],
                    "known_since": last,
                    "is_overdue": now - (last or key.replaced_at) > KEY_ANSWER_HOLDS,
                },
            )
