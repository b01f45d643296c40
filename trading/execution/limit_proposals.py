"""The door to a change of limits: done at once where it may be, else put before a second person.

What only tightens is never held up. A proposal is bound to the version it was made on: another change in between makes
it stale.
"""

from __future__ import annotations

from dataclasses import replace

from trading.domain.actors import Actor
from trading.domain.enums import ApprovalKind
from trading.models import ApprovalRequest, LimitsVersion
from trading.queries.limits import newest_version

from .approvals import propose
from .authority import needs_second_person
from .limit_changes import LimitsChange, preview_change, read_reason, write_version


def change_or_propose(wanted: LimitsChange, *, reason: str, actor: Actor) -> LimitsVersion | ApprovalRequest:
    """The version that was written, or the request that waits for a second person. Raises as `write_version` does."""
    before, after, loosens = preview_change(wanted)
    if before is None or not loosens or not needs_second_person(ApprovalKind.LIMITS):
        return write_version(wanted, reason=reason, actor=actor)
    newest = newest_version(wanted.scope, wanted.target)
    bound = replace(wanted, seen_version=newest.version if newest else 0)
    names = ", ".join(loosens)
    until = f" until {after.expires_at:%Y-%m-%d %H:%M} UTC" if after.expires_at else ""
    return propose(
        ApprovalKind.LIMITS,
        bound.as_payload(),
        subject=f"Loosen {names} for {after.scope_name}{until}",
        reason=read_reason(reason),
        actor=actor,
    )
