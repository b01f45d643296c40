"""Django system checks: settings without which the guarantees do not hold. They run before every command.

What depends on the machine (reachability, file modes, clock) is preflight's business, not theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register

Problem = tuple[bool, str, str]


def find_database_problems() -> list[Problem]:
    database = settings.DATABASES["default"]
    return [
        (
            database["ENGINE"] != "django.db.backends.postgresql",
            "the database is not PostgreSQL",
            "set DATABASE_URL=postgresql://…",
        ),
        (
            bool(database.get("ATOMIC_REQUESTS")),
            "ATOMIC_REQUESTS is on: a venue call would happen inside a transaction",
            "remove it from DATABASES",
        ),
        (
            len(settings.DATABASES) != 1,
            "more than one database is configured",
            "keep only 'default'",
        ),
    ]


def find_mode_problems() -> list[Problem]:
    real_money = settings.LEVI_MODE == "production"
    return [
        (
            real_money and bool(getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False)),
            "tasks run eagerly: venue calls would run inside the caller's transaction",
            "remove CELERY_TASK_ALWAYS_EAGER",
        ),
        (
            real_money and bool(settings.EMBEDDED_SERVERS),
            f"production runs on embedded servers ({', '.join(settings.EMBEDDED_SERVERS)})",
            "set DATABASE_URL and REDIS_URL to servers that are backed up and watched",
        ),
        (
            settings.LEVI_MODE != "paper" and settings.DEBUG,
            "DEBUG is on outside paper mode",
            "unset DEBUG",
        ),
        (
            real_money and bool(settings.SIMULATOR_URL),
            "production is pointed at a simulated venue",
            "unset SIMULATOR_URL",
        ),
    ]


SOURCES: tuple[Callable[[], list[Problem]], ...] = (find_database_problems, find_mode_problems)


@register(Tags.security)
def check_wiring(app_configs: object = None, **_kwargs: Any) -> list[Error]:
    problems = [problem for source in SOURCES for problem in source()]
    return [
        Error(message, hint=remedy, id=f"levi.E{number:03}")
        for number, (broken, message, remedy) in enumerate(problems, start=1)
        if broken
    ]
