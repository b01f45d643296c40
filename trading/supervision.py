"""The supervisor: a small process that needs PostgreSQL and the venues only.

It takes up the sweeps that follow halts within a moment, keeps the books fresh when Celery, beat or Redis are dead,
delivers the alerts, and seals the audit trail when that is due: a control change is sealed within seconds, and no halt
ever waits for it. Every sweep, every sync and every alert channel has a thread of its own, so that one that hangs
delays nothing else. It outlives the database: it dials again with back-off. It is also the dead man
(`execution.dead_man`) and decides nothing else: what it runs is safe to run twice and to be killed in.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connections
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.domain.enums import Severity
from trading.domain.errors import LeviError
from trading.ending import stop_on_signals
from trading.execution.dead_man import DeadMan, halt_by_dead_man, stop_without_database
from trading.execution.delivery import deliver_channel, prepare_deliveries
from trading.execution.flatten_runs import run_flattening, waiting_flattenings
from trading.execution.generation import check_generation
from trading.execution.jobs import beat_heart
from trading.execution.sweep import run_sweep, waiting_sweeps
from trading.execution.sync import sync_account
from trading.execution.triggers import watch_triggers
from trading.models import Flattening, Sweep
from trading.notify import notify
from trading.process_name import process_name
from trading.queries.watched_accounts import watched_accounts

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.08
HEART_SECONDS = 3.0
ALERT_SECONDS = 0.5
# Beat syncs every ten seconds; this is for when it does not.
SYNC_AGE = timedelta(seconds=25)
SYNC_RETRY_SECONDS = 10.0
_SHORTEST_BACK_OFF, _LONGEST_BACK_OFF = 0.2, 5.0
_FAREWELL_SECONDS = 1.2


class Stopping(Exception):
    """Raised inside a sweep's progress, to leave it to the next supervisor."""


class Supervision:
    """`run` until `stop` is set. One thread per piece of work, named after it."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self._threads: dict[str, threading.Thread] = {}
        self._tried_at: dict[UUID, float] = {}
        self._heart_due = 0.0
        self._alerts_due = 0.0
        self._is_started = False
        self._must_check_generation = True
        self.dead_man = DeadMan(settings.LEVI_CONFIG.risk.dead_man_sec)

    def run(self) -> None:
        back_off = _SHORTEST_BACK_OFF
        while not self.stop.is_set():
            try:
                self.look_once()
            except DatabaseTrouble as error:
                log.warning("no database (%s); looking again in %.1f s", type(error).__name__, back_off)
                connections.close_all()
                self._must_check_generation = True  # what answers next may be a replica or a backup
                if reason := self.dead_man.look_without_database():
                    stop_without_database(reason)
                self.stop.wait(back_off)
                back_off = min(back_off * 2, _LONGEST_BACK_OFF)
            else:
                back_off = _SHORTEST_BACK_OFF
                self.stop.wait(LOOK_SECONDS)
        self._say_farewell()

    def look_once(self) -> None:
        """Start what waits. Raises Django's database errors."""
        if self._must_check_generation:
            check_generation()
            self._must_check_generation = False
        if not self._is_started:
            text = f"{process_name()}, build {settings.BUILD}"
            notify("levi.started", Severity.INFO, f"The supervisor started ({settings.LEVI_MODE})", text)
            self._is_started = True
        for sweep_id in waiting_sweeps():
            self._start(f"sweep-{sweep_id}", partial(self._sweep, sweep_id))
        for flattening_id in waiting_flattenings():
            self._start(f"flatten-{flattening_id}", partial(self._flatten, flattening_id))
        if time.monotonic() >= self._alerts_due:
            self._alerts_due = time.monotonic() + ALERT_SECONDS
            self._start_deliveries()
        if time.monotonic() >= self._heart_due:
            beat_heart()
            check_generation()
            self._heart_due = time.monotonic() + HEART_SECONDS
            self._start_syncs()
            if audit.why_seal():
                self._start("seal", partial(audit.seal_if_due, actor=system_actor("supervisor")))
            self._start("triggers", watch_triggers)
            if reason := self.dead_man.look():
                self._start("dead-man", partial(halt_by_dead_man, reason))

    def _start_deliveries(self) -> None:
        for channel_id in prepare_deliveries():
            self._start(f"alerts-{channel_id}", partial(deliver_channel, channel_id))

    def _start_syncs(self) -> None:
        """The first look at an account syncs it in any case."""
        stale = timezone.now() - SYNC_AGE
        for account_id, synced_at in watched_accounts().values_list("id", "synced_at"):
            tried_at = self._tried_at.get(account_id)
            is_due = synced_at is None or synced_at < stale
            if tried_at is None or (is_due and time.monotonic() >= tried_at + SYNC_RETRY_SECONDS):
                self._tried_at[account_id] = time.monotonic()
                self._start(f"sync-{account_id}", partial(sync_account, account_id, trigger="supervisor"))

    def _start(self, name: str, work: Callable[[], object]) -> None:
        self._threads = {key: thread for key, thread in self._threads.items() if thread.is_alive()}
        if name not in self._threads:
            thread = threading.Thread(target=_with_own_connection, args=(work,), name=name, daemon=True)
            self._threads[name] = thread
            thread.start()

    def _sweep(self, sweep_id: UUID) -> None:
        """To its verdict, through restarts of the database: this process keeps the lease it has."""
        back_off = _SHORTEST_BACK_OFF
        while not self.stop.is_set():
            try:
                run_sweep(sweep_id, progress=self._leave_if_stopping)
                return
            except DatabaseTrouble as error:
                log.warning("sweep %s: no database (%s)", sweep_id, type(error).__name__)
                connections.close_all()
                self.stop.wait(back_off)
                back_off = min(back_off * 2, _LONGEST_BACK_OFF)

    def _flatten(self, flattening_id: UUID) -> None:
        """A database that goes away ends it here; its lease runs out, and it is taken up again."""
        run_flattening(flattening_id, progress=self._leave_if_stopping)

    def _leave_if_stopping(self, _work: object) -> None:
        if self.stop.is_set():
            raise Stopping

    def _say_farewell(self) -> None:
        """Give the threads a moment, then give their leases back, so that the next supervisor need not wait."""
        until = time.monotonic() + _FAREWELL_SECONDS
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        try:
            Sweep.objects.filter(leased_by=process_name()).update(leased_until=None)
            Flattening.objects.filter(leased_by=process_name()).update(leased_until=None)
        except DatabaseTrouble as error:
            log.warning("leases not given back (%s); they run out", type(error).__name__)
        connections.close_all()


def _with_own_connection(work: Callable[[], object]) -> None:
    try:
        work()
    except Stopping:
        pass  # the next supervisor goes on
    except (DatabaseTrouble, LeviError) as error:
        log.warning("%s: %s", threading.current_thread().name, error)
    except Exception:  # a defect in one piece of work must not go unseen, nor end the others
        log.exception("%s met something unexpected", threading.current_thread().name)
    finally:
        connections.close_all()


def run_supervision() -> None:
    """Until SIGTERM or SIGINT; ends within two seconds, also out of a call that hangs."""
    stop = stop_on_signals()
    print("supervising sweeps and syncs", flush=True)  # whoever started this waits for it, at any log level
    Supervision(stop).run()
