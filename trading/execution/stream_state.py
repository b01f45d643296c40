"""The row of an account's private stream: who listens, in which state, confirmed when.

One listener per account over all hosts, by a lease that is renewed with every confirmation; the clock of the lease is
the database's. Who has lost it may write nothing any more. Leaving or reaching `live` has its audit entry in the same
commit; the steps in between are repeated every few seconds while a venue is away and have none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.domain.errors import LeviError
from trading.models import AccountStream, ExchangeAccount, Heartbeat, StreamState
from trading.process_name import has_ended, process_name

ACTOR = system_actor("streams")
# Longer than a host that hangs can hold an attempt to open the stream.
LEASE = timedelta(seconds=20)
_REASON = 300
_END_OF_ANOTHER = "its listener ended without a word"


class NotListening(LeviError):
    """Another process has the lease of this stream, or the account is gone."""

    code = "not_listening"


def take_stream(account_id: UUID) -> bool:
    """Whether this process is the account's listener from now on. At once where the last one is known to have ended."""
    if not ExchangeAccount.objects.filter(pk=account_id).exists():
        return False
    now = timezone.now()
    AccountStream.objects.get_or_create(account_id=account_id, defaults={"since": now, "created_at": now})
    mine = AccountStream.objects.filter(pk=account_id)
    free = Q(process=process_name()) | Q(leased_until__isnull=True) | Q(leased_until__lt=Now())
    lease = {"process": process_name(), "leased_until": Now() + LEASE}
    if mine.filter(free).update(**lease):
        return True
    holder = mine.values_list("process", flat=True).first() or ""
    identity = Heartbeat.objects.filter(process=holder).values_list("identity", flat=True).first()
    return bool(identity and has_ended(holder, identity) and mine.filter(process=holder).update(**lease))


def enter_state(account_id: UUID, state: StreamState, reason: str = "", *, is_gap: bool = False) -> None:
    """Why it is not live is kept until it is. `is_gap`: left because a fill was never told of. Raises NotListening."""
    with transaction.atomic(durable=True):
        row = AccountStream.objects.select_related("account").filter(**_mine(account_id)).first()
        if row is None:
            raise _taken()
        now, was_live = timezone.now(), row.state == StreamState.LIVE
        said = (_END_OF_ANOTHER if was_live else row.reason) if state == StreamState.CONNECTING else reason
        said = "" if state == StreamState.LIVE else (said or row.reason)[:_REASON]
        fields: dict[str, object] = {"state": state, "since": now, "reason": said}
        if state == StreamState.LIVE:
            fields |= {"live_since": now, "heard_at": now}
            _record(row, "stream.live", seconds=int((now - (row.heard_at or row.created_at)).total_seconds()))
        elif was_live and is_gap:
            fields["gaps"] = F("gaps") + 1
            _record(row, "stream.gap", reason=said)
        elif was_live:
            fields["losses"] = F("losses") + 1
            _record(row, "stream.lost", reason=said)
        if not AccountStream.objects.filter(**_mine(account_id)).update(**fields):
            raise _taken()


def confirm_stream(account_id: UUID, *, heard_at: datetime | None, events: int) -> None:
    """The sign of life of a listener: renews its lease, and says when the stream was last heard of while live.

    Raises NotListening.
    """
    fields: dict[str, object] = {"leased_until": Now() + LEASE, "events": F("events") + events}
    if heard_at is not None:
        fields["heard_at"] = heard_at
    if not AccountStream.objects.filter(**_mine(account_id)).update(**fields):
        raise _taken()


def give_back(account_id: UUID, reason: str) -> None:
    """The next listener need not wait. Quiet if it is another's already."""
    try:
        enter_state(account_id, StreamState.LOST, reason)
    except NotListening:
        return
    AccountStream.objects.filter(**_mine(account_id)).update(leased_until=None)


def _mine(account_id: UUID) -> dict[str, object]:
    return {"pk": account_id, "process": process_name()}


def _taken() -> NotListening:
    return NotListening("Another process listens to this stream now.")


def _record(row: AccountStream, kind: str, **data: object) -> None:
    audit.record(
        kind,
        actor=ACTOR,
        object_type="account",
        object_id=row.account_id,
        data={"account": row.account.name, "process": row.process, **data},
    )
