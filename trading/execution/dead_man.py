"""The dead man: halts by itself when those who should watch over the orders have gone silent.

Three silences, each for `risk.dead_man_sec`: no order worker beats while orders wait or work; no complete sync of an
account that has working orders; no database. Three of the last four looks, three seconds apart, must agree, so that one
odd reading halts nothing. It arms itself only after it has looked at a healthy clock for as long: a stack that starts,
a database that comes back and a machine that slept are no silence. The first two engage the widest scope (trigger
`dead_man`) and sweep; the third can only raise the local stop flag, which is latched as a halt is.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from trading.domain.actors import system_actor
from trading.domain.enums import CancelScope, HaltScope, OrderStatus
from trading.domain.order_states import UNRESOLVED, WORKING
from trading.metrics import TRIGGER_RUNS
from trading.models import ExchangeAccount, Heartbeat, Order
from trading.process_name import process_identity, process_name
from trading.queries.dead_man import ROLE
from trading.queries.halts import everything_is_halted
from trading.stop_flag import raise_stop_flag

from .halts import engage

log = logging.getLogger(__name__)
ACTOR = system_actor("dead_man")
TRIGGER = "dead_man"
LOOK_SECONDS = 3.0
AGREE, OUT_OF = 3, 4
# More than this between two looks by any clock: we were not running ourselves, so ages mean nothing yet.
_PAUSE = 15.0
_ON_THE_WAY = WORKING | UNRESOLVED | {OrderStatus.APPROVED}


@dataclass(frozen=True, slots=True)
class Silence:
    """Seconds of silence; None where nothing is at stake, so that nothing is missed."""

    workers: float | None
    venue: float | None


def measure_silence(now: datetime) -> Silence:
    """Raises Django's database errors."""
    if not Order.objects.filter(status__in=sorted(_ON_THE_WAY)).exists():
        return Silence(None, None)
    beat_at = (
        Heartbeat.objects.filter(role="orders").order_by("-beat_at").values_list("beat_at", flat=True).first()
    )
    working = Order.objects.filter(status__in=sorted(WORKING)).values("account")
    synced = ExchangeAccount.objects.filter(pk__in=working, mode=settings.LEVI_MODE).values_list(
        "synced_at", flat=True
    )
    return Silence(_age(now, beat_at), max((_age(now, at) for at in synced), default=None))


def _age(now: datetime, at: datetime | None) -> float:
    return (now - at).total_seconds() if at else timedelta.max.total_seconds()


class DeadMan:
    """One per supervisor. `look` and `look_without_database` answer with the reason to halt, or an empty text."""

    def __init__(
        self,
        seconds: int,
        *,
        ticks: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = timezone.now,
    ) -> None:
        self.seconds = seconds
        self._ticks, self._clock = ticks, clock
        self._looks: deque[bool] = deque(maxlen=OUT_OF)
        self._watching_since: float | None = None
        self._last: tuple[float, datetime] | None = None
        self._database_lost_at: float | None = None
        self._was_armed = False

    @property
    def is_armed(self) -> bool:
        since = self._watching_since
        return bool(self.seconds) and since is not None and self._ticks() - since >= self.seconds

    def look(self) -> str:
        """One look, with a database. Raises Django's database errors."""
        if not self.seconds:
            return ""
        if self._watching_since is None or self._was_away() or self._database_lost_at is not None:
            self._watching_since, self._database_lost_at = self._ticks(), None
            self._looks.clear()
        self._last = (self._ticks(), self._clock())
        silence = measure_silence(self._clock())
        if not self.is_armed:
            return ""
        self._was_armed = True
        self._say_armed()
        reason = self._name(silence)
        self._looks.append(bool(reason))
        fires = bool(reason) and sum(self._looks) >= AGREE
        TRIGGER_RUNS.labels(TRIGGER, "fired" if fires else "quiet").inc()
        return reason if fires else ""

    def look_without_database(self) -> str:
        """Called while the database cannot be reached. It must have been there: a stack that starts is not silent."""
        if not self.seconds or not self._was_armed:
            return ""
        if self._database_lost_at is None:
            self._database_lost_at = self._ticks()
        lost = self._ticks() - self._database_lost_at
        return f"dead man: no database for {lost:.0f} s" if lost >= self.seconds else ""

    def _name(self, silence: Silence) -> str:
        if silence.workers is not None and silence.workers >= self.seconds:
            return f"dead man: no order worker gave a sign of life for {self.seconds} s while orders are on the way"
        if silence.venue is not None and silence.venue >= self.seconds:
            return f"dead man: no complete sync for {self.seconds} s while orders are open at the venue"
        return ""

    def _was_away(self) -> bool:
        if self._last is None:
            return True
        ticks, at = self._last
        return self._ticks() - ticks > _PAUSE or abs((self._clock() - at).total_seconds()) > _PAUSE

    def _say_armed(self) -> None:
        now = timezone.now()
        said = {"role": ROLE, "build": settings.BUILD, "identity": process_identity(), "beat_at": now}
        Heartbeat.objects.update_or_create(
            process=f"dead_man {process_name()}"[:80],
            defaults=said,
            create_defaults={**said, "started_at": now},
        )


def halt_by_dead_man(reason: str) -> None:
    """Engage the widest scope, and sweep unless configured otherwise, once: what is halted already stays as it is."""
    if everything_is_halted():
        return
    log.error("automatic halt: %s", reason)
    cancel = CancelScope.OURS if settings.LEVI_CONFIG.risk.dead_man_cancels else None
    engage(HaltScope.EVERYTHING, reason=reason, actor=ACTOR, trigger=TRIGGER, cancel=cancel)


def stop_without_database(reason: str) -> None:
    """All that can be done without a database: no process of this host sends, until a release."""
    log.error("the stop flag is raised: %s", reason)
    try:
        raise_stop_flag(settings.STOP_FLAG, reason, str(ACTOR))
    except OSError as error:  # it is tried again at every look; ending the supervisor would end those
        log.error("the stop flag of this host cannot be raised (%s)", error.strerror)
