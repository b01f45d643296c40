"""How the private streams stand: of each account one word, why, and for how long nobody has confirmed it.

A row says what its listener wrote last; whether somebody still listens is read from its lease. Reads only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from trading.connections import offers_stream
from trading.models import AccountStream, ExchangeAccount, StreamState

REMEDY = "start `manage.py run_streams`"
NOT_OFFERED, NO_KEY, NEVER, UNHEARD = "not offered", "no key", "never heard", "nobody listens"
# Words of accounts that are not expected to have one.
EXEMPT = (NOT_OFFERED, NO_KEY)


@dataclass(frozen=True, slots=True)
class StreamStanding:
    """`word`: a StreamState, or one of the words above. `unconfirmed_seconds`: since it was last heard of while it was
    live; None: nobody ever listened, or nobody is expected to."""

    word: str
    since: datetime | None = None
    reason: str = ""
    heard_at: datetime | None = None
    live_since: datetime | None = None
    unconfirmed_seconds: int | None = None

    @property
    def is_expected(self) -> bool:
        return self.word not in EXEMPT

    @property
    def is_live(self) -> bool:
        return self.word == StreamState.LIVE


def judge_stream(row: AccountStream, now: datetime) -> StreamStanding:
    seconds = max(int((now - (row.heard_at or row.created_at)).total_seconds()), 0)
    word, since, reason = row.state, row.since, row.reason
    if row.leased_until is None or row.leased_until < now:
        word, since = UNHEARD, row.leased_until or row.since
        reason = f"no process listens to it any more: {REMEDY}"
    return StreamStanding(word, since, reason, row.heard_at, row.live_since, seconds)


def stream_of(account: ExchangeAccount, now: datetime) -> StreamStanding:
    """Asks nothing where `credential` and `stream` were read with the account."""
    if not offers_stream(account):
        return StreamStanding(NOT_OFFERED)
    if not hasattr(account, "credential"):
        return StreamStanding(NO_KEY)
    row: AccountStream | None = getattr(account, "stream", None)
    if row is None:
        return StreamStanding(NEVER, reason=f"nobody has ever listened to it: {REMEDY}")
    return judge_stream(row, now)


def read_streams(accounts: Sequence[ExchangeAccount], now: datetime) -> dict[UUID, StreamStanding]:
    """By account id, with one question for all."""
    rows = ExchangeAccount.objects.filter(pk__in=[account.pk for account in accounts])
    read = rows.select_related("credential", "stream").defer(
        "credential__sealed_key", "credential__sealed_secret"
    )
    return {account.pk: stream_of(account, now) for account in read}
