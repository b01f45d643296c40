"""When the kill path was last tried, how it went, and when it is due again. A drill is a halt with trigger `drill`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from trading.domain.enums import Environment
from trading.models import ExchangeAccount, Sweep, SweepVerdict

TRIGGER = "drill"
# So late it may be before it is an alarm: drills wait for a quiet account.
_PATIENCE = 2


@dataclass(frozen=True, slots=True)
class DrillState:
    """`hours` 0: none is scheduled. `due_at` None: never."""

    hours: int
    last: Sweep | None
    due_at: datetime | None
    is_overdue: bool

    @property
    def is_due(self) -> bool:
        return self.due_at is not None and timezone.now() >= self.due_at


def read_drills() -> DrillState:
    """The last drill counts towards the schedule only if it ended clean."""
    hours = settings.LEVI_CONFIG.live.drill_hours if _has_account() else 0
    drills = Sweep.objects.select_related("change").filter(change__trigger=TRIGGER).order_by("-engaged_at")
    last, clean = drills.first(), drills.filter(verdict=SweepVerdict.CLEAN).first()
    if not hours:
        return DrillState(0, last, None, False)
    since = clean.engaged_at if clean else _first_day()
    period = timedelta(hours=hours)
    return DrillState(hours, last, since + period, timezone.now() > since + _PATIENCE * period)


def _has_account() -> bool:
    """Where all accounts are real, no drill is due."""
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE, is_enabled=True)
    return accounts.filter(environment=Environment.SIMULATED).exists()


def _first_day() -> datetime:
    """An installation counts from its first accounts."""
    return ExchangeAccount.objects.aggregate(at=Min("created_at"))["at"] or timezone.now()
