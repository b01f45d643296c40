"""A thousand ways to tamper with the trail, all of them found: with and without the audit key, in rows and as a whole.

Most work on a trail in memory, inspected by the product's own inspection; some of every kind work on real tables.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.audit.trails import KEY, MemoryTrail, canonical_time, chained, make_trail, resign
from trading.audit.anchors import Anchor
from trading.audit.damage import DamageKind
from trading.audit.signing import sign
from trading.domain.chain import GENESIS

TIMES = 1000
CHECKPOINT_FIELDS = (
    *("number", "at", "reason", "actor", "streams", "entry_count", "max_entry_id", "root"),
    *("previous_hash", "hash", "signature", "key_id"),
)
OTHER_KEY = b"somebody else's key"
Tampering = Callable[[MemoryTrail, random.Random], None]

CHANGES: dict[str, Callable[[Any], Any]] = {
    "id": lambda found: found + 1000,
    "stream": lambda _found: str(uuid4()),
    "sequence": lambda found: found + 100,
    "at": lambda found: canonical_time(datetime.fromisoformat(found) - timedelta(days=1)),
    "kind": lambda found: found + "x",
    "actor": lambda _found: "operator:mallory",
    "object_type": lambda _found: "account",
    "object_id": lambda found: found + "0",
    "request_id": lambda _found: "",
    "data": lambda _found: '{"n": 1000000}',
    "previous_hash": lambda found: found[::-1],
    "hash": lambda found: found[::-1],
}


def sealed_place(trail: MemoryTrail, dice: random.Random) -> int:
    return dice.randrange(trail.checkpoints[-1].max_entry_id)


def change_a_field(trail: MemoryTrail, dice: random.Random) -> None:
    name = dice.choice(list(CHANGES))
    # The end of a chain that no checkpoint covers yet has no leaf that would show its id.
    place = sealed_place(trail, dice) if name == "id" else dice.randrange(len(trail.rows))
    trail.replace(place, **{name: CHANGES[name](getattr(trail.rows[place], name))})


def delete_entries(trail: MemoryTrail, dice: random.Random) -> None:
    place = sealed_place(trail, dice)
    del trail.rows[place : place + dice.randint(1, 5)]


def insert_an_entry(trail: MemoryTrail, dice: random.Random) -> None:
    """Into a chain that is there: everything behind it moves up, hashes and all, without the key."""
    model = trail.rows[sealed_place(trail, dice)]
    moved = [
        row._replace(sequence=row.sequence + 1)
        if row.stream == model.stream and row.sequence >= model.sequence
        else row
        for row in trail.rows
    ]
    trail.rows = [*moved, chained(model._replace(id=9_000), model.previous_hash, OTHER_KEY)]


def swap_entries(trail: MemoryTrail, dice: random.Random) -> None:
    one, two = dice.sample(range(len(trail.rows)), 2)
    first, second = trail.rows[one], trail.rows[two]
    trail.replace(one, kind=second.kind + "-", data=second.data, object_id=second.object_id)
    trail.replace(two, kind=first.kind + "-", data=first.data, object_id=first.object_id)


def swap_places(trail: MemoryTrail, dice: random.Random) -> None:
    one, two = dice.sample(range(len(trail.rows)), 2)
    first, second = trail.rows[one], trail.rows[two]
    trail.replace(one, stream=second.stream, sequence=second.sequence)
    trail.replace(two, stream=first.stream, sequence=first.sequence)


def cut_off_sealed_entries(trail: MemoryTrail, dice: random.Random) -> None:
    keep = dice.randrange(trail.checkpoints[-1].max_entry_id)
    trail.rows = trail.rows[:keep]


def cut_off_entries_and_checkpoints(trail: MemoryTrail, dice: random.Random) -> None:
    """The database alone looks perfect afterwards."""
    keep = dice.randrange(len(trail.checkpoints))
    trail.checkpoints = trail.checkpoints[:keep]
    end = trail.checkpoints[-1].max_entry_id if keep else 0
    trail.rows = [row for row in trail.rows if row.id <= end]


def recompute_without_the_key(trail: MemoryTrail, dice: random.Random) -> None:
    wanted = trail.rows[sealed_place(trail, dice)]
    trail.recompute(wanted.stream, OTHER_KEY, lambda row: row._replace(kind=row.kind + "x"))


def recompute_with_the_key(trail: MemoryTrail, dice: random.Random) -> None:
    wanted = trail.rows[sealed_place(trail, dice)]
    trail.recompute(
        wanted.stream, KEY, lambda row: row._replace(actor="operator:bob") if row.id == wanted.id else row
    )


def drop_a_chain(trail: MemoryTrail, dice: random.Random) -> None:
    stream = trail.rows[sealed_place(trail, dice)].stream
    trail.rows = [row for row in trail.rows if row.stream != stream]


def forge_a_chain_of_the_past(trail: MemoryTrail, dice: random.Random) -> None:
    """With the key: a new chain with entries of an hour that is over. Free ids, or new ones."""
    model = trail.rows[dice.randrange(6)]
    entry_id = dice.choice([-1, 0, len(trail.rows) + dice.randint(1, 100)])
    old = datetime.fromisoformat(model.at) - timedelta(hours=2)
    forged = model._replace(id=entry_id, stream=str(uuid4()), sequence=1, at=canonical_time(old))
    trail.rows.append(chained(forged, GENESIS))


def slip_in_under_an_old_number(trail: MemoryTrail, dice: random.Random) -> None:
    """With the key: a new chain under an id from before, dated now."""
    model = trail.rows[-1]
    trail.rows.append(
        chained(model._replace(id=dice.choice([-5, 0]), stream=str(uuid4()), sequence=1), GENESIS)
    )


def change_a_checkpoint(trail: MemoryTrail, dice: random.Random) -> None:
    found = dice.choice(trail.checkpoints)
    name = dice.choice(
        [
            "number",
            "at",
            "reason",
            "actor",
            "streams",
            "entry_count",
            "max_entry_id",
            "root",
            "previous_hash",
            "hash",
            "signature",
            "key_id",
        ]
    )
    old = getattr(found, name)
    if name == "streams":
        stream = dice.choice(list(old))
        changed: Any = dice.choice(
            [
                {},
                [],
                {"x": [1, 2]},
                {**old, stream: [1]},
                {**old, stream: [1, 10**30]},
                {**old, stream: ["1", 2.5]},
            ]
        )
    elif name == "at":
        changed = old + timedelta(seconds=1)
    else:
        changed = old + 1000 if isinstance(old, int) else old[:-1] + ("0" if old[-1] != "0" else "1")
    setattr(found, name, changed)


def drop_a_checkpoint(trail: MemoryTrail, dice: random.Random) -> None:
    del trail.checkpoints[dice.randrange(len(trail.checkpoints))]


def swap_checkpoints(trail: MemoryTrail, dice: random.Random) -> None:
    one, two = dice.sample(trail.checkpoints, 2)
    one.number, two.number = two.number, one.number


def replace_a_checkpoint_with_the_key(trail: MemoryTrail, dice: random.Random) -> None:
    """Entry, chain and checkpoint agree again, and all checkpoints after it: only the anchors know better."""
    wanted = trail.rows[sealed_place(trail, dice)]
    trail.recompute(
        wanted.stream, KEY, lambda row: row._replace(actor="operator:bob") if row.id == wanted.id else row
    )
    rebuild_checkpoints(trail)


def rebuild_checkpoints(trail: MemoryTrail) -> None:
    old, anchors, last = trail.checkpoints, trail.anchors, None
    trail.checkpoints = []
    waiting, trail.rows = trail.rows, []
    for checkpoint in old:
        trail.rows = [row for row in waiting if row.id <= checkpoint.max_entry_id]
        last = trail.seal()
        last.at = checkpoint.at
        resign(last)
    trail.rows, trail.anchors = waiting, anchors


def sign_with_another_key(trail: MemoryTrail, dice: random.Random) -> None:
    found = dice.choice(trail.checkpoints)
    found.signature = sign("ab" * 32)


def restore_an_older_state(trail: MemoryTrail, dice: random.Random) -> None:
    """And go on from there: the same numbers come again, with other hashes."""
    cut_off_entries_and_checkpoints(trail, dice)
    anchors = trail.anchors
    for _more in range(dice.randint(0, 6)):
        trail.record(str(uuid4()))
        trail.seal()
    trail.anchors = anchors


def forge_an_anchor(trail: MemoryTrail, dice: random.Random) -> None:
    place = dice.randrange(len(trail.anchors))
    known = trail.anchors[place]
    trail.anchors[place] = Anchor(known.number, known.hash[::-1], known.signature, known.line)


TAMPERINGS: tuple[Tampering, ...] = (
    change_a_field,
    delete_entries,
    insert_an_entry,
    swap_entries,
    swap_places,
    cut_off_sealed_entries,
    cut_off_entries_and_checkpoints,
    recompute_without_the_key,
    recompute_with_the_key,
    drop_a_chain,
    forge_a_chain_of_the_past,
    slip_in_under_an_old_number,
    change_a_checkpoint,
    drop_a_checkpoint,
    swap_checkpoints,
    replace_a_checkpoint_with_the_key,
    sign_with_another_key,
    restore_an_older_state,
    forge_an_anchor,
)


@pytest.fixture(scope="module")
def pristine() -> MemoryTrail:
    return make_trail()


def test_the_pristine_trail_is_intact(pristine):
    report = pristine.inspect()
    assert report.ok, report.damages
    assert (report.entries, report.checkpoints, report.anchors, report.streams) == (51, 4, 4, 4)


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_every_random_tampering_is_found(pristine, tamper):
    dice = random.Random(tamper.__name__)
    missed = []
    for attempt in range(TIMES // len(TAMPERINGS) + 1):
        trail = pristine.copy()
        tamper(trail, dice)
        if trail.inspect().ok:
            missed.append(attempt)
    assert missed == []


@pytest.mark.parametrize("name", CHANGES)
def test_every_column_of_a_sealed_entry_is_covered(pristine, name):
    trail = pristine.copy()
    trail.replace(5, **{name: CHANGES[name](getattr(trail.rows[5], name))})
    assert not trail.inspect().ok


# -- what is named ----------------------------------------------------------------------------------------------------
def test_a_changed_entry_is_named_with_its_checkpoint(pristine):
    trail = pristine.copy()
    trail.replace(17, actor="operator:mallory")
    report = trail.inspect()
    named = {(damage.kind, damage.entry_id, damage.checkpoint) for damage in report.damages}
    assert named == {(DamageKind.CHANGED, 18, 2), (DamageKind.ROOT, 0, 2)}


def test_a_chain_recomputed_with_the_key_is_betrayed_by_every_root_from_there_on(pristine):
    trail = pristine.copy()
    stream = trail.rows[14].stream
    trail.recompute(stream, KEY, lambda row: row._replace(kind="x") if row.id == 15 else row)
    report = trail.inspect()
    assert report.counts == {"root": 3}
    assert [damage.checkpoint for damage in report.damages] == [2]


def test_a_cut_off_end_is_told_by_the_anchors_alone(pristine):
    trail = pristine.copy()
    trail.checkpoints = trail.checkpoints[:2]
    trail.rows = trail.rows[:24]
    report = trail.inspect()
    assert report.counts == {"anchor": 1}
    assert "ends at 2" in report.damages[0].detail
    trail.anchors = []
    assert trail.inspect().ok, "without anchors nothing can tell: the hole that the documents name"


def test_the_end_that_no_checkpoint_covers_is_the_hole_that_the_documents_name(pristine):
    trail = pristine.copy()
    trail.rows = trail.rows[:-1]
    assert trail.inspect().ok


def test_a_removed_checkpoint_does_not_make_its_entries_missing(pristine):
    trail = pristine.copy()
    del trail.checkpoints[1]
    report = trail.inspect()
    assert set(report.counts) == {"checkpoint"}
    assert report.damages[0].detail == "checkpoint 2 is missing"
