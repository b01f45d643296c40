"""Base of the commands an operator types: exit codes, --json, progress, and errors without tracebacks.

    0 done · 1 failed, or the report is bad news · 2 wrong use

What a command reports goes to stdout, as text or with --json as one JSON document; what it says while it works goes to
stderr. Commands run without Django's system checks: they must start fast and while other parts of the stack are down.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseTrouble
from django.db import connection

from trading.domain.actors import Actor, ActorKind
from trading.domain.chain import canonical
from trading.domain.errors import InvalidInput, LeviError
from trading.process_name import os_user

FAILED = 1
WRONG_USE = 2
_INTERRUPTED = 130


def parse_time(text: str) -> datetime:
    """An argument's type: ISO 8601, UTC unless it says otherwise."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@contextmanager
def long_statements() -> Iterator[None]:
    """Inside, a statement may take longer than a request ever may: for reads of a whole table."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Expected failures become one line on stderr and an exit code."""
    try:
        yield
    except InvalidInput as error:
        raise CommandError(str(error), returncode=WRONG_USE) from error
    except LeviError as error:
        raise CommandError(str(error), returncode=FAILED) from error
    except DatabaseTrouble as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CommandError(f"The database cannot be used: {said}", returncode=FAILED) from error
    except OSError as error:
        raise CommandError(str(error), returncode=FAILED) from error
    except KeyboardInterrupt as error:
        raise CommandError("Interrupted.", returncode=_INTERRUPTED) from error


class OperatorCommand(BaseCommand):
    """A subclass has `add_options` and `work`; `work` may raise any LeviError."""

    requires_system_checks = ()
    reports = True  # offers --json

    def add_arguments(self, parser: CommandParser) -> None:
        self.as_json = False
        self.add_options(parser)
        if self.reports:
            parser.add_argument("--json", action="store_true", help="report as one JSON document on stdout")

    def add_options(self, parser: CommandParser) -> None:
        """The command's own arguments."""

    def handle(self, *_arguments: Any, **options: Any) -> None:
        self.as_json = bool(options.get("json"))
        with plain_errors():
            self.work(options)

    def work(self, options: Mapping[str, Any]) -> None:
        raise NotImplementedError

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.COMMAND, os_user())

    def say(self, text: str) -> None:
        """Progress, for people only."""
        if not self.as_json:
            self.stderr.write(text, style_func=str)
            self.stderr.flush()

    def report(self, found: Mapping[str, Any], text: str) -> None:
        """The result, once: `found` with --json, else `text`."""
        document = json.dumps(canonical(dict(found)), ensure_ascii=False, indent=2)
        self.stdout.write(document if self.as_json else text)

    def fail(self, text: str) -> None:
        """After a report that is bad news."""
        raise CommandError(text, returncode=FAILED)
