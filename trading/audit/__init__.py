"""The audit trail: `record` and `record_many` are the only writers, `seal` signs checkpoints, the rest reads.

An entry is written in the transaction of the change it describes, so that neither exists without the other. A
checkpoint seals what is committed, beside the order path.
"""

from .checkpoints import seal, seal_if_due, why_seal
from .damage import AuditReport, Damage, DamageKind
from .export import export_entries
from .proofs import find_seal, prove
from .verify import verify
from .writer import Fact, record, record_many, subscribe

__all__ = [
    "AuditReport",
    "Damage",
    "DamageKind",
    "Fact",
    "export_entries",
    "find_seal",
    "prove",
    "record",
    "record_many",
    "seal",
    "seal_if_due",
    "subscribe",
    "verify",
    "why_seal",
]
