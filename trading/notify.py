"""Tells people: one row in the outbox, in the transaction of what it is about.

An INSERT and nothing else: no lock, no network, no bell. The supervisor looks at the outbox twice a second, so that a
dead Redis delays nothing, and a channel that hangs is nowhere near an order or a halt. What is told a second time with
the same key, before somebody acknowledged the first, is counted instead of told (`execution.delivery`).
"""

from __future__ import annotations

from django.utils import timezone

from trading.domain.enums import Severity
from trading.models import Alert

MAX_TEXT = 4000


def notify(event: str, severity: Severity, subject: str, text: str = "", *, dedupe_key: str = "") -> Alert:
    """Write an alert. `event` is family.what, such as halt.engaged; channels choose by it. No key: always told."""
    return Alert.objects.create(
        event=event[:60],
        severity=severity,
        subject=subject[:200],
        text=text[:MAX_TEXT],
        dedupe_key=dedupe_key[:200],
        at=timezone.now(),
    )
