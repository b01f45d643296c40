"""Breaking the protocol on purpose makes the simulation fail: each safeguard has a reason that can be shown."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from tests.chaos.virtual.campaign import ROOT, SEEDS_PER_MUTATION, catch
from tests.chaos.virtual.mutations import NAMES, WORDS, Mutations

# Which promise a missing safeguard may break first; anything else would mean that the oracle sees ghosts.
BREAKS = {
    "blind_retry": "O1 O3",
    "lease_over_runs_again": "O1 O3",
    "no_drain": "K1",
    "no_request_expiry": "K2 O3",
    "no_permit_deadline": "K1",
    "no_epoch": "K1 K4",
    "repeatable_read_permit": "K1",
    "fills_booked_twice": "O3 O4",
    "clean_without_waiting": "K3",
    "missing_scope_is_active": "K6",
    "not_sent_after_bytes": "O1 O3",
    "bell_without_claim": "O1 O2 O3",
    "unconfirmed_commit_sends": "O1 O2",
    "no_poller": "O5 K7",
    "cancel_needs_the_gate": "K3 K7",
    "stray_bell_moves_the_lease": "K1 O2 O5",
    "stray_bell_cancels": "O2",
    "old_cancel_is_forgotten": "K3 K7",
    "refused_cancel_is_done": "K3 K7",
    "clean_ignores_the_books": "K3",
    "release_overwrites_a_newer_halt": "K6",
    "no_attempt_guard": "O2 O3",
    "reducing_stops_everything": "K7",
    "reduce_only_is_believed": "K7",
    "halt_stops_flattening": "K7",
    "flattening_may_open": "K1",
    "quarantine_is_forgotten": "O5",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_safeguard_is_noticed_within_two_thousand_seeds(name: str):
    caught = catch(name)
    assert caught.violation is not None, f"{SEEDS_PER_MUTATION} seeds did not notice: {name}"
    assert caught.violation.promise in BREAKS.get(name, "O3").split(), caught.violation


def test_every_one_is_explained_in_the_document():
    text = (ROOT / "docs" / "chaos.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"| `{name}` | {WORDS[name]} | " not in text] == []


def test_there_are_enough_of_them_and_none_is_on_by_default():
    assert len(NAMES) >= 18 and not any(astuple(Mutations()))
    assert set(BREAKS) <= set(NAMES)
