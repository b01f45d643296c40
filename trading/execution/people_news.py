"""What is told of people: their rights, their second factors, and who came in or was locked out."""

from __future__ import annotations

from django.conf import settings

from trading.domain.enums import Severity, TradingMode
from trading.models import AuditEntry

from .news import News


def factor_removed(entry: AuditEntry) -> News:
    name, reason = entry.data["username"], entry.data["reason"]
    return News(Severity.WARNING, f"The second factor of {name} was removed", f"{reason}\nBy {entry.actor}.")


def locked_out(entry: AuditEntry) -> News:
    name, address = entry.data.get("username", "somebody unknown"), entry.data["address"]
    text = "Five wrong passwords. Sessions that are open go on; stopping works."
    return News(
        Severity.WARNING, f"Sign-in of {name} is locked from {address}", text, f"locked {name} {address}|"
    )


def superuser_in(entry: AuditEntry) -> News | None:
    """Roles do not bind a superuser: outside of paper mode nobody should work as one."""
    if not entry.data.get("is_superuser") or settings.LEVI_MODE == TradingMode.PAPER:
        return None
    address = entry.data["address"] or "an unknown address"
    text = "Every right, whatever its roles. If that was nobody of yours, end the session and change the password."
    return News(Severity.WARNING, f"The superuser {entry.actor} signed in from {address}", text)


def operator_made(entry: AuditEntry) -> News:
    data = entry.data.get("after", entry.data)
    roles = ", ".join(data.get("roles", ())) or "no role"
    name = data.get("username") or data.get("name", "")
    return News(
        Severity.INFO, f"New operator {name}: {roles}", f"By {entry.data.get('invited_by', entry.actor)}."
    )


def rights_changed(entry: AuditEntry) -> News | None:
    before, after = entry.data["before"], entry.data["after"]
    if before.get("roles") == after["roles"] and before.get("is_superuser") == after["is_superuser"]:
        return None
    roles = ", ".join(after["roles"]) or "no role"
    return News(
        Severity.WARNING, f"Operator {after['username']} has new roles: {roles}", f"By {entry.actor}."
    )
