"""Changing the risk limits: a new version with before and after in the audit trail. Versions are never edited.

One change at a time, built on what is in force without the overrides, so that two changes at once lose neither; who
names the version seen is refused if somebody came first. What would allow more than now, or more than will hold when an
override has run out, needs a second person where `needs_second_person("limits")` says so; what tightens never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction

from trading import audit
from trading.domain.actors import Actor
from trading.domain.enums import ApprovalKind, HaltScope
from trading.domain.errors import InvalidInput, StaleDecision, UnknownName
from trading.domain.money import exact, plain
from trading.locking import lock_limits
from trading.models import ApprovalRequest, ExchangeAccount, Instrument, LimitsVersion, Strategy
from trading.queries.limits import lasting_limits, limits_in_force, newest_version, versions_in_force
from trading.risk.limit_fields import ALWAYS_SET, loosened
from trading.risk.limit_fields import FIELDS as TABLE

from .authority import demand_fresh_factor, use_approval

FIELDS = LimitsVersion.LIMIT_FIELDS
# An override is for an incident or an event; what holds longer is a version of its own.
LONGEST_OVERRIDE_DAYS = 31


@dataclass(frozen=True, slots=True)
class LimitsChange:
    """What somebody wants: `changes` on top of a scope's lasting limits. `seen_version`: the newest they looked at."""

    changes: Mapping[str, Any]
    scope: HaltScope = HaltScope.EVERYTHING
    target: str = ""
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    seen_version: int | None = None

    def as_payload(self) -> dict[str, Any]:
        """As a second person approves it; two writings of one number are one change."""
        values = {
            name: plain(value) if isinstance(value, Decimal) else value
            for name, value in parse_changes(self).items()
        }
        return {
            "scope": self.scope.value,
            "target": self.target,
            "changes": values,
            "effective_at": self.effective_at.isoformat() if self.effective_at else None,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "seen_version": self.seen_version,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> LimitsChange:
        def instant(name: str) -> datetime | None:
            return datetime.fromisoformat(payload[name]) if payload[name] else None

        return cls(
            payload["changes"],
            HaltScope(payload["scope"]),
            payload["target"],
            instant("effective_at"),
            instant("expires_at"),
            payload["seen_version"],
        )


def limits_record(limits: LimitsVersion | None) -> dict[str, Any]:
    """The limits as plain JSON: numbers as text, None for "no limit"."""
    if limits is None:
        return {}
    values = {name: getattr(limits, name) for name in FIELDS}
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def change_limits(changes: Mapping[str, Any], *, reason: str, actor: Actor, **more: Any) -> LimitsVersion:
    """Write a version; `more` as in LimitsChange. Raises what `write_version` raises."""
    return write_version(LimitsChange(changes, **more), reason=reason, actor=actor)


def write_version(
    wanted: LimitsChange, *, reason: str, actor: Actor, approval: ApprovalRequest | None = None
) -> LimitsVersion:
    """Raises InvalidInput naming field and remedy, StaleDecision, and NotAllowed where a second person is missing."""
    reason = read_reason(reason)
    parsed = parse_changes(wanted)
    with transaction.atomic(durable=True):
        lock_limits()
        _refuse_stale(wanted)
        before = limits_in_force(wanted.scope, wanted.target)
        row = _draft(wanted, parsed)
        row.reason, row.actor = reason, str(actor)
        row.approved_by = approval.decided_by if approval else ""
        _validate(row)
        loosens = _loosened_by(row, before)
        if approval is None and loosens and before is not None:  # with one, its author proved the factor
            demand_fresh_factor(actor, "limits that allow more")
        if approval is not None or (loosens and before is not None):
            use_approval(ApprovalKind.LIMITS, wanted.as_payload(), approval)
        row.save(force_insert=True)
        audit.record(
            "limits.changed",
            actor=actor,
            object_type="limits",
            object_id=row.version,
            data={
                "scope": row.scope,
                "target": row.target,
                "before": limits_record(before),
                "after": limits_record(row),
                "before_version": before.version if before else None,
                "effective_at": row.effective_at,
                "expires_at": row.expires_at,
                "approved_by": row.approved_by,
                "loosens": loosens,
                "reason": reason,
            },
        )
    return row


def preview_change(wanted: LimitsChange) -> tuple[LimitsVersion | None, LimitsVersion, list[str]]:
    """What is in force, what would be, and the names of the limits that would be loosened. Writes nothing."""
    parsed = parse_changes(wanted)
    _refuse_stale(wanted)
    before, after = limits_in_force(wanted.scope, wanted.target), _draft(wanted, parsed)
    after.reason = after.actor = "preview"
    _validate(after)
    return before, after, _loosened_by(after, before)


def _loosened_by(row: LimitsVersion, before: LimitsVersion | None) -> list[str]:
    """The limits that would be looser than now, than what would hold when `row` begins or, where it outlasts an
    override that is in force now, than what holds after that: what two people allowed for an hour one cannot make last.
    """
    references = [before, _holding_at(row)] if before else []
    if before and before.expires_at and (row.expires_at is None or row.expires_at > before.expires_at):
        references.append(lasting_limits(HaltScope(before.scope), before.target))
    looser = {name for one in references if one for name in loosened(_values(one), _values(row))}
    return [name for name in FIELDS if name in looser]


def _holding_at(row: LimitsVersion) -> LimitsVersion | None:
    """What would hold when `row` begins, without it."""
    scope = HaltScope(row.scope)
    if row.effective_at <= database_now():
        return limits_in_force(scope, row.target)
    return versions_in_force(row.effective_at).filter(scope=scope, target=row.target).first()


def read_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise InvalidInput(
            "A change of limits needs a reason.", remedy="Say why, in a sentence.", field="reason"
        )
    return reason[:300]


def parse_changes(wanted: LimitsChange) -> dict[str, Any]:
    """The typed values. Raises InvalidInput for what is unknown, unreadable, or not for this scope."""
    _check_scope(wanted.scope, wanted.target)
    unknown = [name for name in wanted.changes if name not in FIELDS]
    if unknown:
        raise InvalidInput(
            f"Unknown limit {unknown[0]!r}.",
            remedy=f"Known limits: {', '.join(FIELDS)}.",
            field=str(unknown[0]),
        )
    parsed = {name: _parse(name, value, wanted.scope) for name, value in wanted.changes.items()}
    for name, value in parsed.items():
        if value is not None and wanted.scope not in TABLE[name].scopes:
            raise InvalidInput(
                f"{name} cannot be set for one {wanted.scope}.",
                remedy=f"Set it for {' or '.join(TABLE[name].scopes)}.",
                field=name,
            )
    return parsed


def _check_scope(scope: HaltScope, target: str) -> None:
    names: dict[HaltScope, models.QuerySet[Any]] = {
        HaltScope.ACCOUNT: ExchangeAccount.objects.filter(name=target),
        HaltScope.STRATEGY: Strategy.objects.filter(name=target),
        HaltScope.INSTRUMENT: Instrument.objects.filter(symbol=target),
    }
    if scope is HaltScope.EVERYTHING:
        if target:
            raise InvalidInput("The scope everything takes no target.", field="target")
    elif not names[scope].exists():
        raise UnknownName(
            f"There is no {scope} {target!r}.",
            remedy="Name an account, a strategy or a symbol that exists.",
            code=f"unknown_{scope}",
            field="target",
        )


def _refuse_stale(wanted: LimitsChange) -> None:
    """The newest version is what somebody must have seen: also one that waits for its time, which theirs would void."""
    newest = newest_version(wanted.scope, wanted.target)
    number = newest.version if newest else 0
    if wanted.seen_version is None:
        if newest is not None and wanted.expires_at is None and (why := _what_it_would_void(newest)):
            raise StaleDecision(
                f"Version {number} {why}; a newer one would void it.",
                remedy=f"Look at it, then send seen_version={number}; or make a temporary override.",
                code="would_void_version",
                seen_version=number,
            )
    elif wanted.seen_version != number:
        raise StaleDecision(
            f"Somebody wrote version {number} since you looked.",
            remedy="Look at what is in force now, then decide again.",
            seen_version=wanted.seen_version,
        )


def _what_it_would_void(newest: LimitsVersion) -> str:
    now = database_now()
    if newest.effective_at > now:
        return f"waits for {newest.effective_at:%Y-%m-%d %H:%M} UTC"
    if newest.expires_at is not None and newest.expires_at > now:
        return f"is an override until {newest.expires_at:%Y-%m-%d %H:%M} UTC"
    return ""


def database_now() -> datetime:
    """The clock by which versions come into force and run out, whichever host asks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


def _draft(wanted: LimitsChange, parsed: Mapping[str, Any]) -> LimitsVersion:
    """An override builds on what is in force when it begins, a lasting version on the lasting one: an override must
    never last."""
    scope, target, now = wanted.scope, wanted.target, database_now()
    row = LimitsVersion(scope=scope, target=target, effective_at=wanted.effective_at or now)
    base = lasting_limits(scope, target) if wanted.expires_at is None else _holding_at(row)
    if scope is not HaltScope.EVERYTHING:
        for name in ALWAYS_SET:
            setattr(row, name, None)  # left to the widest scope unless set here
    for name in FIELDS if base else ():
        setattr(row, name, getattr(base, name))
    for name, value in parsed.items():
        setattr(row, name, value)
    row.expires_at = wanted.expires_at
    _check_times(wanted, now)
    return row


def _check_times(wanted: LimitsChange, now: datetime) -> None:
    begins = wanted.effective_at or now
    if wanted.effective_at is not None and wanted.effective_at < now:
        raise InvalidInput(
            "A version cannot come into force in the past.",
            remedy="Leave effective_at out for now, or name a later time.",
            field="effective_at",
        )
    if wanted.expires_at is None:
        return
    if wanted.expires_at <= begins:
        raise InvalidInput("An override must end after it begins.", field="expires_at")
    if (wanted.expires_at - begins).days >= LONGEST_OVERRIDE_DAYS:
        raise InvalidInput(
            f"An override ends within {LONGEST_OVERRIDE_DAYS} days.",
            remedy="Name an earlier end, or write a lasting version.",
            field="expires_at",
        )


def _values(row: LimitsVersion | None) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS} if row else {}


def _parse(name: str, value: Any, scope: HaltScope) -> Any:
    field = LimitsVersion._meta.get_field(name)
    if value is None or value == "":
        if name in ALWAYS_SET and scope is HaltScope.EVERYTHING:
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
