"""The audit chain: one entry, one byte string, one hash, on every machine."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.chain import (
    GENESIS,
    EntryHasher,
    canonical,
    canonical_bytes,
    entry_hash,
    entry_hash_of_bytes,
)
from trading.domain.enums import Side

KEY = b"k" * 32
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
text = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=10,
)
entries = st.dictionaries(text, values, max_size=5)


def test_canonical_bytes_are_what_they_were_on_the_first_day():
    entry = {
        "quantity": Decimal("1E-7"),
        "at": NOON,
        "side": Side.BUY,
        "id": UUID(int=1),
        "note": "ü",
        "list": (1, None, True),
        "set": {"b", "a"},
    }
    assert canonical_bytes(entry).decode() == (
        '{"at":"2026-01-02T12:00:00.000000+00:00","id":"00000000-0000-0000-0000-000000000001",'
        '"list":[1,null,true],"note":"ü","quantity":"0.0000001","set":["a","b"],"side":"BUY"}'
    )
    assert entry_hash(KEY, GENESIS, {"kind": "test"}) == (
        "e57490ac727971f3dbd235cacc5bfe99c70cb7227cafe369a4ad2ed286b0adce"
    )


@given(entries)
def test_the_order_of_keys_does_not_matter(entry):
    turned = dict(reversed(entry.items()))
    assert canonical_bytes(turned) == canonical_bytes(entry)


@given(entries)
def test_a_stored_entry_reads_back_to_the_same_bytes(entry):
    stored = json.loads(canonical_bytes(entry))
    assert canonical_bytes(stored) == canonical_bytes(entry)
    assert canonical_bytes(canonical(entry)) == canonical_bytes(entry)


@given(entries, entries)
def test_different_entries_have_different_bytes_and_hashes(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical_bytes(one) == canonical_bytes(other)) == same
    assert (entry_hash(KEY, GENESIS, one) == entry_hash(KEY, GENESIS, other)) == same


def test_equal_decimals_and_equal_instants_have_equal_bytes():
    east = timezone(timedelta(hours=8))
    assert canonical_bytes(Decimal("1.500")) == canonical_bytes(Decimal("1.5")) == b'"1.5"'
    assert canonical_bytes(NOON.astimezone(east)) == canonical_bytes(NOON)


@pytest.mark.parametrize("bad", [0.1, float("nan"), {"a": [1.0]}, {"a": {"b": (float("inf"),)}}])
def test_floats_are_refused_at_any_depth(bad):
    with pytest.raises(TypeError, match="floats"):
        canonical_bytes(bad)


def test_what_means_another_thing_elsewhere_is_refused():
    with pytest.raises(TypeError, match="naive"):
        canonical_bytes({"at": NOON.replace(tzinfo=None)})
    with pytest.raises(TypeError, match="same text"):
        canonical_bytes({1: "a", "1": "b"})
    with pytest.raises(TypeError):
        canonical_bytes({"raw": b"bytes"})


def test_nothing_can_be_moved_between_the_previous_hash_and_the_entry():
    # Without length prefixes these two would hash the same bytes.
    assert entry_hash(KEY, "a", {}) != entry_hash(KEY, "", {})
    assert entry_hash(KEY, "ab" + "{}", {}) != entry_hash(KEY, "ab", {})
    hashes = {entry_hash(KEY, previous, {"a": "b"}) for previous in ("", "x", "xx", '{"a":"b"}', GENESIS)}
    assert len(hashes) == 5


def test_the_hash_needs_the_key_and_depends_on_everything():
    first = entry_hash(KEY, GENESIS, {"kind": "test"})
    assert len(first) == 64
    assert first != entry_hash(b"x" * 32, GENESIS, {"kind": "test"})
    assert first != entry_hash(KEY, "1" * 64, {"kind": "test"})
    assert first != entry_hash(KEY, GENESIS, {"kind": "tesT"})


@given(key=st.binary(min_size=1, max_size=100), previous=st.text(max_size=80), entry=st.binary(max_size=300))
def test_the_hasher_of_millions_gives_the_hash_of_one(key: bytes, previous: str, entry: bytes) -> None:
    previous = previous.encode("utf-8", "ignore").decode()
    assert EntryHasher(key).hash(previous, entry) == entry_hash_of_bytes(key, previous, entry)
