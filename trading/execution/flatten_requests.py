"""What every door calls to close positions: the flattening itself, or in production the request for a second person.

A halt never waits for it: the engagement stands whatever becomes of the wish to flatten, and the answer says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.domain.actors import Actor
from trading.domain.enums import ApprovalKind
from trading.domain.errors import LeviError
from trading.models import ApprovalRequest, Flattening

from .approvals import act_or_propose
from .flatten import payload_of_scope
from .halts import Engagement


def flatten_or_propose(
    payload: Mapping[str, Any], *, reason: str, actor: Actor
) -> Flattening | ApprovalRequest:
    """Raises what `flatten.flatten` and `approvals.propose` raise."""
    done: Flattening | ApprovalRequest = act_or_propose(
        ApprovalKind.FLATTEN, payload, subject=describe_payload(payload), reason=reason, actor=actor
    )
    return done


def describe_payload(payload: Mapping[str, Any]) -> str:
    """The sentence that the second person reads."""
    what = f"{payload['quantity']} of the position" if payload["quantity"] else "every position"
    where = [f"in {payload['symbol']}"] if payload["symbol"] else []
    where.append(f"on {payload['account']}" if payload["account"] else "on every account")
    return f"Close {what} {' '.join(where)} at the market's price."


def flatten_after(
    engagement: Engagement, *, reason: str, actor: Actor
) -> Flattening | ApprovalRequest | LeviError:
    """The halted scope's positions. A refusal comes back instead of being raised: the halt is done."""
    try:
        payload = payload_of_scope(engagement.scope, engagement.target, engagement.sweep_id)
        return flatten_or_propose(payload, reason=reason, actor=actor)
    except LeviError as error:
        return error
