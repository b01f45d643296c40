"""Which accounts are looked at: those that are enabled, and a disabled one for as long as something of it is at risk.

Switching an account off stops what opens. What it has at the venue is still ours: its orders fill, its positions move,
and the dead man counts the silence of a venue that nobody asks.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from trading.domain.order_states import AT_RISK
from trading.models import ExchangeAccount, Order, Position


def watched_accounts() -> QuerySet[ExchangeAccount]:
    """Of the mode that runs, and of no other."""
    orders = Order.objects.filter(account=OuterRef("pk"), status__in=sorted(AT_RISK))
    positions = Position.objects.filter(account=OuterRef("pk")).exclude(quantity=0)
    is_watched = Q(is_enabled=True) | Exists(orders) | Exists(positions)
    return ExchangeAccount.objects.filter(is_watched, mode=settings.LEVI_MODE)
