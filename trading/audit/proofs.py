"""Proofs that can leave the house: one entry with its path to a signed root, checkable without Levi, database or key.

`tools/verify_levi_audit.py` checks what is made here. A proof shows that an entry stood in the trail when its
checkpoint was signed; whoever compares the key id with one noted earlier knows by whom.
"""

from __future__ import annotations

import json
from typing import Any

from trading.domain.chain import canonical
from trading.domain.errors import StaleDecision, UnknownName
from trading.domain.merkle import inclusion_proof, leaf_hash
from trading.models import AuditCheckpoint, AuditEntry

from .checkpoints import sealed_fields
from .inspection import read_spans
from .reading import long_reading, read_leaves
from .rows import EntryRow, canonical_texts
from .signing import key_id_of, public_key

PROOF_FORMAT = "levi-audit-proof-v1"


class NotSealed(StaleDecision):
    code = "not_sealed"
    remedy = "Wait for the next checkpoint, a minute at most, and ask again."


def prove(entry_id: int) -> dict[str, Any]:
    """The entry, its checkpoint and the hashes between them. Raises UnknownName, or NotSealed for one too young."""
    entry = AuditEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise UnknownName(f"There is no audit entry {entry_id}.", code="unknown_audit_entry")
    with long_reading():
        checkpoint = find_seal(entry)
        if checkpoint is None:
            raise NotSealed(f"No checkpoint covers audit entry {entry_id} yet.")
        rows = list(read_leaves(checkpoint))
    leaves = [leaf_hash(canonical_texts(row)[1]) for row in rows]
    index = next(place for place, row in enumerate(rows) if row.id == entry.pk)
    return {
        "format": PROOF_FORMAT,
        "entry": leaf_text(rows[index]),
        "index": index,
        "path": [step.hex() for step in inclusion_proof(leaves, index)],
        "checkpoint": describe_checkpoint(checkpoint),
        "key": describe_key(),
    }


def find_seal(entry: AuditEntry) -> AuditCheckpoint | None:
    """Its checkpoint: the first that saw an id as high, or for a late commit one soon after."""
    candidates = AuditCheckpoint.objects.filter(max_entry_id__gte=entry.pk).order_by("number")
    for checkpoint in candidates.iterator(chunk_size=20):
        first, last = read_spans(checkpoint.streams).get(str(entry.stream), (0, 0))
        if first <= entry.sequence <= last:
            return checkpoint
    return None


def leaf_text(row: EntryRow) -> str:
    """One line, whose bytes are the leaf. As text, because a JSON object has no bytes of its own."""
    return canonical_texts(row)[1].decode()


def describe_checkpoint(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    signed = {"hash": checkpoint.hash, "signature": checkpoint.signature}
    return dict(canonical(sealed_fields(checkpoint) | signed))


def describe_key() -> dict[str, str]:
    public = public_key()
    return {"algorithm": "Ed25519", "public_key": public.hex(), "key_id": key_id_of(public)}


def proof_text(proof: dict[str, Any]) -> str:
    return json.dumps(proof, ensure_ascii=False, indent=2) + "\n"
