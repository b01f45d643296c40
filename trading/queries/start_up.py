"""What a started product has not yet proven, as sentences for whoever wants to release it.

In testnet and production every start is halted by the local stop flag, before any worker runs. It may be released when
each enabled account was synced completely since then (which takes a working clock, reads the venue's open orders and
takes in orphans), the instruments are known, no order's fate is still being asked about, and this host marks orders as
the database's orders are marked: else its own would be taken for somebody else's. Paper needs none of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from trading.domain.client_order_id import instance_of, is_ours
from trading.domain.enums import OrderOrigin, OrderStatus, TradingMode
from trading.models import ExchangeAccount, Instrument, Order
from trading.stop_flag import find_stop_flag

_SYNC_AGE = timedelta(seconds=60)
_RULES_AGE = timedelta(hours=2)


def missing_after_start() -> list[str]:
    """Empty: nothing of the start stands in the way of a release."""
    if settings.LEVI_MODE == TradingMode.PAPER:
        return []
    flag, now = find_stop_flag(settings.STOP_FLAG), timezone.now()
    since = max(now - _SYNC_AGE, flag.since) if flag else now - _SYNC_AGE
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE, is_enabled=True)
    missing = [sentence for account in accounts for sentence in _missing_of(account, since, now)]
    missing += explain_other_instance()
    unresolved = Order.objects.filter(status__in=[OrderStatus.SUBMITTING, OrderStatus.IN_DOUBT]).count()
    if unresolved:
        missing.append(f"{unresolved} orders are in doubt: wait until they are resolved or quarantined.")
    return missing


def explain_other_instance() -> list[str]:
    """A sentence where this host's instance id is not the one that the newest order of ours carries."""
    ours = Order.objects.exclude(origin=OrderOrigin.EXTERNAL).order_by("-created_at", "-id")
    newest = ours.values_list("client_order_id", flat=True).first()
    if newest is None or is_ours(newest, settings.INSTANCE_ID):
        return []
    return [
        f"{settings.HOME_DIR / 'instance-id'} says {settings.INSTANCE_ID}, but the newest order carries "
        f"{instance_of(newest)}: write that into the file and restart this host, or its orders look foreign."
    ]


def _missing_of(account: ExchangeAccount, since: datetime, now: datetime) -> list[str]:
    missing = []
    if account.synced_at is None or account.synced_at < since:
        why = f" ({account.sync_error})" if account.sync_error else ""
        missing.append(
            f"{account.name}: no complete sync of clock, open orders, fills and balances since the start{why}."
        )
    known = Instrument.objects.filter(
        venue=account.venue, environment=account.environment, synced_at__gte=now - _RULES_AGE
    )
    if not known.exists():
        missing.append(f"{account.name}: the venue's instruments are unknown or old.")
    return missing
