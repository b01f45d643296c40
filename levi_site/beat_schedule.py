"""What Celery beat rings, and how often. Beat copies these rows into the database by name at its start; there
they are visible in the panel. Rings are hints: each periodic slot runs once, whoever rings.

Each row: name -> {"task": "trading.tasks.<name>", "schedule": seconds, "options": {"queue": …, "expires": …}}.
"""

from __future__ import annotations

from typing import Any

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "portfolio-sync": {
        "task": "trading.tasks.sync_all_accounts",
        "schedule": 10.0,
        "options": {"queue": "sync", "expires": 10},
    },
    # The order workers poll by themselves; this finds what they cannot when all of them are gone or busy.
    "order-poll": {
        "task": "trading.tasks.poll_orders",
        "schedule": 5.0,
        "options": {"queue": "resolve", "expires": 5},
    },
    # Looks whether one is due (live.drill_hours); a drill itself is as rare as that.
    "drill": {
        "task": "trading.tasks.run_due_drill",
        "schedule": 600.0,
        "options": {"queue": "default", "expires": 300},
    },
    # A control change, a minute or a thousand entries: then a checkpoint is due.
    "audit-seal": {
        "task": "trading.tasks.seal_audit",
        "schedule": 15.0,
        "options": {"queue": "default", "expires": 15},
    },
    # Looks only where no sync and no supervisor has looked.
    "triggers": {
        "task": "trading.tasks.watch_triggers",
        "schedule": 15.0,
        "options": {"queue": "default", "expires": 15},
    },
    # What came since the last hour; once a day everything.
    "audit-verification": {
        "task": "trading.tasks.verify_audit",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 1800},
    },
    # The supervisor delivers alerts by itself; this is for when it is gone.
    "alert-delivery": {
        "task": "trading.tasks.deliver_alerts",
        "schedule": 3.0,
        "options": {"queue": "default", "expires": 3},
    },
    # A request rings by itself; this finds those whose ring was lost or whose writer died.
    "exports": {
        "task": "trading.tasks.run_exports",
        "schedule": 30.0,
        "options": {"queue": "default", "expires": 30},
    },
    # Looks whether a trading day is over that has no report yet, and whether one waits for a signature.
    "daily-report": {
        "task": "trading.tasks.make_reports",
        "schedule": 300.0,
        "options": {"queue": "default", "expires": 300},
    },
    # Looks which venue keys were not asked about for a day.
    "key-rights": {
        "task": "trading.tasks.check_due_keys",
        "schedule": 600.0,
        "options": {"queue": "sync", "expires": 300},
    },
    "tidy-up": {
        "task": "trading.tasks.tidy_up",
        "schedule": 3600.0,
        "options": {"queue": "default", "expires": 600},
    },
}
