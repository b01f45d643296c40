"""One account's private stream, as a thread: open, compare the books with the venue, live, listen, and again when lost.

The stream counts as live only after a complete sync that began when its channels were acknowledged, so that nothing is
missed between two connections. A frame is never evidence: it says which order to look at (`execution.stream_looks`).
The lease decides who listens; who stands by tries again every two seconds. A lost database, venue or stream ends the
connection and begins a new one after a back-off; nothing here is remembered from one to the next.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import Error as DatabaseTrouble
from django.db import connections
from django.utils import timezone

from trading.connections import stream_for
from trading.domain.announcements import Announcements
from trading.domain.errors import LeviError
from trading.domain.money import ZERO
from trading.exchanges.streams import PrivateStream, StreamEvent, StreamLost
from trading.execution.stream_looks import (
    FILL_GRACE,
    LookSchedule,
    find_gap,
    look_now,
    note_announcement,
)
from trading.execution.stream_state import (
    NotListening,
    confirm_stream,
    enter_state,
    give_back,
    take_stream,
)
from trading.execution.sync import sync_account
from trading.metrics import STREAM_EVENTS
from trading.models import ExchangeAccount, StreamState

log = logging.getLogger(__name__)
STAND_BY_SECONDS = 2.0
CONFIRM_SECONDS = 3.0
GAP_SECONDS = 10.0
SYNC_SECONDS = 5
TICK_SECONDS = 0.05
READ_SECONDS = 0.25
SHORTEST_BACK_OFF, LONGEST_BACK_OFF = 1.0, 30.0
# A stream that was live for so long has proven itself: the next back-off is the shortest again.
PROVEN_SECONDS = 60.0


class StreamGap(LeviError):
    """The stream did not tell of a fill. Says which."""

    code = "stream_gap"


class AccountSync(threading.Thread):
    """A sync beside the reading, with a connection of its own. `trouble` is empty once it was complete."""

    def __init__(self, account_id: UUID, name: str) -> None:
        super().__init__(name=f"sync-{name}", daemon=True)
        self.account_id = account_id
        self.trouble = "the sync ended unexpectedly"

    def run(self) -> None:
        try:
            run = sync_account(self.account_id, trigger="stream")
            self.trouble = "" if run.is_complete else run.error or "the sync was not complete"
        except (DatabaseTrouble, LeviError) as error:
            self.trouble = str(error) or type(error).__name__
            log.warning("%s: %s", self.name, self.trouble)
        finally:
            connections.close_all()


class Session:
    """From an open stream to the moment it is lost. Times are monotonic, but for what goes into rows."""

    def __init__(self, account: ExchangeAccount, stream: PrivateStream) -> None:
        self.account = account
        self.stream = stream
        self.is_live = False
        self._live_at = 0.0
        now, opened_at = time.monotonic(), timezone.now()
        self._schedule = LookSchedule()
        self._announcements = Announcements(opened_at)
        self._judged_until = opened_at
        self._events = 0
        self._confirm_at, self._gap_at, self._tick_at, self._sync_at = now, now + GAP_SECONDS, now, now
        self._sync = AccountSync(account.pk, account.name)

    @property
    def has_proven_itself(self) -> bool:
        return self.is_live and time.monotonic() - self._live_at >= PROVEN_SECONDS

    def begin(self) -> None:
        enter_state(self.account.pk, StreamState.SYNCING)
        self._sync.start()

    def step(self) -> None:
        """Read one event and do what is due. Raises StreamLost, StreamGap, NotListening, and the database's errors."""
        event = self.stream.read(READ_SECONDS if self._schedule.is_empty else TICK_SECONDS)
        now = time.monotonic()
        if event is not None:
            self._hear(event, now)
        if now < self._tick_at:
            return
        self._tick_at = now + TICK_SECONDS
        self._look(now)
        self._follow_syncs(now)
        if now >= self._confirm_at:
            self._confirm(now)
        if self.is_live and now >= self._gap_at:
            self._gap_at = now + GAP_SECONDS
            self._find_gap()

    def _hear(self, event: StreamEvent, now: float) -> None:
        self._events += 1
        STREAM_EVENTS.labels(self.account.name, event.kind).inc()
        note_announcement(self._announcements, event, timezone.now())
        self._schedule.hear(event, now)

    def _look(self, now: float) -> None:
        due = self._schedule.take_due(now)
        if not due:
            return
        worth, has_unknown = look_now(self.account.pk, due)
        self._schedule.wants_sync |= has_unknown
        for place, asked in enumerate(due):
            self._schedule.settle(asked, now, was_worth=place in worth)

    def _follow_syncs(self, now: float) -> None:
        """The first one makes it live or ends it; later ones are for what no order of ours explains."""
        if self._sync.is_alive():
            return
        if not self.is_live:
            if self._sync.trouble:
                raise StreamLost(f"the books could not be compared with the venue: {self._sync.trouble}")
            enter_state(self.account.pk, StreamState.LIVE)
            self.is_live, self._live_at = True, now
            self._confirm_at = now + CONFIRM_SECONDS
        elif self._schedule.wants_sync and now >= self._sync_at:
            self._schedule.wants_sync = False
            self._sync_at = now + SYNC_SECONDS
            self._sync = AccountSync(self.account.pk, self.account.name)
            self._sync.start()

    def _confirm(self, now: float) -> None:
        heard = max(self.stream.heard_at or 0.0, self._live_at)
        heard_at = timezone.now() - timedelta(seconds=max(now - heard, 0)) if self.is_live else None
        confirm_stream(self.account.pk, heard_at=heard_at, events=self._events)
        self._events = 0
        self._confirm_at = now + CONFIRM_SECONDS

    def note_events(self) -> None:
        """What was heard since the last confirmation: the row's count is the whole of it, also when the end is near."""
        heard, self._events = self._events, 0
        if heard:
            with suppress(LeviError, DatabaseTrouble):
                confirm_stream(self.account.pk, heard_at=None, events=heard)

    def _find_gap(self) -> None:
        until = timezone.now() - FILL_GRACE
        if until <= self._judged_until:
            return
        offset = ExchangeAccount.objects.values_list("clock_offset_seconds", flat=True).get(
            pk=self.account.pk
        )
        span = self._judged_until, until
        ahead = timedelta(milliseconds=int((offset or ZERO) * 1000))
        if found := find_gap(self.account.pk, self._announcements, ahead, *span):
            raise StreamGap(f"a gap: {found}")
        self._judged_until = until


class Listener(threading.Thread):
    """Until it is told to leave. `marks`: the address and key it was made for."""

    def __init__(self, account: ExchangeAccount, marks: tuple[object, ...]) -> None:
        super().__init__(name=f"stream-{account.name}", daemon=True)
        self.account = account
        self.marks = marks
        self.stop = threading.Event()
        self._leaving = ""
        self._failures = 0

    def leave(self, why: str) -> None:
        self._leaving = self._leaving or why
        self.stop.set()

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self._listen_once()
        finally:
            connections.close_all()

    def _listen_once(self) -> None:
        """One connection from its lease to its end, and the wait after it."""
        try:
            if not take_stream(self.account.pk):
                self.stop.wait(STAND_BY_SECONDS)
                return
            self._have_session()
        except NotListening as error:
            log.warning("%s: %s", self.name, error)
        except DatabaseTrouble as error:
            log.warning("%s: no database (%s)", self.name, type(error).__name__)
            connections.close_all()
        self._failures += 1
        self._pause(back_off(self._failures, random.random()))

    def _pause(self, seconds: float) -> None:
        """Who waits for the next attempt still listens: the lease goes on, so that nobody says that no one does."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.stop.wait(min(left, CONFIRM_SECONDS)):
            try:
                confirm_stream(self.account.pk, heard_at=None, events=0)
            except NotListening:
                return
            except DatabaseTrouble:
                connections.close_all()

    def _have_session(self) -> None:
        """A stream that cannot be had or kept ends here with its reason in the row."""
        reason, is_gap = "", False
        try:
            self._listen()
        except StreamGap as error:
            reason, is_gap = error.message, True
        except NotListening:
            raise
        except LeviError as error:
            reason = str(error)
        except DatabaseTrouble:
            raise
        except (
            Exception
        ) as error:  # a defect must not end the listening for ever, nor leave a row that says live
            log.exception("%s met something unexpected", self.name)
            reason = f"a defect: {type(error).__name__}; see the log of run_streams"
        if self.stop.is_set():
            give_back(self.account.pk, self._leaving)
            return
        log.warning("%s lost: %s", self.name, reason)
        enter_state(self.account.pk, StreamState.LOST, reason, is_gap=is_gap)

    def _listen(self) -> None:
        """Until it is told to stop. The row is given back before the stream is closed, which may ask the venue."""
        enter_state(self.account.pk, StreamState.CONNECTING)
        stream = stream_for(self.account)
        session = None
        try:
            stream.open()
            session = Session(self.account, stream)
            session.begin()
            while not self.stop.is_set():
                session.step()
            session.note_events()
            give_back(self.account.pk, self._leaving)
        finally:
            if session is not None:
                session.note_events()
                self._failures = 0 if session.has_proven_itself else self._failures
            stream.close()


def back_off(failures: int, chance: float) -> float:
    """1, 2, 4 … 30 seconds, the later half of each by chance, so that many do not come back at once."""
    longest = min(SHORTEST_BACK_OFF * 2 ** min(failures - 1, 10), LONGEST_BACK_OFF)
    return longest * (0.5 + chance / 2)
