"""The stand-alone verifier: needs nothing but Python, accepts what is intact, and names the first wrong line."""

from __future__ import annotations

import ast
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.management.typing_commands import type_here
from tests.tools.conftest import TOOL
from trading.audit.proofs import proof_text, prove
from trading.audit.signing import key_id_of, public_key


def edit(file: Path, line: int, old: str, new: str) -> None:
    lines = file.read_text(encoding="utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    file.write_text("\n".join(lines), encoding="utf-8")


def drop(file: Path, line: int) -> None:
    lines = file.read_text(encoding="utf-8").split("\n")
    del lines[line - 1]
    file.write_text("\n".join(lines), encoding="utf-8")


def find_python_3_9() -> str | None:
    """One that really runs: version managers leave scripts of that name that do not."""
    found = [shutil.which("python3.9"), *map(str, Path.home().glob(".pyenv/versions/3.9.*/bin/python3.9"))]
    for python in filter(None, found):
        if subprocess.run([python, "-V"], capture_output=True, check=False).returncode == 0:
            return python
    return None


# -- what it is -------------------------------------------------------------------------------------------------------
def test_it_uses_the_standard_library_only_and_the_grammar_of_python_3_9():
    tree = ast.parse(TOOL.read_text(encoding="utf-8"), feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


def test_it_runs_on_python_3_9(bundle, verify_alone):
    python = find_python_3_9()
    if python is None:
        pytest.skip("no Python 3.9 here")
    done = verify_alone(TOOL, bundle, "--all-signatures", python=python)
    assert done.code == 0, done.out + done.err


def test_its_signatures_are_those_of_a_library_that_nobody_here_wrote(tool):
    is_signed, dice = tool["is_signed"], random.Random(7)
    for _round in range(12):
        key, message = Ed25519PrivateKey.from_private_bytes(dice.randbytes(32)), dice.randbytes(40)
        public, signature = key.public_key().public_bytes_raw(), key.sign(message)
        assert is_signed(public, message, signature)
        wrong = bytearray(signature)
        wrong[dice.randrange(64)] ^= 1 << dice.randrange(8)
        assert not is_signed(public, message, bytes(wrong))
        assert not is_signed(public, message + b"x", signature)
    # RFC 8032, 7.1, test 1; and S + L, which must be refused.
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )
    assert is_signed(public, b"", signature)
    raised = int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    assert not is_signed(public, b"", signature[:32] + raised.to_bytes(32, "little"))


# -- an intact bundle -------------------------------------------------------------------------------------------------
def test_a_bundle_verifies_with_the_copy_beside_it(bundle, verify_alone):
    key = key_id_of(public_key())
    done = verify_alone(bundle / "verify_levi_audit.py", bundle, "--key-id", key, "--all-signatures")
    assert done.code == 0, done.out + done.err
    assert done.out == f"Intact: 12 entries in 1 streams under 3 checkpoints, signed by key {key}.\n"


def test_it_says_what_it_needs(bundle, verify, verify_alone):
    assert verify_alone(TOOL).code == 2
    assert verify(bundle / "nowhere").code == 2


def test_the_command_makes_the_bundle_whole_or_not_at_all(trail, tmp_path, verify):
    folder = tmp_path / "for the auditor"
    typed = type_here("export_audit", "--bundle", str(folder))
    assert typed.code == 0 and "12 entries under 3 checkpoints" in typed.err
    assert verify(folder, "--anchors", folder / "anchors.jsonl").code == 0
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.txt", "anchors.jsonl", "checkpoints.ndjson", "entries.ndjson", "key.json", "verify_levi_audit.py",
    ]  # fmt: skip
    assert type_here("export_audit", "--bundle", str(folder)).code == 2
    assert type_here("export_audit", "--bundle", str(tmp_path / "x"), "--kind", "order.").code == 2
    assert not (tmp_path / "x").exists()


# -- damage -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda at: edit(at / "entries.ndjson", 6, "Zoë", "Zoe"), "lines 5 to 8"),
        (lambda at: edit(at / "entries.ndjson", 6, "note.made", "note.make"), "lines 5 to 8"),
        (lambda at: drop(at / "entries.ndjson", 6), "entries.ndjson line 6"),
        (lambda at: drop(at / "entries.ndjson", 12), "entries.ndjson ends after line 11"),
        (lambda at: edit(at / "entries.ndjson", 3, '"sequence":3', '"sequence":4'), "entries.ndjson line 3"),
        (lambda at: edit(at / "entries.ndjson", 3, '"previous_hash":"', '"previous_hash":"0'), "entries.ndjson line 3"),
        (lambda at: edit(at / "entries.ndjson", 2, "{", "["), "entries.ndjson line 2"),
        (lambda at: drop(at / "checkpoints.ndjson", 1), "checkpoints.ndjson line 1"),
        (lambda at: drop(at / "checkpoints.ndjson", 2), "checkpoints.ndjson line 2"),
        (lambda at: drop(at / "checkpoints.ndjson", 3), "entries.ndjson line 9: no checkpoint seals it"),
        (lambda at: edit(at / "checkpoints.ndjson", 2, '"reason":"test"', '"reason":"x"'), "checkpoints.ndjson line 2"),
        (lambda at: edit(at / "checkpoints.ndjson", 3, '"signature":"', '"signature":"00'), "signature does not fit"),
        (lambda at: edit(at / "key.json", 1, '"key_id":"', '"key_id":"0'), "the key says"),
        (lambda at: edit(at / "checkpoints.ndjson", 1, '"root"', '"roof"'), "checkpoints.ndjson line 1"),
    ],
)  # fmt: skip
def test_the_first_wrong_line_is_named(bundle, verify, tamper, said):
    tamper(bundle)
    done = verify(bundle)
    assert done.code == 1 and done.out.startswith("DAMAGED: ") and said in done.out, done.out + done.err
    assert done.err == ""


def test_a_bundle_that_was_cut_off_as_a_whole_is_found_by_anchors_kept_elsewhere(bundle, verify, tmp_path):
    drop(bundle / "checkpoints.ndjson", 3)
    for _entry in range(4):
        drop(bundle / "entries.ndjson", 9)
    assert verify(bundle).code == 0
    done = verify(bundle, "--anchors", tmp_path / "kept-elsewhere.jsonl")
    assert done.code == 1 and "checkpoint 3 is anchored, but the trail ends at 2" in done.out


def test_a_trail_signed_by_another_key_is_found_by_the_key_id(bundle, verify):
    done = verify(bundle, "--key-id", "0123456789abcdef")
    assert done.code == 1 and "expected was 0123456789abcdef" in done.out


def test_every_random_flip_of_a_byte_is_found(bundle, tmp_path, tool):
    dice = random.Random(11)
    whole = {name: (bundle / name).read_bytes() for name in ("entries.ndjson", "checkpoints.ndjson")}
    for _attempt in range(150):
        name = dice.choice(list(whole))
        flipped = bytearray(whole[name])
        flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
        (bundle / name).write_bytes(flipped)
        words = [str(bundle), "--anchors", str(tmp_path / "kept-elsewhere.jsonl"), "--all-signatures"]
        assert tool["main"](words) == 1, (name, bytes(flipped))
        (bundle / name).write_bytes(whole[name])


# -- proofs -----------------------------------------------------------------------------------------------------------
def test_a_proof_is_accepted_alone(trail, verify, tmp_path):
    file = tmp_path / "proof.json"
    assert type_here("prove_audit", str(trail[5]), "--output", str(file)).code == 0
    done = verify(file, "--key-id", key_id_of(public_key()), "--anchors", tmp_path / "kept-elsewhere.jsonl")
    assert done.code == 0 and done.out.startswith(f"Proven: entry {trail[5]} (note.made, "), done.out


@pytest.mark.parametrize("field", ["entry", "index", "path", "checkpoint", "key"])
def test_a_proof_that_was_touched_is_refused(trail, verify, tmp_path, field):
    proof = json.loads(proof_text(prove(trail[5])))
    touched = {
        "entry": proof["entry"].replace("note.made", "note.lost"),
        "index": 0,
        "path": proof["path"][:-1],
        "checkpoint": {**proof["checkpoint"], "number": 7},
        "key": {**proof["key"], "public_key": "00" * 32},
    }
    (tmp_path / "proof.json").write_text(json.dumps({**proof, field: touched[field]}), encoding="utf-8")
    assert verify(tmp_path / "proof.json").code == 1
