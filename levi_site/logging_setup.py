"""Logging of every process: structured, one line per event, redacted at the root handler.

`key=value` lines for people (default), JSON with LEVI_LOG_FORMAT=json. Every line carries time, level, logger and,
inside a request or task, its request id. The HTTP client's own loggers stay at WARNING because they print full
signed URLs. Line breaks inside an event are escaped: one event can never look like two.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from levi_site.redaction import redact
from levi_site.request_id import get_request_id

QUIET_LOGGERS = ("httpx", "httpcore", "urllib3", "amqp", "kombu", "celery.redirected", "asyncio")


def add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if found := get_request_id():
        event.setdefault("request_id", found)
    return event


SHARED_PROCESSORS: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.contextvars.merge_contextvars,
    add_request_id,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def quote_value(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f'"{text}"' if not text or " " in text or '"' in text else text


def render_key_value(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """`time level logger event key=value …`, a traceback indented below."""
    event.pop("color_message", None)
    traceback = event.pop("exception", "")
    message = str(event.pop("event", "")).replace("\r", "\\r").replace("\n", "\\n")
    head = [str(event.pop(key, "-")) for key in ("timestamp", "level", "logger")]
    pairs = [f"{key}={quote_value(value)}" for key, value in event.items()]
    tail = "".join(f"\n    {line}" for line in traceback.splitlines())
    return " ".join([*head, message, *pairs]) + tail


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """The last step before the handler writes: nothing that looks like a secret passes."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def make_formatter(log_format: str) -> dict[str, Any]:
    renderer = structlog.processors.JSONRenderer() if log_format == "json" else render_key_value
    return {
        "()": RedactingFormatter,
        "foreign_pre_chain": SHARED_PROCESSORS,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    }


def make_logging_config(log_format: str, level: str) -> dict[str, Any]:
    """Django's LOGGING; also tells structlog to hand its events to the standard library's handlers."""
    structlog.configure(
        processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": make_formatter(log_format)},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in QUIET_LOGGERS}
        | {
            # Django installs its own handlers on these two; one line per event is enough.
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
        },
    }
