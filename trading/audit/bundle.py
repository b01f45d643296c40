"""The bundle for an auditor: a folder with every sealed entry, the checkpoints, the anchors, the key and a verifier.

Entries stand in the order of the checkpoints' leaves and each line is its leaf, so that the verifier reads both files
once, side by side. The folder is whole or not there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from trading.domain.chain import canonical_bytes
from trading.domain.errors import InvalidInput

from .proofs import describe_checkpoint, describe_key
from .reading import long_reading, read_sealed
from .rows import FETCH, canonical_texts

VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "verify_levi_audit.py"
_HOW = """An audit trail of Levi: {entries} entries under {checkpoints} checkpoints, signed by key {key_id}.

    python3 verify_levi_audit.py .

Python 3.9 or newer, nothing else. Compare the key id with the one you noted when the installation began, and hand over
anchors that were kept elsewhere with --anchors FILE: this folder's own copy proves nothing against whoever made it.
"""


def export_bundle(folder: Path, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
    """Write it; returns what was written. Entries that no checkpoint seals yet are not in it."""
    if folder.exists():
        raise InvalidInput(f"{folder} is there already.", remedy="Name a folder that is not there yet.")
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    try:
        written = _fill(draft, progress)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return written


def _fill(draft: Path, progress: Callable[[int], None] | None) -> dict[str, Any]:
    key = describe_key()
    with _open(draft / "entries.ndjson") as entries, _open(draft / "checkpoints.ndjson") as checkpoints:
        counts = _write_sealed(entries, checkpoints, progress)
    with _open(draft / "key.json") as file:
        file.write(canonical_bytes(key) + b"\n")
    with _open(draft / "README.txt") as file:
        file.write(_HOW.format(**counts, key_id=key["key_id"]).encode())
    shutil.copyfile(VERIFIER, draft / VERIFIER.name)
    if settings.AUDIT_ANCHOR_FILE.exists():
        shutil.copyfile(settings.AUDIT_ANCHOR_FILE, draft / "anchors.jsonl")
    return {**counts, "key_id": key["key_id"]}


def _write_sealed(
    entries: IO[bytes], checkpoints: IO[bytes], progress: Callable[[int], None] | None
) -> dict[str, int]:
    counts = {"entries": 0, "checkpoints": 0}
    with long_reading():
        for checkpoint, rows in read_sealed():
            checkpoints.write(canonical_bytes(describe_checkpoint(checkpoint)) + b"\n")
            counts["checkpoints"] += 1
            for row in rows:
                entries.write(canonical_texts(row)[1] + b"\n")
                counts["entries"] += 1
                if progress and counts["entries"] % FETCH == 0:
                    progress(counts["entries"])
    return counts


def _open(file: Path) -> IO[bytes]:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
