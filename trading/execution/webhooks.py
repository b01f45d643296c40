"""Webhooks: made and revoked like tokens, known by their secret, and what they bring becomes an ordinary signal.

A wrong secret, an address that is not listed and a webhook that is unknown, switched off, revoked or over get one
answer: who guesses learns nothing. The secret is compared in constant time and never reaches what is stored.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor, ActorKind
from trading.domain.enums import OrderOrigin
from trading.domain.errors import InvalidInput, UnknownName
from trading.domain.money import positive
from trading.models import ExchangeAccount, Strategy, Webhook

from .alert_parsing import parse_alert
from .authority import demand_fresh_factor
from .intake import IntakeAnswer, submit
from .tokens import MAX_DAYS, hash_secret, is_listed, read_network

_TOUCH_AFTER = timedelta(minutes=1)
RELATED = ("strategy", "account")


def create_webhook(
    name: str,
    *,
    strategy: str,
    days: int,
    account: str = "",
    quantity: Any = None,
    addresses: Sequence[str] = (),
    actor: Actor,
) -> tuple[Webhook, str]:
    """The row and the plain secret, which is never to be had again. Raises InvalidInput."""
    demand_fresh_factor(actor, "a new webhook")
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise InvalidInput("A webhook needs a name of 1 to 60 characters.", field="name")
    if Webhook.objects.filter(name=name).exists():
        raise InvalidInput(
            f"There is a webhook named {name!r} already.", remedy="Choose another name.", field="name"
        )
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"A webhook lives 1 to {MAX_DAYS} days, not {days}.", field="days")
    secret = secrets.token_urlsafe(32)
    row = Webhook(
        name=name,
        slug=secrets.token_hex(12),
        secret_hash=hash_secret(secret),
        strategy=_find(Strategy, "strategy", strategy),
        account=_find(ExchangeAccount, "account", account) if account else None,
        quantity=positive(quantity, field="quantity") if quantity not in (None, "") else None,
        addresses=[read_network(address) for address in addresses],
        created_by=str(actor),
        expires_at=timezone.now() + timedelta(days=days),
    )
    with transaction.atomic(durable=True):
        row.save(force_insert=True)
        _record("webhook.created", row, actor, days=days, quantity=row.quantity, addresses=row.addresses)
    return row, secret


def _find(model: Any, field: str, name: str) -> Any:
    row = model.objects.filter(name=name).first()
    if row is None:
        raise UnknownName(f"Unknown {field} {name!r}.", code=f"unknown_{field}", field=field)
    return row


def replace_secret(webhook_id: UUID, *, actor: Actor) -> tuple[Webhook, str]:
    """Another secret; the one before is good for nothing from now on."""
    demand_fresh_factor(actor, "a webhook's new secret")
    secret = secrets.token_urlsafe(32)
    return _change(webhook_id, "webhook.secret_replaced", actor, secret_hash=hash_secret(secret)), secret


def set_webhook_enabled(webhook_id: UUID, is_enabled: bool, *, actor: Actor) -> Webhook:
    kind = "webhook.enabled" if is_enabled else "webhook.disabled"
    return _change(webhook_id, kind, actor, is_enabled=is_enabled)


def revoke_webhook(webhook_id: UUID, *, actor: Actor) -> Webhook:
    return _change(webhook_id, "webhook.revoked", actor, revoked_at=timezone.now())


def _change(webhook_id: UUID, kind: str, actor: Actor, **fields: Any) -> Webhook:
    with transaction.atomic(durable=True):
        row = Webhook.objects.select_related(*RELATED).filter(pk=webhook_id).first()
        if row is None:
            raise UnknownName(f"There is no webhook {webhook_id}.", code="unknown_webhook")
        if row.revoked_at is not None:
            raise InvalidInput(
                f"{row.name} is revoked.", remedy="Make a new webhook.", code="webhook_is_revoked"
            )
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(update_fields=list(fields))
        _record(kind, row, actor)
    return row


def _record(kind: str, row: Webhook, actor: Actor, **more: Any) -> None:
    data = {
        "name": row.name,
        "strategy": row.strategy.name,
        "account": row.account.name if row.account else "",
    }
    audit.record(kind, actor=actor, object_type="webhook", object_id=row.id, data={**data, **more})


def authenticate_webhook(slug: str, secret: str, address: str) -> Webhook:
    """Raises UnknownName, which never tells what was wrong."""
    row = Webhook.objects.select_related(*RELATED).filter(slug=slug[:24]).first()
    is_right = hmac.compare_digest(hash_secret(secret), row.secret_hash if row else hash_secret(""))
    now = timezone.now()
    if row is None or not secret or not is_right or not _is_open(row, address, now):
        raise UnknownName(
            "There is no webhook here for this secret.",
            remedy="Check address and secret; the panel says whether it is switched off, over or bound to addresses.",
            code="unknown_webhook",
        )
    if row.last_used_at is None or now - row.last_used_at > _TOUCH_AFTER:
        Webhook.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def _is_open(row: Webhook, address: str, now: Any) -> bool:
    if row.revoked_at is not None or not row.is_enabled or row.expires_at <= now:
        return False
    return not row.addresses or is_listed(address, row.addresses)


def take_alert(row: Webhook, payload: Mapping[str, Any], *, request_id: str) -> IntakeAnswer:
    """A signal of the webhook's strategy on its account. `payload` comes without the secret. Raises InvalidInput."""
    alert = parse_alert(payload, quantity=row.quantity)
    body = {**alert.body, "strategy": row.strategy.name}
    if row.account is not None:
        body["account"] = row.account.name
    actor = Actor(ActorKind.WEBHOOK, row.name, request_id)
    return submit(body, actor=actor, key=alert.key, origin=OrderOrigin.SIGNAL)
