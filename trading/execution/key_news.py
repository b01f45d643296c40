"""What is told of venue keys: a fault that the venue's answer shows, and a venue that has not answered for days."""

from __future__ import annotations

from trading.domain.enums import Severity
from trading.models import AuditEntry

from .news import News


def key_prefix(entry: AuditEntry) -> str:
    """Of every alert about the key of this account."""
    return f"key {entry.object_id}|"


def key_checked(entry: AuditEntry) -> News | None:
    faults = entry.data["faults"]
    if not faults:
        return None
    severities = {severity for _code, severity, _words in faults}
    worst = Severity.CRITICAL if Severity.CRITICAL in severities else Severity.WARNING
    name, hint = entry.data["account"], entry.data["key_hint"]
    lines = [f"{words[:1].upper()}{words[1:]}." for _code, _severity, words in faults]
    lines.append("Change the key at the venue, or store another one, and test the connection.")
    codes = ",".join(code for code, _severity, _words in faults)
    return News(
        worst, f"The key …{hint} of {name} is not as it must be", "\n".join(lines), key_prefix(entry) + codes
    )


def key_unanswered(entry: AuditEntry) -> News | None:
    """A venue that is away for an hour is no news."""
    if not entry.data["is_overdue"]:
        return None
    since = entry.data["known_since"] or "never"
    return News(
        Severity.WARNING,
        f"What the key …{entry.data['key_hint']} of {entry.data['account']} may do is not known",
        f"The venue does not say: {entry.data['error']}\nIt last said so: {since}.",
        key_prefix(entry) + "unknown",
    )
