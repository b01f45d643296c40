"""Changing the risk limits: a new version with before and after in the audit trail. Versions are never edited."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.errors import InvalidInput
from trading.domain.money import exact, plain
from trading.models import Instrument, LimitsVersion
from trading.queries.limits import limits_in_force

FIELDS = LimitsVersion.LIMIT_FIELDS


def limits_record(limits: LimitsVersion | None) -> dict[str, Any]:
    """The limits as plain JSON: numbers as text, None for "no limit"."""
    if limits is None:
        return {}
    values = {name: getattr(limits, name) for name in FIELDS}
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def change_limits(changes: Mapping[str, Any], *, reason: str, actor: Actor) -> LimitsVersion:
    """Write a version with `changes` on top of the one in force. Raises InvalidInput naming field and remedy."""
    reason = reason.strip()
    if not reason:
        raise InvalidInput(
            "A change of limits needs a reason.", remedy="Say why, in a sentence.", field="reason"
        )
    unknown = [name for name in changes if name not in FIELDS]
    if unknown:
        raise InvalidInput(
            f"Unknown limit {unknown[0]!r}.",
            remedy=f"Known limits: {', '.join(FIELDS)}.",
            field=str(unknown[0]),
        )
    parsed = {name: _parse(name, value) for name, value in changes.items()}
    with transaction.atomic(durable=True):
        before = limits_in_force()
        row = LimitsVersion(**{name: getattr(before, name) for name in FIELDS} if before else {})
        for name, value in parsed.items():
            setattr(row, name, value)
        row.effective_at, row.reason, row.actor = timezone.now(), reason[:300], str(actor)
        _validate(row)
        row.save(force_insert=True)
        audit.record(
            "limits.changed",
            actor=actor,
            object_type="limits",
            object_id=row.version,
            data={"before": limits_record(before), "after": limits_record(row), "reason": reason[:300]},
        )
    return row


def _parse(name: str, value: Any) -> Any:
    field = LimitsVersion._meta.get_field(name)
    if value is None or value == "":
        if not field.null:
            raise InvalidInput(f"{name} cannot be empty.", remedy="Give a number.", field=name)
        return None
    if isinstance(field, models.DecimalField):
        return exact(value, field=name)
    if isinstance(field, models.IntegerField):
        number = exact(value, field=name)
        if number != number.to_integral_value() or abs(number) > 1_000_000_000:
            raise InvalidInput(f"{name} must be a whole number.", field=name)
        return int(number)
    return _symbols(name, value)


def _symbols(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(symbol, str) for symbol in value):
        raise InvalidInput(f"{name} must be a list of symbols.", remedy='Such as ["BTC/USDT"].', field=name)
    symbols = sorted({symbol.strip().upper() for symbol in value})
    known = set(Instrument.objects.filter(symbol__in=symbols).values_list("symbol", flat=True))
    missing = [symbol for symbol in symbols if symbol not in known]
    if missing and Instrument.objects.exists():
        raise InvalidInput(
            f"Unknown symbol {missing[0]!r}.", remedy="Use symbols of /api/v1/instruments.", field=name
        )
    return symbols


def _validate(row: LimitsVersion) -> None:
    try:
        row.full_clean(exclude=["actor"])
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(f"{name}: {messages[0]}", remedy="Correct the value.", field=name) from None
