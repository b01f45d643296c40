"""One row in each table of the door: an approval that waits, an invitation, a second factor."""

from __future__ import annotations

from django.contrib.auth.models import User

from tests.authenticators import Authenticator
from trading.domain.actors import Actor
from trading.domain.enums import HaltScope
from trading.execution.approvals import propose
from trading.execution.halts import release_payload
from trading.execution.operators import invite
from trading.models import ApprovalRequest, HaltState
from trading.queries.halts import current_epoch


def fill_the_door(actor: Actor) -> None:
    invite("newcomer", ["viewer"], actor=actor)
    ask_for_release(actor)
    owner, _is_new = User.objects.get_or_create(username="owner-of-a-phone", is_staff=True)
    Authenticator.of(owner)


def ask_for_release(actor: Actor, symbol: str = "SOL/USDT") -> ApprovalRequest:
    HaltState.objects.filter(scope="instrument", target=symbol).update(state="halted", reason="odd prices")
    return propose(
        "release",
        release_payload(HaltScope.INSTRUMENT, symbol, current_epoch()),
        subject=f"Release instrument {symbol}: new orders may be sent again.",
        reason="books agree, cause found",
        actor=actor,
    )
