"""Merkle trees: known roots of RFC 6962, and proofs that hold for their leaf and for nothing else."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from trading.domain.merkle import (
    EMPTY_ROOT,
    GrowingTree,
    inclusion_proof,
    leaf_hash,
    root_from_proof,
    root_of,
)

# The test vectors of the certificate-transparency reference implementation.
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
          "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

leaves = st.lists(st.binary(max_size=12), min_size=1, max_size=40)


def test_the_tree_over_nothing_has_the_hash_of_nothing():
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_known_leaves_have_their_published_roots():
    for count, root in ROOTS.items():
        assert root_of([leaf_hash(leaf) for leaf in LEAVES[:count]]).hex() == root


@given(st.lists(st.binary(max_size=12), max_size=40))
def test_leaves_that_arrive_one_by_one_give_the_same_root(found):
    hashes = [leaf_hash(leaf) for leaf in found]
    tree = GrowingTree()
    for leaf in hashes:
        tree.add(leaf)
    assert (tree.count, tree.root()) == (len(hashes), root_of(hashes))


@given(leaves, st.data())
def test_every_leaf_can_be_proved(found, data):
    hashes = [leaf_hash(leaf) for leaf in found]
    index = data.draw(st.integers(0, len(hashes) - 1))
    proof = inclusion_proof(hashes, index)
    assert root_from_proof(hashes[index], index, len(hashes), proof) == root_of(hashes)


@given(leaves, st.data())
def test_a_proof_holds_for_no_other_leaf(found, data):
    hashes = [leaf_hash(leaf) for leaf in found]
    index = data.draw(st.integers(0, len(hashes) - 1))
    proof = inclusion_proof(hashes, index)
    other = leaf_hash(b"another leaf of more than twelve bytes")
    assert root_from_proof(other, index, len(hashes), proof) != root_of(hashes)


@given(leaves, st.data())
def test_a_proof_of_the_wrong_length_proves_nothing(found, data):
    hashes = [leaf_hash(leaf) for leaf in found]
    index = data.draw(st.integers(0, len(hashes) - 1))
    proof = [*inclusion_proof(hashes, index), leaf_hash(b"one too many")]
    assert root_from_proof(hashes[index], index, len(hashes), proof) != root_of(hashes)


@given(leaves)
def test_changing_removing_or_swapping_a_leaf_changes_the_root(found):
    hashes = [leaf_hash(leaf) for leaf in found]
    root = root_of(hashes)
    assert root_of([leaf_hash(b"changed into something else"), *hashes[1:]]) != root
    assert root_of(hashes[1:]) != root
    if hashes[0] != hashes[-1]:
        assert root_of([hashes[-1], *hashes[1:-1], hashes[0]]) != root
