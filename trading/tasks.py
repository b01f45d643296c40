"""Celery tasks: each body calls one function. Messages carry an id and nothing else.

A message may be lost, doubled, delayed or forged without effect: rows decide. Also starts, in every child of a
worker, the thread that polls for what no bell announced and beats the heart of the process, and in the order workers
the one that advances algos.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from celery.signals import worker_process_init
from django.db import DatabaseError, close_old_connections

from trading.audit import seal_if_due
from trading.domain.actors import system_actor
from trading.doorbell import ring
from trading.execution import exports, jobs
from trading.execution.algos.running import advance_algo as advance_one_algo
from trading.execution.algos.running import run_due_algos
from trading.execution.approvals import expire_overdue
from trading.execution.audit_watch import verify_on_schedule
from trading.execution.cancellation import send_cancel
from trading.execution.delivery import deliver_waiting, forget_old_deliveries
from trading.execution.dispatch import dispatch_order as send_order
from trading.execution.drill import drill_when_quiet
from trading.execution.flatten_runs import run_flattening, waiting_flattenings
from trading.execution.following import follow_order as look_at_order
from trading.execution.key_rights import check_key as check_one_key
from trading.execution.key_rights import due_keys
from trading.execution.poller import poll_once
from trading.execution.report_schedule import make_due_reports, remind_of_unsigned
from trading.execution.sweep import run_sweep, waiting_sweeps
from trading.execution.sync import sync_account as sync_one_account
from trading.execution.triggers import watch_triggers as look_for_triggers
from trading.models import Algo, AlgoChild, ExchangeAccount, Order
from trading.process_name import process_role
from trading.queries.drills import read_drills
from trading.queries.watched_accounts import watched_accounts

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
SYNC_SECONDS = 10
DEMAND_SECONDS = 2
HEART_SECONDS = 5
SWEEP_GRACE_SECONDS = 3
SEAL_SECONDS = 15
TRIGGER_SECONDS = 15
VERIFY_SECONDS = 3600
DRILL_SECONDS = 600
REPORT_SECONDS = 300
KEY_SECONDS = 600
# With beat's three seconds an alert leaves within five, also without the supervisor.
ALERT_GRACE = timedelta(seconds=1)


def _id(text: object) -> UUID | None:
    """The id in a message, or None for anything that is not one: forged messages are counted by the log only."""
    try:
        return UUID(str(text))
    except ValueError:
        log.warning("a message without a valid id was dropped")
        return None


def _do_for_order(work: Callable[[UUID], object], order_id: str) -> None:
    """The work reads the order first: one that does not exist was forged or belongs to another database."""
    if pk := _id(order_id):
        try:
            work(pk)
        except Order.DoesNotExist:
            log.warning("a message about an unknown order was dropped")


@shared_task
def dispatch_order(order_id: str) -> None:
    _do_for_order(send_order, order_id)


@shared_task
def cancel_order(order_id: str) -> None:
    _do_for_order(send_cancel, order_id)


@shared_task
def follow_order(order_id: str) -> None:
    _do_for_order(look_at_order, order_id)


@shared_task
def advance_algo(algo_id: str) -> None:
    if (pk := _id(algo_id)) and Algo.objects.filter(pk=pk).exists():
        advance_one_algo(pk)


@shared_task
def advance_algo_of(order_id: str) -> None:
    """A child has ended: its parent need not wait for its timer."""
    pk = _id(order_id)
    child = AlgoChild.objects.filter(order_id=pk).first() if pk else None
    if child is not None:
        advance_one_algo(child.algo_id)


@shared_task
def sync_account(account_id: str) -> None:
    """Every booked fill rings this bell: one pass per slot serves them all."""
    pk = _id(account_id)
    if (
        pk
        and ExchangeAccount.objects.filter(pk=pk).exists()
        and jobs.claim_slot(f"sync {pk}", DEMAND_SECONDS)
    ):
        sync_one_account(pk, trigger="demand")


@shared_task
def sync_all_accounts() -> None:
    """Beat's ring: one bell per account, once per slot whoever rings."""
    if jobs.claim_slot("sync", SYNC_SECONDS):
        for account_id in watched_accounts().values_list("id", flat=True):
            ring("sync_account", account_id)


@shared_task
def check_key(account_id: str) -> None:
    """What a venue's key may do; a key that was just stored rings by itself."""
    if (pk := _id(account_id)) and jobs.claim_slot(f"key {pk}", DEMAND_SECONDS):
        check_one_key(pk)


@shared_task
def check_due_keys() -> None:
    """Each key once a day, by the time of its last answer: they stay spread as they were stored."""
    if jobs.claim_slot("keys", KEY_SECONDS):
        for account_id in due_keys():
            ring("check_key", account_id)


@shared_task
def poll_orders() -> None:
    """What the order workers and the supervisor do by themselves, for when they are gone."""
    poll_once()
    for sweep_id in waiting_sweeps(for_seconds=SWEEP_GRACE_SECONDS):
        run_sweep(sweep_id)
    for flattening_id in waiting_flattenings(for_seconds=SWEEP_GRACE_SECONDS):
        run_flattening(flattening_id)
    run_due_algos()


@shared_task(soft_time_limit=400, time_limit=420)  # a sweep may take five minutes to its verdict
def run_due_drill() -> None:
    """The kill path is tried when it is due and the account is quiet; an alarm when that never comes."""
    if jobs.claim_slot("drill", DRILL_SECONDS) and read_drills().is_due:
        drill_when_quiet()


@shared_task(soft_time_limit=50, time_limit=55)
def deliver_alerts() -> None:
    """What the supervisor does by itself, for when it is gone."""
    deliver_waiting(older_than=ALERT_GRACE)


@shared_task
def seal_audit() -> None:
    """What the supervisor does by itself, for when it is gone."""
    if jobs.claim_slot("seal", SEAL_SECONDS):
        seal_if_due(actor=system_actor("beat"))


@shared_task(soft_time_limit=3300, time_limit=3400)  # once a day it reads all there is
def verify_audit() -> None:
    if jobs.claim_slot("verify", VERIFY_SECONDS):
        verify_on_schedule()


@shared_task(soft_time_limit=3300, time_limit=3400)  # millions of rows take their minutes
def run_exports(_job_id: str = "") -> None:
    """Whatever waits: a ring names the newest, a lost one is made good by the clock's."""
    exports.run_exports()


@shared_task
def watch_triggers() -> None:
    """What the supervisor does by itself, for when it is gone."""
    if jobs.claim_slot("triggers", TRIGGER_SECONDS):
        look_for_triggers()


@shared_task(soft_time_limit=250, time_limit=280)  # a week may have to be caught up with
def make_reports() -> None:
    """Yesterday's daily report once its day is over, and a reminder of those that nobody signs."""
    if jobs.claim_slot("reports", REPORT_SECONDS):
        make_due_reports()
        remind_of_unsigned()


@shared_task
def tidy_up() -> None:
    jobs.forget_old_slots()
    forget_old_deliveries()
    expire_overdue()
    exports.expire_exports()


def _for_ever(step: Callable[[], int]) -> None:
    """The body of a worker's own thread. It must outlive anything, so it logs what it did not expect and goes on."""
    while True:
        claimed = 0
        try:
            close_old_connections()
            claimed = step()
        except DatabaseError as error:
            log.warning("%s: no database (%s)", threading.current_thread().name, type(error).__name__)
        except Exception:  # a defect in one step must not stop the search for everything else
            log.exception("%s met something unexpected and goes on", threading.current_thread().name)
        if not claimed:
            time.sleep(POLL_SECONDS)


class _Poller:
    """Orders that no bell announced, and the sign of life of the process."""

    def __init__(self) -> None:
        self._heart_due = 0.0

    def __call__(self) -> int:
        if time.monotonic() >= self._heart_due:
            jobs.beat_heart()
            self._heart_due = time.monotonic() + HEART_SECONDS
        return poll_once() if process_role().startswith("orders") else 0


@worker_process_init.connect
def start_threads(**_kwargs: object) -> None:
    """After fork: the threads, their database connections and their lines to the venues belong to this child alone.
    Algos have a thread of their own, so that a venue that hangs at one of them keeps no order waiting."""
    threading.Thread(target=_for_ever, args=(_Poller(),), name="poller", daemon=True).start()
    if process_role().startswith("orders"):
        threading.Thread(target=_for_ever, args=(run_due_algos,), name="algos", daemon=True).start()
