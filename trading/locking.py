"""Every lock the product takes, in the only order in which they may be taken:

    halt scopes (advisory)  →  algo  →  account  →  shared limits (advisory)  →  order  →  position  →  balances

Shared limits: a limit that is counted over several accounts (everything, an instrument, a strategy) is decided on under
a lock of that scope, beside the account's. Where no such limit is set, nobody waits for another account. Whoever holds
one waits for no account any more, so that two accounts cannot wait for each other.

The seal of the audit trail (advisory) is taken by itself, in a transaction that takes no other lock and writes nothing
but the checkpoint. So is the change of limits, which writes one version, and the state of a trigger. An approval
request is locked by itself too, before the act that it allows; so is a second factor.

Nothing else calls select_for_update. Row locks end with their transaction; none is ever held across a venue call.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db import OperationalError, connection, transaction

from trading.models import (
    Algo,
    ApprovalRequest,
    Balance,
    DailyReport,
    ExchangeAccount,
    Order,
    Position,
    SecondFactor,
    TriggerState,
)

_HALT_LOCK = 0x4C657669  # "Levi": one lock for all scopes, because there is one epoch
_SIGNAL_SPACE = 0x5369
_SHARED_LIMITS_SPACE = 0x4C696D
_LIMITS_LOCK = 0x4C696D69  # "Limi": one change of limits at a time, so that each builds on the one before
_SEAL_LOCK = 0x5365616C  # "Seal": one checkpoint at a time, so that their numbers have no gap


def is_lock_trouble(error: OperationalError) -> bool:
    """Nothing was written, and the same may succeed in a moment: somebody else held a lock for too long."""
    return getattr(error.__cause__, "sqlstate", "") in (
        "55P03",
        "40P01",
    )  # lock_not_available, deadlock_detected


# For who must not pay a round trip for it: a statement of its own, before the one that relies on it. The server runs
# each statement of a text by itself, so that the second one sees what was committed while the first one waited.
SHARE_HALT_LOCK = f"SELECT pg_advisory_xact_lock_shared({_HALT_LOCK:d});"


def share_halt_lock() -> None:
    """Shared until commit: many permits at once, but none beside an engagement that is being written."""
    with connection.cursor() as cursor:
        cursor.execute(SHARE_HALT_LOCK)


def take_halt_lock(timeout_ms: int = 2000) -> bool:
    """Exclusive until commit. False if it was not granted in time: the caller goes on and extends its drain.

    A stopped worker may hold the shared lock; an engagement must not wait for it longer than this.
    """
    with connection.cursor() as cursor:
        try:
            # One round trip, because an operator waits for it. Each statement is run by itself, in this order.
            cursor.execute(
                "SAVEPOINT before_halt_lock;"
                f" SET LOCAL lock_timeout = '{timeout_ms:d}ms'; SELECT pg_advisory_xact_lock({_HALT_LOCK:d});"
                " SET LOCAL lock_timeout = '2000ms'; RELEASE SAVEPOINT before_halt_lock"
            )
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT before_halt_lock; RELEASE SAVEPOINT before_halt_lock")
            return False
    return True


def lock_signal_key(source: str, key: str, timeout_ms: int) -> bool:
    """One handler per idempotency key until commit; waits for the other at most `timeout_ms`.

    After False the caller leaves its transaction, which can do nothing more: a savepoint would cost every request two
    round trips for the sake of a repeat.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{timeout_ms}ms"])
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_SIGNAL_SPACE, f"{source}\n{key}"]
            )
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":
            raise
        return False
    return True


def lock_audit_seal() -> bool:
    """One checkpoint at a time, until commit. False if another one is still being made after the lock time-out."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEAL_LOCK])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":
            raise
        return False
    return True


def lock_algo(algo_id: UUID) -> Algo:
    """Until commit: no other child of it is made, and its state stands still."""
    return (
        Algo.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account", "instrument", "strategy")
        .get(pk=algo_id)
    )


def lock_account(account_id: UUID) -> ExchangeAccount:
    """Serialises decisions on one account: the facts a decision saw hold until it commits."""
    return ExchangeAccount.objects.select_for_update(no_key=True).get(pk=account_id)


def lock_shared_limits(scopes: Iterable[str]) -> None:
    """Until commit: nobody else decides on a limit of these scopes. The keys are taken in one order everywhere."""
    keys = sorted({zlib.crc32(scope.encode()) - 2**31 for scope in scopes})
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key",
                [_SHARED_LIMITS_SPACE, keys],
            )


def lock_limits() -> None:
    """One change of limits at a time, until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LIMITS_LOCK])


def lock_trigger_states(scope: str, target: str) -> dict[str, TriggerState]:
    """What the triggers remember of one scope, by trigger."""
    rows = TriggerState.objects.select_for_update(no_key=True).filter(scope=scope, target=target)
    return {row.trigger: row for row in rows.order_by("trigger")}


def lock_order(order_id: UUID) -> Order:
    return (
        Order.objects.select_for_update(of=("self",), no_key=True)
        .select_related("account", "instrument", "strategy")
        .get(pk=order_id)
    )


def lock_approval(request_id: UUID) -> ApprovalRequest | None:
    """One decision per request."""
    return ApprovalRequest.objects.select_for_update(no_key=True).filter(pk=request_id).first()


def lock_second_factor(user_id: int) -> SecondFactor | None:
    """One code at a time per person: the same code never counts twice, and no wrong one goes uncounted."""
    return SecondFactor.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def lock_orders(order_ids: Iterable[UUID]) -> list[Order]:
    """Several at once, always in the order of their ids."""
    rows = Order.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=list(order_ids))
    return list(rows.select_related("account", "instrument", "strategy").order_by("pk"))


def lock_positions(account_id: UUID, instrument_ids: Iterable[int]) -> dict[int, Position]:
    rows = Position.objects.select_for_update(no_key=True, of=("self",)).filter(
        account_id=account_id, instrument_id__in=list(instrument_ids)
    )
    rows = rows.select_related("instrument")
    return {row.instrument_id: row for row in rows.order_by("instrument_id")}


def lock_balances(account_id: UUID, assets: set[str]) -> dict[str, Balance]:
    rows = Balance.objects.select_for_update(no_key=True).filter(account_id=account_id, asset__in=assets)
    return {row.asset: row for row in rows.order_by("asset")}


def lock_report(day: date) -> DailyReport | None:
    return DailyReport.objects.select_for_update(no_key=True).filter(pk=day).first()
