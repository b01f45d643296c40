"""Makes a checkpoint now: before a backup, before an upgrade, or for a proof that is wanted at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.audit import seal
from trading.audit.proofs import describe_checkpoint
from trading.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = "Seal all audit entries that no checkpoint covers yet."

    def work(self, options: Mapping[str, Any]) -> None:
        made = seal("command", actor=self.actor)
        if made is None:
            self.report({"number": None}, "Nothing to seal.")
            return
        text = f"Checkpoint {made.number} seals {made.entry_count} entries; its hash is {made.hash}"
        self.report(describe_checkpoint(made), text)
