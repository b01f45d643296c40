"""API tokens: made once, shown once, stored as a hash, checked in constant time.

A token reads `levi.<lookup>.<secret>`: the lookup finds the row, the 256-bit secret proves it. SHA-256 without salt is
enough for a secret of that length.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.errors import InvalidInput, NotAllowed, UnknownName
from trading.models import ApiToken

from .authority import demand_fresh_factor

MAX_DAYS = 365
_TOUCH_AFTER = timedelta(minutes=1)


def create_token(
    name: str, roles: Sequence[str], *, days: int, addresses: Sequence[str] = (), actor: Actor
) -> tuple[ApiToken, str]:
    """The row and the plain token, which is never to be had again. Raises InvalidInput."""
    demand_fresh_factor(actor, "a new token")
    name = name.strip()
    if not name or len(name) > 60:
        raise InvalidInput("A token needs a name of 1 to 60 characters.", field="name")
    if ApiToken.objects.filter(name=name).exists():
        raise InvalidInput(
            f"There is a token named {name!r} already.", remedy="Choose another name.", field="name"
        )
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"A token lives 1 to {MAX_DAYS} days, not {days}.", field="days")
    groups = list(Group.objects.filter(name__in=roles))
    if not roles or len(groups) != len(set(roles)):
        raise InvalidInput("Unknown role.", remedy="Use viewer, trader, risk or admin.", field="roles")
    networks = [read_network(address) for address in addresses]
    lookup, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    with transaction.atomic(durable=True):
        token = ApiToken.objects.create(
            name=name,
            lookup=lookup,
            secret_hash=hash_secret(secret),
            addresses=networks,
            created_by=str(actor),
            expires_at=timezone.now() + timedelta(days=days),
        )
        token.roles.set(groups)
        audit.record(
            "token.created",
            actor=actor,
            object_type="token",
            object_id=token.id,
            data={"name": name, "roles": sorted(roles), "days": days, "addresses": networks},
        )
    return token, f"levi.{lookup}.{secret}"


def revoke_token(token_id: UUID, *, actor: Actor) -> ApiToken:
    with transaction.atomic(durable=True):
        token = ApiToken.objects.filter(pk=token_id).first()
        if token is None:
            raise UnknownName(f"There is no token {token_id}.", code="unknown_token")
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            audit.record(
                "token.revoked",
                actor=actor,
                object_type="token",
                object_id=token.id,
                data={"name": token.name},
            )
    return token


def authenticate_token(plain: str, address: str) -> ApiToken:
    """The token's row. Raises NotAllowed; the text never tells whether a lookup exists."""
    parts = plain.split(".")
    found = None
    if len(parts) == 3 and parts[0] == "levi":
        found = ApiToken.objects.prefetch_related("roles").filter(lookup=parts[1][:24]).first()
    stored = found.secret_hash if found else hash_secret("")
    if not hmac.compare_digest(hash_secret(parts[-1]), stored) or found is None:
        raise NotAllowed(
            "The API token is not valid.", remedy="Check the Authorization header.", code="invalid_token"
        )
    now = timezone.now()
    if found.revoked_at is not None:
        raise NotAllowed("The API token was revoked.", remedy="Ask for a new one.", code="revoked_token")
    if found.expires_at <= now:
        raise NotAllowed("The API token has expired.", remedy="Ask for a new one.", code="expired_token")
    if found.addresses and not is_listed(address, found.addresses):
        raise NotAllowed("The API token may not be used from this address.", code="address_not_allowed")
    if found.last_used_at is None or now - found.last_used_at > _TOUCH_AFTER:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def hash_secret(secret: str) -> str:
    """Good for secrets that nobody chose: they are too long to be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_network(address: str) -> str:
    """Raises InvalidInput."""
    try:
        return str(ipaddress.ip_network(address.strip(), strict=False))
    except ValueError:
        raise InvalidInput(
            f"{address!r} is no address or network.",
            remedy="Use forms like 10.0.0.5 or 10.0.0.0/24.",
            field="addresses",
        ) from None


def is_listed(address: str, networks: Sequence[str]) -> bool:
    try:
        candidate = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(candidate in ipaddress.ip_network(network) for network in networks)
