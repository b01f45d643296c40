"""Exports the audit trail, oldest first. NDJSON carries all that the hashes cover; CSV is for people.

--bundle writes a folder that an auditor can verify alone: entries, checkpoints, public key, anchors and a verifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from trading.audit import export_entries, seal
from trading.audit.bundle import export_bundle
from trading.domain.errors import InvalidInput
from trading.management.export_command import ExportCommand
from trading.management.operator_command import long_statements
from trading.management.progress import ProgressBar
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
        parser.add_argument(
            "--bundle", metavar="FOLDER", help="the whole sealed trail, with proofs, as a folder"
        )

    def work(self, options: Mapping[str, Any]) -> None:
        if not options["bundle"]:
            super().work(options)
            return
        narrowing = ("output", "since", "until", "kind", "by", "object_type", "object_id")
        if any(options[name] for name in narrowing):
            raise InvalidInput(
                "A bundle is the whole trail.", remedy="Leave the other options away, or leave --bundle away."
            )
        seal("export", actor=self.actor)
        with long_statements():
            bar = ProgressBar("entries", AuditEntry.objects.count())
            written = export_bundle(Path(options["bundle"]), progress=bar.show)
        bar.finish()
        self.say(
            "{entries} entries under {checkpoints} checkpoints, signed by key {key_id}".format(**written)
        )

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
