"""Makes the proof for one audit entry: a file that shows, without Levi, that the entry stood in the trail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from trading.audit import prove
from trading.audit.proofs import proof_text
from trading.management.export_command import write_file
from trading.management.operator_command import OperatorCommand
from trading.management.progress import ProgressBar


class Command(OperatorCommand):
    help = "Write the proof that an audit entry stands under a signed checkpoint; verify_levi_audit.py checks it."
    reports = False

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("entry_id", type=int)
        parser.add_argument("--output", metavar="FILE", help="default: standard output")

    def work(self, options: Mapping[str, Any]) -> None:
        text = proof_text(prove(options["entry_id"]))
        if not options["output"]:
            self.stdout.write(text, ending="")
            return
        write_file(Path(options["output"]), [text], ProgressBar("proof", 1, shown=False))
        self.say(f"Proof written to {options['output']}; check it with tools/verify_levi_audit.py")
