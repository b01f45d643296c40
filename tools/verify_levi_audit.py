#!/usr/bin/env python3
"""Verifies an exported audit trail of Levi, or a proof for one entry. One file, standard library only, Python 3.9+.

    python3 verify_levi_audit.py FOLDER            a bundle made by `manage.py export_audit --bundle FOLDER`
    python3 verify_levi_audit.py proof.json        a proof made by `manage.py prove_audit ID --output proof.json`

    --key-id ID       the key id you noted earlier; without it, any key that signed consistently is accepted
    --anchors FILE    anchors that were kept elsewhere: finds a trail that was cut off or rewritten as a whole
    --all-signatures  check every signature; otherwise the newest, which covers all before it through their hashes

Exit codes: 0 intact, 1 damage (the first wrong line is named), 2 wrong use. Needs neither Levi, nor its database, nor
its key. What it checks: each line of entries.ndjson is a leaf of an RFC 6962 tree (SHA-256) whose root stands in a
checkpoint; checkpoints are numbered without a gap, chained by hashes and signed (Ed25519); each stream of entries is
gap-free and linked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Point = tuple[int, int, int, int]
Row = dict[str, Any]
GENESIS = "0" * 64
DOMAIN = b"levi.audit.checkpoint.v1"
UNHASHED = ("hash", "signature")


class Wrong(Exception):
    """Damage; the message names the file and the line."""


# -- Ed25519, verification only (RFC 8032, section 5.1.7) -------------------------------------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def recover_x(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P:
        return None
    return P - x if (x & 1) != sign else x


def point(text: bytes) -> Point | None:
    """Extended coordinates, or None for bytes that are no point."""
    number = int.from_bytes(text, "little")
    y = number & ((1 << 255) - 1)
    x = recover_x(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar: int, base: Point) -> Point:
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, base)
        base = add(base, base)
        scalar >>= 1
    return total


def are_equal(one: Point, two: Point) -> bool:
    return not (one[0] * two[2] - two[0] * one[2]) % P and not (one[1] * two[2] - two[1] * one[2]) % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0) or 0
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = point(public), point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return are_equal(multiply(scalar, BASE), add(commitment, multiply(challenge, key)))


# -- hashes -----------------------------------------------------------------------------------------------------------
def prefixed(part: bytes) -> bytes:
    return len(part).to_bytes(8, "big") + part


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(line: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """An RFC 6962 root from leaves that come one by one."""

    def __init__(self) -> None:
        self.count = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        rest = self.count
        while rest & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            rest >>= 1
        self.peaks.append(leaf)
        self.count += 1

    def root(self) -> bytes:
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        found = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            found = node_hash(peak, found)
        return found


def root_from_path(leaf: bytes, index: int, count: int, path: list[bytes]) -> bytes | None:
    """None if the path has the wrong length."""
    if count <= 1:
        return leaf if not path and index == 0 and count == 1 else None
    if not path or not 0 <= index < count:
        return None
    middle = 1 << ((count - 1).bit_length() - 1)
    if index < middle:
        left = root_from_path(leaf, index, middle, path[:-1])
        return None if left is None else node_hash(left, path[-1])
    right = root_from_path(leaf, index - middle, count - middle, path[:-1])
    return None if right is None else node_hash(path[-1], right)


def hash_of(checkpoint: Row) -> str:
    fields = {name: value for name, value in checkpoint.items() if name not in UNHASHED}
    return hashlib.sha256(prefixed(DOMAIN) + prefixed(canonical(fields))).hexdigest()


def check_signature(checkpoint: Row, key: Row, place: str) -> None:
    message = prefixed(DOMAIN + b".signature") + bytes.fromhex(checkpoint["hash"])
    if checkpoint["key_id"] != key["key_id"]:
        raise Wrong(f"{place}: signed by key {checkpoint['key_id']}, not by {key['key_id']}")
    signature = bytes.fromhex(checkpoint["signature"])
    is_plain = (
        signature.hex() == checkpoint["signature"]
    )  # one spelling, so that any changed byte is a change
    if not is_plain or not is_signed(bytes.fromhex(key["public_key"]), message, signature):
        raise Wrong(f"{place}: the signature does not fit")


def check_key(key: Row, expected: str) -> None:
    found = hashlib.sha256(bytes.fromhex(key["public_key"])).hexdigest()[:16]
    if found != key["key_id"]:
        raise Wrong(f"the key says it is {key['key_id']}, but is {found}")
    if expected and expected != found:
        raise Wrong(f"signed by key {found}, expected was {expected}")


# -- a bundle ---------------------------------------------------------------------------------------------------------
def parse(line: bytes | str, place: str) -> Row:
    try:
        found = json.loads(line)
    except ValueError:
        raise Wrong(f"{place}: not JSON") from None
    if not isinstance(found, dict):
        raise Wrong(f"{place}: not an object")
    return found


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """(line number, line without its end); a line without an end was cut off."""
    with file.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.endswith(b"\n"):
                raise Wrong(f"{file.name} line {number}: the file ends in the middle of it")
            yield number, line[:-1]


def read_anchors(file: Path) -> dict[int, tuple[str, int]]:
    anchors: dict[int, tuple[str, int]] = {}
    for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        try:
            found = json.loads(line)
            anchors.setdefault(int(found["number"]), (str(found["hash"]), number))
        except (ValueError, KeyError, TypeError):
            continue  # torn by a crash: it was written again
    return anchors


class Bundle:
    """Reads entries and checkpoints side by side, once."""

    def __init__(self, folder: Path, anchors: Path | None, key_id: str, all_signatures: bool) -> None:
        self.folder, self.all_signatures = folder, all_signatures
        self.key = parse((folder / "key.json").read_bytes(), "key.json")
        check_key(self.key, key_id)
        self.anchors = read_anchors(anchors) if anchors else {}
        self.lines = read_lines(folder / "entries.ndjson")
        self.heads: dict[str, tuple[int, Any]] = {}  # stream -> (sequence, hash)
        self.entries = self.checkpoints = 0

    def verify(self) -> None:
        previous, place = GENESIS, ""
        last: Row | None = None
        for number, line in read_lines(self.folder / "checkpoints.ndjson"):
            place = f"checkpoints.ndjson line {number}"
            last = parse(line, place)
            if canonical(last) != line:
                raise Wrong(f"{place}: not written as Levi writes it")
            self.check_checkpoint(last, number, previous, place)
            self.check_entries(last, place)
            previous = last["hash"]
            self.checkpoints += 1
        for number, _line in self.lines:
            raise Wrong(f"entries.ndjson line {number}: no checkpoint seals it")
        if last is not None and not self.all_signatures:
            check_signature(last, self.key, place)
        missing = [number for number in self.anchors if number > self.checkpoints]
        if missing:
            raise Wrong(f"checkpoint {min(missing)} is anchored, but the trail ends at {self.checkpoints}")

    def check_checkpoint(self, checkpoint: Row, number: int, previous: str, place: str) -> None:
        if checkpoint["number"] != number:
            raise Wrong(f"{place}: this is checkpoint {checkpoint['number']}, expected was {number}")
        if checkpoint["previous_hash"] != previous:
            raise Wrong(f"{place}: it does not continue the checkpoint before it")
        if hash_of(checkpoint) != checkpoint["hash"]:
            raise Wrong(f"{place}: its content does not match its hash")
        anchored, line = self.anchors.get(number, (checkpoint["hash"], 0))
        if anchored != checkpoint["hash"]:
            raise Wrong(f"{place}: another checkpoint {number} was anchored (line {line} of the anchors)")
        if self.all_signatures:
            check_signature(checkpoint, self.key, place)

    def check_entries(self, checkpoint: Row, place: str) -> None:
        tree, first_line = Tree(), self.entries + 1
        for stream, (first, last) in sorted(checkpoint["streams"].items()):
            for sequence in range(first, last + 1):
                self.check_entry(stream, sequence, place, tree)
        if tree.count != checkpoint["entry_count"] or tree.root().hex() != checkpoint["root"]:
            raise Wrong(f"entries.ndjson lines {first_line} to {self.entries}: not what {place} seals")

    def check_entry(self, stream: str, sequence: int, place: str, tree: Tree) -> None:
        try:
            number, line = next(self.lines)
        except StopIteration:
            wanted = f"entry {sequence} of stream {stream}"
            raise Wrong(
                f"entries.ndjson ends after line {self.entries}: {wanted} is missing ({place})"
            ) from None
        where = f"entries.ndjson line {number}"
        entry = parse(line, where)
        if (entry.get("stream"), entry.get("sequence")) != (stream, sequence):
            raise Wrong(f"{where}: expected was entry {sequence} of stream {stream} ({place})")
        before = self.heads.get(stream, (0, GENESIS))
        if before[0] + 1 != sequence or before[1] != entry.get("previous_hash"):
            raise Wrong(f"{where}: it does not continue the entry before it in its stream")
        self.heads[stream] = (sequence, entry.get("hash"))
        tree.add(leaf_hash(line))
        self.entries = number


def verify_bundle(options: argparse.Namespace) -> str:
    bundle = Bundle(options.path, options.anchors, options.key_id, options.all_signatures)
    bundle.verify()
    seals = f"{bundle.checkpoints} checkpoints, signed by key {bundle.key['key_id']}"
    return f"Intact: {bundle.entries} entries in {len(bundle.heads)} streams under {seals}."


# -- a proof ----------------------------------------------------------------------------------------------------------
def verify_proof(options: argparse.Namespace) -> str:
    proof = parse(options.path.read_bytes(), options.path.name)
    checkpoint, key = proof["checkpoint"], proof["key"]
    check_key(key, options.key_id)
    if hash_of(checkpoint) != checkpoint["hash"]:
        raise Wrong("the checkpoint's content does not match its hash")
    check_signature(checkpoint, key, "checkpoint")
    leaf = leaf_hash(proof["entry"].encode())
    path = [bytes.fromhex(step) for step in proof["path"]]
    root = root_from_path(leaf, proof["index"], checkpoint["entry_count"], path)
    if root is None or root.hex() != checkpoint["root"]:
        raise Wrong("the entry is not under the checkpoint's root")
    if options.anchors:
        anchored = read_anchors(options.anchors).get(checkpoint["number"])
        if anchored is None or anchored[0] != checkpoint["hash"]:
            raise Wrong(f"checkpoint {checkpoint['number']} is not the one in the anchors")
    entry = parse(proof["entry"], "entry")
    what = f"entry {entry['id']} ({entry['kind']}, {entry['at']}, {entry['actor']})"
    seal = f"checkpoint {checkpoint['number']} of {checkpoint['at']}, signed by key {key['key_id']}"
    return f"Proven: {what} stands under {seal}."


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify an exported audit trail of Levi, or a proof.")
    parser.add_argument("path", type=Path, help="a bundle's folder, or a proof's file")
    parser.add_argument("--key-id", default="", help="the key id that is expected")
    parser.add_argument("--anchors", type=Path, help="anchors that were kept elsewhere")
    parser.add_argument(
        "--all-signatures", action="store_true", help="check every signature, not the newest only"
    )
    options = parser.parse_args(arguments)
    try:
        print(verify_bundle(options) if options.path.is_dir() else verify_proof(options))
    except Wrong as wrong:
        print(f"DAMAGED: {wrong}")
        return 1
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        print(f"DAMAGED: a field is missing or no such thing ({type(error).__name__}: {error})")
        return 1
    except OSError as error:
        print(f"Cannot read: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
