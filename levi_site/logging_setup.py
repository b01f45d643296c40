"""Logging of every process: structured, one line per event, redacted at the root handler.

`time level logger message key=value` for people (default), JSON with LEVI_LOG_FORMAT=json. What a caller passes as
`extra={…}` and, inside a request or task, the request id stand as keys. The HTTP client's own loggers stay at WARNING
because they print full signed URLs. Line breaks inside an event are escaped: one event can never look like two.
"""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Any

from levi_site.redaction import redact
from levi_site.request_id import get_request_id

QUIET_LOGGERS = (
    *("httpx", "httpcore", "urllib3", "apprise", "amqp", "kombu", "asyncio", "celery.redirected"),
    # One line per task received and done says nothing about an order that the audit trail does not say better.
    *("celery.app.trace", "celery.worker.strategy"),
)
STANDARD_KEYS = frozenset(vars(logging.makeLogRecord({}))) | {
    *("message", "asctime", "taskName"),
    # What Django and Celery attach: objects, not facts.
    *("request", "data", "server_time"),
}


class NotEveryTick(logging.Filter):
    """Beat's line per ring, several a second over all entries, would bury everything else."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Scheduler: Sending due task")


def escape_line_breaks(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def quote_value(value: object) -> str:
    text = escape_line_breaks(str(value))
    return '"' + text.replace('"', '\\"') + '"' if not text or " " in text or '"' in text else text


class EventFormatter(logging.Formatter, ABC):
    """Collects what an event says; the subclasses write it down. Nothing that looks like a secret passes."""

    def describe(self, record: logging.LogRecord) -> dict[str, Any]:
        at = datetime.fromtimestamp(record.created, UTC)
        event: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if found := get_request_id():
            event["request_id"] = found
        return event | {key: value for key, value in vars(record).items() if key not in STANDARD_KEYS}

    def format(self, record: logging.LogRecord) -> str:
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        return redact(self.write(self.describe(record), traceback))

    @abstractmethod
    def write(self, event: dict[str, Any], traceback: str) -> str:
        """The line of one event."""


class TextFormatter(EventFormatter):
    """For people; a traceback stands indented below its event."""

    def write(self, event: dict[str, Any], traceback: str) -> str:
        head = [escape_line_breaks(str(event.pop(key))) for key in ("time", "level", "logger", "message")]
        pairs = [f"{key}={quote_value(value)}" for key, value in event.items()]
        return " ".join([*head, *pairs]) + "".join(f"\n    {line}" for line in traceback.splitlines())


class JsonFormatter(EventFormatter):
    """For collectors; everything in one object per line."""

    def write(self, event: dict[str, Any], traceback: str) -> str:
        return json.dumps(
            event | ({"traceback": traceback} if traceback else {}), default=str, ensure_ascii=False
        )


def make_logging_config(log_format: str, level: str) -> dict[str, Any]:
    """Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": JsonFormatter if log_format == "json" else TextFormatter}},
        "filters": {"ticks": {"()": NotEveryTick}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["ticks"]}
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in QUIET_LOGGERS}
        | {
            # Django installs its own handlers on these two; one line per event is enough.
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
        },
    }
