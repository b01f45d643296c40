"""The Celery application. Tasks live in trading.tasks; their settings stand in celery_settings.py.

Order workers accept no remote control: nobody who can write to Redis may steer them.
"""

from __future__ import annotations

import gc
import os

from celery import Celery
from celery.signals import celeryd_after_setup, setup_logging, task_prerun
from django.conf import settings
from django.db import close_old_connections

from levi_site.redis_transport import use_tolerant_transport
from levi_site.start_hold import join_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levi_site.settings")

use_tolerant_transport()
app = Celery("levi")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery's fixup for Django would end the database connection after every task: a login and an audit chain per task.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000_000
app.autodiscover_tasks(["trading"])


@task_prerun.connect
def check_connections(**_kwargs: object) -> None:
    """A connection that the server ended since the last task is replaced before it is used."""
    close_old_connections()


@setup_logging.connect
def keep_our_logging(**_kwargs: object) -> None:
    """Connecting this signal is what stops Celery from replacing the handlers that redact."""


@celeryd_after_setup.connect
def hold_back_first_worker(**_kwargs: object) -> None:
    """However this worker was started: where none ran on this host, the start is halted before it takes any work."""
    try:
        join_start(settings.HOME_DIR, settings.LEVI_MODE)
    except OSError as error:
        # Celery swallows what a receiver raises, but not this: a worker that may have to be held back does not run.
        raise SystemExit(
            f"levi: no worker starts, because the stop flag of this start cannot be raised ({error}); "
            f"make {settings.HOME_DIR / 'run'} writable for it"
        ) from error


@celeryd_after_setup.connect
def share_memory_with_pool(**_kwargs: object) -> None:
    """Before the pool forks: what is frozen is never touched by the children's collector, so its pages stay shared.
    Measured: 1 instead of 31 MB of private memory per child."""
    gc.collect()
    gc.freeze()
