"""When the trading day of a run begins: so that a real roll-over falls into it, where some time zone allows that.

No clock is moved. Zones begin their hours at the full hour, a quarter past and half past (UTC): the day is said to
begin at the first such moment that lies well inside of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Minutes past the full hour, UTC, at which an hour of the zone begins.
ZONES = {0: "UTC", 15: "Asia/Kathmandu", 30: "Asia/Kolkata"}
EARLIEST, LATEST = 0.1, 0.9  # share of the run


@dataclass(frozen=True)
class DayOfTheRun:
    zone: str
    hour: int
    begins: datetime | None  # None: no roll-over falls into the run

    def as_config(self) -> dict[str, object]:
        return {"day_time_zone": self.zone, "day_starts_at_hour": self.hour}


def choose_day(now: float, seconds: float, start_up: float = 20.0) -> DayOfTheRun:
    """`start_up`: about how long the stack takes before the run begins."""
    first = datetime.fromtimestamp(now + start_up + seconds * EARLIEST, UTC)
    last = datetime.fromtimestamp(now + start_up + seconds * LATEST, UTC)
    moment = first.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while moment <= last:
        if zone := ZONES.get(moment.minute):
            return DayOfTheRun(zone, moment.astimezone(ZoneInfo(zone)).hour, moment)
        moment += timedelta(minutes=1)
    return DayOfTheRun("UTC", 0, None)
