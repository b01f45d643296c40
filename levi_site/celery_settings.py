"""Celery as a doorbell: messages may be lost, doubled, delayed or forged without effect on any order.

Early acknowledgement, JSON only, no results, no ETA and no retries: the database rows are the queue, and sweeps
find what no bell announced. Publishing fails fast, because a web request must never hang on Redis.
"""

from __future__ import annotations

from typing import Any

from kombu import Queue

QUEUES = ("orders", "resolve", "sync", "default")
ORDER_QUEUES = ("orders", "resolve")
# Equal everywhere, because the shortest wins. Above the usual hard limit; that some tasks run longer (drills,
# verification, exports) costs nothing, because a message is acknowledged before its task runs.
VISIBILITY_SECONDS = 60

TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": VISIBILITY_SECONDS,
    "unacked_restore_interval": 5,  # the default sweep runs every 100 s
    "unacked_restore_throttle": 1,
    "health_check_interval": 10,
    "socket_timeout": 10,  # without it a publish into a half-open connection waits for ever
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "retry_on_timeout": True,
    # How often a *publisher* re-dials (consumers never give up): without these it dials for ever.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}

CELERY_SETTINGS: dict[str, Any] = {
    "TASK_SERIALIZER": "json",
    "ACCEPT_CONTENT": ["json"],
    "RESULT_BACKEND": None,
    "TASK_IGNORE_RESULT": True,
    "TASK_ACKS_LATE": False,
    "TASK_REJECT_ON_WORKER_LOST": False,
    "WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS": False,
    "TASK_QUEUES": tuple(Queue(name, routing_key=name) for name in QUEUES),
    "TASK_DEFAULT_QUEUE": "default",
    "TASK_DEFAULT_ROUTING_KEY": "default",
    "TASK_CREATE_MISSING_QUEUES": False,
    "TASK_SOFT_TIME_LIMIT": 25,
    "TASK_TIME_LIMIT": 35,
    "TASK_PUBLISH_RETRY": False,
    "TASK_SEND_SENT_EVENT": False,
    "WORKER_SEND_TASK_EVENTS": False,
    "WORKER_PREFETCH_MULTIPLIER": 1,
    "WORKER_DISABLE_PREFETCH": True,
    "WORKER_HIJACK_ROOT_LOGGER": False,
    "WORKER_REDIRECT_STDOUTS": False,
    "WORKER_SOFT_SHUTDOWN_TIMEOUT": 5.0,
    "WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE": True,
    "BROKER_CONNECTION_RETRY_ON_STARTUP": True,
    "BROKER_CONNECTION_MAX_RETRIES": None,
    "BROKER_TRANSPORT_OPTIONS": TRANSPORT_OPTIONS,
    "VISIBILITY_TIMEOUT": VISIBILITY_SECONDS,
    "BEAT_SCHEDULER": "django_celery_beat.schedulers:DatabaseScheduler",
    "BEAT_MAX_LOOP_INTERVAL": 5,
    "ENABLE_UTC": True,
    "TIMEZONE": "UTC",
}
