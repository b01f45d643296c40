"""Daily reports by the clock: made when their day is over, and asked after while nobody has signed them.

Some minutes after the day, so that its last fills and looks are in. A week in which the product did not run is caught
up with; what was made while its day still ran is made anew. The reminder is one alert a day, for all that wait.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.models import DailyReport, ExchangeAccount
from trading.queries.equity import day_bounds, trading_day

from .daily_reports import make_report, write_report_files
from .jobs import claim_slot

ACTOR = system_actor("reports")
DAYS_BACK = 7
# From the end of the day to its report, and from there to the first reminder.
SETTLES = timedelta(minutes=5)
PATIENCE = timedelta(days=1)
_REMINDER_SECONDS = 86_400


def make_due_reports(now: datetime | None = None) -> list[date]:
    """The days that were made now. Raises LeviError for what cannot be made."""
    due = [day for day in _days_before(now or timezone.now()) if _is_due(day, now or timezone.now())]
    for day in due:
        write_report_files(make_report(day, actor=ACTOR))
    return due


def _days_before(now: datetime) -> list[date]:
    today = trading_day(now)
    return [today - timedelta(days=back) for back in range(DAYS_BACK, 0, -1)]


def _is_due(day: date, now: datetime) -> bool:
    ends = day_bounds(day)[1]
    if now < ends + SETTLES:
        return False
    row = DailyReport.objects.filter(day=day).first()
    if row is not None:
        return row.signed_at is None and row.created_at < ends
    return ExchangeAccount.objects.filter(mode=settings.LEVI_MODE, created_at__lt=ends).exists()


def remind_of_unsigned(now: datetime | None = None) -> int:
    """How many reports have waited for a signature for more than a day."""
    now = now or timezone.now()
    last = trading_day(now - PATIENCE - SETTLES) - timedelta(days=1)
    waiting = list(DailyReport.objects.filter(signed_at=None, day__lte=last).order_by("day"))
    if waiting and claim_slot("reports unsigned", _REMINDER_SECONDS):
        with transaction.atomic():
            audit.record(
                "report.unsigned",
                actor=ACTOR,
                object_type="report",
                object_id=waiting[0].day,
                data={"oldest": waiting[0].day.isoformat(), "waiting": len(waiting)},
            )
    return len(waiting)
