"""Prints the public key that signs this installation's audit checkpoints. It is no secret: note it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.audit.proofs import describe_key
from trading.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = "Print the public key of the audit checkpoints and its id, to be kept outside of this machine."

    def work(self, options: Mapping[str, Any]) -> None:
        key = describe_key()
        self.report(key, f"key id      {key['key_id']}\npublic key  {key['public_key']} ({key['algorithm']})")
