"""Exports the audit trail, oldest first. NDJSON carries all that the hashes cover; CSV is for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.audit import export_entries
from trading.management.export_command import ExportCommand
from trading.models import AuditEntry


class Command(ExportCommand):
    help = "Export audit entries."
    what = "entries"
    default_format = "ndjson"
    time_field = "at"

    def add_filters(self, parser: CommandParser) -> None:
        parser.add_argument("--kind", help="a kind such as order.filled, or a family such as order.")
        parser.add_argument("--actor", dest="by", help="such as operator:anna")
        parser.add_argument("--object-type", help="such as order")
        parser.add_argument("--object-id", help="its id")

    def choose_rows(self, options: Mapping[str, Any]) -> Any:
        rows = AuditEntry.objects.all()
        kind = options["kind"]
        if kind:
            rows = rows.filter(kind__startswith=kind) if kind.endswith(".") else rows.filter(kind=kind)
        for name, field in (("by", "actor"), ("object_type", "object_type"), ("object_id", "object_id")):
            if options[name]:
                rows = rows.filter(**{field: options[name]})
        return rows

    def write_rows(self, rows: Any, format_name: str) -> Any:
        return export_entries(rows, format_name)
