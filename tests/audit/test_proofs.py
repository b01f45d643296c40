"""Proofs of single entries: every sealed one has one, no other has, and it leads to the signed root."""

from __future__ import annotations

import pytest
from django.db import transaction

from trading import audit
from trading.audit.proofs import NotSealed
from trading.audit.signing import is_signed, public_key
from trading.domain.actors import system_actor
from trading.domain.chain import checkpoint_hash
from trading.domain.errors import UnknownName
from trading.domain.merkle import leaf_hash, root_from_proof

TESTS = system_actor("tests")


@pytest.fixture
def ids(db, settings, tmp_path) -> list[int]:
    settings.AUDIT_ANCHOR_FILE = tmp_path / "anchors.jsonl"
    found = []
    for size in (1, 2, 7):
        with transaction.atomic():
            found += [audit.record("note.made", actor=TESTS, data={"n": n}).pk for n in range(size)]
        audit.seal("test", actor=TESTS)
    return found


def test_every_sealed_entry_can_be_proven(ids):
    for entry_id in ids:
        proof = audit.prove(entry_id)
        checkpoint = proof["checkpoint"]
        path = [bytes.fromhex(step) for step in proof["path"]]
        leaf = leaf_hash(proof["entry"].encode())
        root = root_from_proof(leaf, proof["index"], checkpoint["entry_count"], path)
        assert root is not None and root.hex() == checkpoint["root"]
        signed = {name: checkpoint[name] for name in checkpoint if name not in ("hash", "signature")}
        assert checkpoint_hash(signed) == checkpoint["hash"]
        assert is_signed(public_key(), checkpoint["hash"], checkpoint["signature"])
        assert f'"id":{entry_id},' in proof["entry"]


def test_an_entry_that_no_checkpoint_seals_yet_has_no_proof(ids):
    with transaction.atomic():
        entry = audit.record("note.made", actor=TESTS)
    with pytest.raises(NotSealed, match="next checkpoint"):
        audit.prove(entry.pk)


def test_an_entry_that_does_not_exist_has_no_proof(ids):
    with pytest.raises(UnknownName):
        audit.prove(max(ids) + 1000)
