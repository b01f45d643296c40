"""Merkle trees as in RFC 6962: the root of many audit entries, and short proofs that one of them is under it.

Leaves and nodes are hashed in different domains (0x00, 0x01), so that a node can never be passed off as a leaf. Pure
functions over bytes; everything is SHA-256 without a key, so that anybody can check a proof.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in their order. The tree over nothing has a root of its own."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        pairs = [_node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        # RFC 6962 leaves an odd node as it is; it joins at the next level.
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


class GrowingTree:
    """The same root from leaf hashes that arrive one by one: memory for a branch, not for the leaves."""

    def __init__(self) -> None:
        self.count = 0
        self._peaks: list[bytes] = []  # roots of the full subtrees, the largest first

    def add(self, leaf: bytes) -> None:
        carried, rest = leaf, self.count
        while rest & 1:
            carried = _node_hash(self._peaks.pop(), carried)
            rest >>= 1
        self._peaks.append(carried)
        self.count += 1

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = _node_hash(peak, found)
        return found


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The sibling hashes from the leaf up to the root. Raises IndexError for a leaf that is not there."""
    if not 0 <= index < len(hashes):
        raise IndexError(index)
    if len(hashes) == 1:
        return []
    middle = _split(len(hashes))
    if index < middle:
        return [*inclusion_proof(hashes[:middle], index), root_of(hashes[middle:])]
    return [*inclusion_proof(hashes[middle:], index - middle), root_of(hashes[:middle])]


def root_from_proof(leaf: bytes, index: int, count: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that this proof leads to for the leaf hash at `index` of `count`; None if its length is wrong."""
    if count == 1:
        return leaf if not proof and index == 0 else None
    if not proof or not 0 <= index < count:
        return None
    middle = _split(count)
    if index < middle:
        left = root_from_proof(leaf, index, middle, proof[:-1])
        return None if left is None else _node_hash(left, proof[-1])
    right = root_from_proof(leaf, index - middle, count - middle, proof[:-1])
    return None if right is None else _node_hash(proof[-1], right)
