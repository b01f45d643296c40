"""The channels alerts leave by: made, changed and tried by a person. Their addresses come in and never go out again.

A new channel, and one with a new address, is sent a test at once; its page says what came of it. Where alarms go
decides who hears of a theft, so outside paper mode both making and changing one ask for a fresh second factor.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.alert_line import check_address, kind_of
from trading.domain.actors import Actor
from trading.domain.enums import Severity, TradingMode
from trading.domain.errors import InvalidInput
from trading.models import AlertChannel, AlertDelivery
from trading.models.columns import new_id
from trading.vault import key_id, open_text, seal_text

from .authority import demand_fresh_factor

PURPOSE = "alert channel"
MAX_CHANNELS = 50
_EVENT = re.compile(r"[a-z_]{1,30}(\.[a-z_]{1,30})?")


def private_allowed() -> bool:
    """Whether a channel may lead to this machine or into a private network."""
    live = settings.LEVI_CONFIG.live
    return bool(live.alerts_to_private_hosts or settings.LEVI_MODE == TradingMode.PAPER)


def open_address(channel: AlertChannel) -> str | None:
    """None if it was sealed with another encryption key."""
    return open_text(channel.sealed_url, channel.pk, PURPOSE)


def create_channel(
    name: str,
    url: str,
    *,
    min_severity: Severity = Severity.WARNING,
    events: Sequence[str] = (),
    anchors: bool = False,
    actor: Actor,
) -> AlertChannel:
    demand_fresh_factor(actor, "a new alert channel")
    if AlertChannel.objects.count() >= MAX_CHANNELS:
        raise InvalidInput(f"There are {MAX_CHANNELS} channels already.", remedy="Change one of them.")
    channel = AlertChannel(
        id=new_id(), name=name, min_severity=min_severity, events=_check_events(events), anchors=anchors
    )
    _seal(channel, url)
    _validate(channel)
    with transaction.atomic(durable=True):
        channel.save(force_insert=True)
        _record("channel.created", channel, actor)
        _write_test(channel)
    return channel


def change_channel(
    channel: AlertChannel,
    *,
    url: str = "",
    is_enabled: bool | None = None,
    min_severity: Severity | None = None,
    events: Sequence[str] | None = None,
    anchors: bool | None = None,
    actor: Actor,
) -> AlertChannel:
    """What is None, and an empty address, stays as it is."""
    demand_fresh_factor(actor, "a change of an alert channel")
    before = _facts(channel)
    wanted = {"is_enabled": is_enabled, "min_severity": min_severity, "anchors": anchors}
    for field, value in wanted.items():
        if value is not None:
            setattr(channel, field, value)
    if events is not None:
        channel.events = _check_events(events)
    if url.strip():
        _seal(channel, url)
        channel.failures, channel.failing_since, channel.retry_at = 0, None, None
    with transaction.atomic(durable=True):
        fields = ["is_enabled", "min_severity", "anchors", "events"]
        sealed = ["sealed_url", "sealed_with", "url_hint", "failures", "failing_since", "retry_at"]
        channel.save(update_fields=[*fields, *(sealed if url.strip() else [])])
        _record("channel.changed", channel, actor, before=before, new_address=bool(url.strip()))
        if url.strip():
            _write_test(channel)
    return channel


def test_channel(channel: AlertChannel, *, actor: Actor) -> AlertDelivery:
    """Put a test into the outbox; whoever delivers sends it within a moment."""
    with transaction.atomic(durable=True):
        AlertChannel.objects.filter(pk=channel.pk).update(retry_at=None)
        delivery = _write_test(channel)
        _record("channel.tested", channel, actor)
    return delivery


def _write_test(channel: AlertChannel) -> AlertDelivery:
    return AlertDelivery.objects.create(
        channel=channel,
        purpose="test",
        subject=f"Levi ({settings.LEVI_MODE}): a test",
        text=f"Alerts of this installation reach the channel {channel.name}.",
        severity=Severity.INFO,
        created_at=timezone.now(),
    )


def _seal(channel: AlertChannel, url: str) -> None:
    address = check_address(url, private_allowed=private_allowed())
    channel.sealed_url = seal_text(address, channel.pk, PURPOSE)
    channel.sealed_with = key_id()
    channel.url_hint = f"{kind_of(address)}://…"[:40]


def _check_events(events: Sequence[str]) -> list[str]:
    found = [str(event).strip() for event in events if str(event).strip()]
    if wrong := next((event for event in found if not _EVENT.fullmatch(event)), ""):
        raise InvalidInput(
            f"{wrong[:60]!r} is no event.", remedy="Name families or events, such as halt.", field="events"
        )
    return sorted(set(found))


def _facts(channel: AlertChannel) -> dict[str, Any]:
    names = ("name", "url_hint", "is_enabled", "min_severity", "events", "anchors")
    return {name: getattr(channel, name) for name in names}


def _record(kind: str, channel: AlertChannel, actor: Actor, **more: Any) -> None:
    audit.record(
        kind, actor=actor, object_type="channel", object_id=channel.id, data={**_facts(channel), **more}
    )


def _validate(channel: AlertChannel) -> None:
    try:
        channel.full_clean()
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(f"{name}: {messages[0]}", remedy="Correct the value.", field=name) from None
