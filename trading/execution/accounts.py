"""Exchange accounts and strategies: creating them, their keys, switching them on and off.

Credentials go in and are never given back. Every scope gets its halt state with its row, because a scope without one
counts as halted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from trading import audit
from trading.connections import public_exchange
from trading.domain.actors import Actor, system_actor
from trading.domain.enums import Environment, HaltScope, TradingMode, TradingState, VenueName
from trading.domain.errors import InvalidInput, LeviError, UnknownName
from trading.doorbell import ring
from trading.exchanges.base import Credentials
from trading.exchanges.venues import check_base_url
from trading.models import Credential, ExchangeAccount, HaltState, Strategy
from trading.vault import seal_credentials

from .authority import demand_fresh_factor
from .key_rights import ask_rights


def create_account(
    name: str,
    *,
    venue: VenueName,
    environment: Environment,
    mode: TradingMode,
    base_url: str,
    is_default: bool = False,
    rate_limit_rps: Any = None,
    actor: Actor,
) -> ExchangeAccount:
    """Raises InvalidInput for a wrong name or combination, ConfigurationError for an address that is not allowed."""
    demand_fresh_factor(actor, "a new account with its address")
    check_base_url(venue, environment, base_url)
    with transaction.atomic(durable=True):
        account = ExchangeAccount(
            name=name,
            venue=venue,
            environment=environment,
            mode=mode,
            base_url=base_url.rstrip("/"),
            is_default=is_default,
            rate_limit_rps=rate_limit_rps,
        )
        _validate(account)
        account.save(force_insert=True)
        _give_state(HaltScope.ACCOUNT, name, actor=actor)
        audit.record(
            "account.created",
            actor=actor,
            object_type="account",
            object_id=account.id,
            data={
                "name": name,
                "venue": venue,
                "environment": environment,
                "mode": mode,
                "base_url": base_url,
            },
        )
    return account


def store_credentials(account: ExchangeAccount, key: str, secret: str, *, actor: Actor) -> Credential:
    """Replace the account's API key. The plain values are sealed here and kept nowhere."""
    demand_fresh_factor(actor, "a change of a venue's key")
    key, secret = key.strip(), secret.strip()
    for field, value in (("key", key), ("secret", secret)):
        if not 8 <= len(value) <= 512 or not value.isprintable() or " " in value:
            raise InvalidInput(
                f"The API {field} does not look like one.", remedy="Copy it again.", field=field
            )
    with transaction.atomic(durable=True):
        row = seal_credentials(account, Credentials(key, secret))
        row.save()
        audit.record(
            "credential.stored",
            actor=actor,
            object_type="account",
            object_id=account.id,
            data={"account": account.name, "key_hint": row.key_hint},
        )
        ring("check_key", account.pk)
    return row


def set_account_enabled(
    account: ExchangeAccount, enabled: bool, *, actor: Actor, reason: str
) -> ExchangeAccount:
    with transaction.atomic(durable=True):
        ExchangeAccount.objects.filter(pk=account.pk).update(is_enabled=enabled)
        audit.record(
            "account.enabled" if enabled else "account.disabled",
            actor=actor,
            object_type="account",
            object_id=account.id,
            data={
                "name": account.name,
                "before": account.is_enabled,
                "after": enabled,
                "reason": reason[:300],
            },
        )
    account.is_enabled = enabled
    return account


def set_rate_limit(
    account: ExchangeAccount, rate_limit_rps: Decimal | None, *, actor: Actor
) -> ExchangeAccount:
    """How many new orders a second the account may send; None: as configured. Cancels are never slowed down."""
    before = account.rate_limit_rps
    account.rate_limit_rps = rate_limit_rps
    _validate(account)
    with transaction.atomic(durable=True):
        account.save(update_fields=["rate_limit_rps"])
        audit.record(
            "account.rate_limit_changed",
            actor=actor,
            object_type="account",
            object_id=account.id,
            data={"name": account.name, "before": before, "after": rate_limit_rps},
        )
    return account


def check_connection(account_id: UUID, *, actor: Actor) -> dict[str, Any]:
    """Ask the venue for its clock and for the key's rights; says plainly what works and what is dangerous."""
    account = ExchangeAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise UnknownName(f"There is no account {account_id}.", code="unknown_account")
    result: dict[str, Any] = {"account": account.name, "reachable": False, "key": None, "error": None}
    try:
        result["clock_offset_ms"] = round(public_exchange(account).sync_clock())
        result["reachable"] = True
        return {**result, "key": ask_rights(account, actor=actor)}
    except LeviError as error:
        return {**result, "error": str(error)}


def create_strategy(name: str, description: str = "", *, actor: Actor) -> Strategy:
    with transaction.atomic(durable=True):
        strategy = Strategy(name=name.strip().lower(), description=description.strip())
        _validate(strategy)
        strategy.save(force_insert=True)
        _give_state(HaltScope.STRATEGY, strategy.name, actor=actor)
        audit.record(
            "strategy.created",
            actor=actor,
            object_type="strategy",
            object_id=strategy.id,
            data={"name": strategy.name, "description": strategy.description},
        )
    return strategy


def set_strategy_enabled(strategy: Strategy, enabled: bool, *, actor: Actor) -> Strategy:
    with transaction.atomic(durable=True):
        since = {"enabled_at": timezone.now()} if enabled else {}
        Strategy.objects.filter(pk=strategy.pk).update(is_enabled=enabled, **since)
        audit.record(
            "strategy.enabled" if enabled else "strategy.disabled",
            actor=actor,
            object_type="strategy",
            object_id=strategy.id,
            data={"name": strategy.name, "before": strategy.is_enabled, "after": enabled},
        )
    strategy.is_enabled = enabled
    return strategy


def trip_strategy(strategy: Strategy) -> None:
    """Disable a strategy that made as many orders as it may, in the caller's transaction, until a person enables it."""
    if Strategy.objects.filter(pk=strategy.pk, is_enabled=True).update(is_enabled=False):
        audit.record(
            "strategy.tripped",
            actor=system_actor("limits"),
            object_type="strategy",
            object_id=strategy.id,
            data={"name": strategy.name, "before": True, "after": False, "limit": "max_repeated_executions"},
        )


def _give_state(scope: HaltScope, target: str, *, actor: Actor) -> None:
    HaltState.objects.get_or_create(
        scope=scope,
        target=target,
        defaults={
            "state": TradingState.ACTIVE,
            "since": timezone.now(),
            "actor": str(actor),
            "trigger": "registration",
        },
    )


def _validate(row: models.Model) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(f"{name}: {messages[0]}", remedy="Correct the value.", field=name) from None
