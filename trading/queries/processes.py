"""Which processes live, by what they last said and, where they run on this host, by whether they still exist.

A sign of life stays in its row when its process ends; for a process of this host the row also says which one it was, so
that nothing that ended is taken for alive. Of other hosts only the age is known. Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.models import Heartbeat
from trading.process_name import has_ended

SILENT_SECONDS = 30
_ENDED_SHOWN = timedelta(minutes=15)
_MOST = 100


@dataclass(frozen=True, slots=True)
class LivingProcess:
    """A row and the word for it: alive, late, silent or ended."""

    beat: Heartbeat
    word: str

    @property
    def is_alive(self) -> bool:
        return self.word == "alive"


def judge_beat(beat: Heartbeat, now: datetime) -> str:
    if has_ended(beat.process, beat.identity):
        return "ended"
    seconds = (now - beat.beat_at).total_seconds()
    return "alive" if seconds < SILENT_SECONDS else "late" if seconds < 4 * SILENT_SECONDS else "silent"


def list_processes(now: datetime) -> list[LivingProcess]:
    """What ended is shown for a while, after all others: somebody may look for it."""
    rows = [LivingProcess(beat, judge_beat(beat, now)) for beat in Heartbeat.objects.all()[:_MOST]]
    shown = [row for row in rows if row.word != "ended" or row.beat.beat_at > now - _ENDED_SHOWN]
    return sorted(shown, key=lambda row: row.word == "ended")
