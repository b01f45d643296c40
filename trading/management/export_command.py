"""Base of the exporting commands: a format, a time span, a file that is whole or not there at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from trading.management.operator_command import OperatorCommand, long_statements, parse_time
from trading.management.progress import ProgressBar

FORMATS = ("csv", "ndjson")


class ExportCommand(OperatorCommand):
    """A subclass names its rows, their filters, and the function that writes them."""

    reports = False
    what = "rows"
    default_format = "csv"
    time_field = ""

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=FORMATS, default=self.default_format)
        parser.add_argument("--output", metavar="FILE", help="default: standard output")
        parser.add_argument("--since", type=parse_time, metavar="TIME", help="from this time on (UTC)")
        parser.add_argument(
            "--until", type=parse_time, metavar="TIME", help="up to, not including, this time"
        )
        self.add_filters(parser)

    def add_filters(self, parser: CommandParser) -> None:
        raise NotImplementedError

    def choose_rows(self, options: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def write_rows(self, rows: Any, format_name: str) -> Iterable[str]:
        """The lines; the first may be a heading."""
        raise NotImplementedError

    def work(self, options: Mapping[str, Any]) -> None:
        rows = self.choose_rows(options)
        if options["since"]:
            rows = rows.filter(**{f"{self.time_field}__gte": options["since"]})
        if options["until"]:
            rows = rows.filter(**{f"{self.time_field}__lt": options["until"]})
        with long_statements():
            self._write(rows, options)

    def _write(self, rows: Any, options: Mapping[str, Any]) -> None:
        lines = self.write_rows(rows, options["format"])
        if not options["output"]:
            for line in lines:
                self.stdout.write(line, ending="")
            return
        total = rows.count()
        write_file(Path(options["output"]), lines, ProgressBar(self.what, total))
        self.say(f"{total} {self.what} written to {options['output']}")


def write_file(file: Path, lines: Iterable[str], bar: ProgressBar) -> None:
    """Readable by its owner only; an interrupted export leaves nothing that looks complete."""
    draft = file.with_name(f".{file.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as handle:
            for count, line in enumerate(lines, start=1):
                handle.write(line)
                bar.show(count)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    bar.finish()
