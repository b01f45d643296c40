"""The audit trail: `record` is the only writer; `verify` and `export` read it.

An entry is written in the transaction of the change it describes, so that neither exists without the other.
"""

from .export import export_entries
from .verify import AuditReport, Damage, verify
from .writer import record

__all__ = ["AuditReport", "Damage", "export_entries", "record", "verify"]
