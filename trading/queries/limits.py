"""Which risk limits are in force: for everything, for the scopes of one order, now or at any instant before.

The clock is the database's, as for the permit that asks the same again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from trading.domain.enums import HaltScope
from trading.models import LimitsVersion
from trading.risk.facts import LimitsFacts, ScopeUse
from trading.risk.limit_fields import FIELDS

_FACT_FIELDS = tuple(name for name in FIELDS if name in LimitsFacts.__dataclass_fields__)
Scope = tuple[HaltScope, str]
EVERYTHING: Scope = (HaltScope.EVERYTHING, "")


@dataclass(frozen=True, slots=True)
class LimitsSet:
    """The versions that apply to one order, the widest scope first. Without a widest one nothing may be opened."""

    rows: tuple[LimitsVersion, ...]
    strategy: str = ""

    @property
    def widest(self) -> LimitsVersion | None:
        return next((row for row in self.rows if row.scope == HaltScope.EVERYTHING), None)

    @property
    def narrower(self) -> tuple[LimitsVersion, ...]:
        return tuple(row for row in self.rows if row.scope != HaltScope.EVERYTHING)

    @property
    def versions(self) -> list[int]:
        return sorted(row.version for row in self.rows)

    @property
    def sources(self) -> list[dict[str, Any]]:
        return [{"version": row.version, "scope": row.scope, "target": row.target} for row in self.rows]

    def sets(self, name: str) -> bool:
        return any(getattr(row, name) is not None for row in self.rows)

    @property
    def shared_scopes(self) -> list[str]:
        """Scopes that count something over several accounts: decisions on them take turns."""
        shared = [row.scope_name for row in self.rows if row.scope != HaltScope.ACCOUNT and counts(row)]
        if self.strategy and any(counts(row, per_strategy=True) for row in self.rows):
            shared.append(f"{HaltScope.STRATEGY} {self.strategy}")
        return list(dict.fromkeys(shared))


def counts(row: LimitsVersion, *, per_strategy: bool = False) -> bool:
    """Whether the version sets a limit that is measured over its scope, or over the order's strategy."""
    measured = (field for field in FIELDS.values() if (field.per_strategy if per_strategy else field.counts))
    return any(getattr(row, field.name) is not None for field in measured)


def applying_scopes(account: str, symbol: str, strategy: str | None) -> list[Scope]:
    """Every scope whose limits apply to an order."""
    names = [EVERYTHING, (HaltScope.ACCOUNT, account), (HaltScope.INSTRUMENT, symbol)]
    return [*names, (HaltScope.STRATEGY, strategy)] if strategy else names


def versions_in_force(at: datetime | None = None) -> QuerySet[LimitsVersion]:
    """One row per scope that has any: the newest whose time has come and has not run out."""
    instant: Any = Now() if at is None else at
    known = LimitsVersion.objects if at is None else LimitsVersion.objects.filter(created_at__lte=at)
    return (
        known.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=instant), effective_at__lte=instant)
        .order_by("scope", "target", "-version")
        .distinct("scope", "target")
    )


def read_limits(scopes: Iterable[Scope], at: datetime | None = None) -> LimitsSet:
    """The versions of these scopes, in one query."""
    wanted = list(scopes)
    condition = Q()
    for scope, target in wanted:
        condition |= Q(scope=scope, target=target)
    found = {(row.scope, row.target): row for row in versions_in_force(at).filter(condition)}
    strategy = next((target for scope, target in wanted if scope is HaltScope.STRATEGY), "")
    return LimitsSet(tuple(found[scope] for scope in wanted if scope in found), strategy)


def limits_in_force(scope: HaltScope = HaltScope.EVERYTHING, target: str = "") -> LimitsVersion | None:
    """The version of one scope; for everything, None means that nothing may be opened."""
    return versions_in_force().filter(scope=scope, target=target).first()


def lasting_limits(scope: HaltScope, target: str) -> LimitsVersion | None:
    """What a change builds on: the version in force without the overrides, which run out by themselves."""
    return versions_in_force().filter(scope=scope, target=target, expires_at__isnull=True).first()


def newest_version(scope: HaltScope, target: str) -> LimitsVersion | None:
    """The last one written, in force or not."""
    return LimitsVersion.objects.filter(scope=scope, target=target).order_by("-version").first()


def scheduled_versions() -> QuerySet[LimitsVersion]:
    """Written, and waiting for their time."""
    return LimitsVersion.objects.filter(effective_at__gt=Now()).order_by("effective_at", "version")


def as_facts(limits: LimitsVersion | None, use: ScopeUse | None = None) -> LimitsFacts | None:
    if limits is None:
        return None
    values = {name: getattr(limits, name) for name in _FACT_FIELDS}
    if limits.allowed_symbols is not None:
        values["allowed_symbols"] = tuple(limits.allowed_symbols)
    facts = LimitsFacts(version=limits.version, scope=HaltScope(limits.scope), target=limits.target, **values)
    return facts if use is None else replace(facts, use=use)
