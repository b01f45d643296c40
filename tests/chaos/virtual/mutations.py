"""Ways to break the protocol on purpose. Each switch takes one safeguard away; each must be caught by the oracle.

A switch is one question in one step of `protocol/` (or in the venue double). The ones below the line are the defects
that this simulation found, or would have found, in the product: they stay here so that they cannot come back unseen.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Mutations:
    blind_retry: bool = False
    timeout_is_failed: bool = False
    five_failed_queries_are_proof: bool = False
    lease_over_runs_again: bool = False
    no_drain: bool = False
    no_request_expiry: bool = False
    no_permit_deadline: bool = False
    no_epoch: bool = False
    repeatable_read_permit: bool = False
    no_attempt_guard: bool = False
    exposure_without_doubt: bool = False
    server_error_is_failed: bool = False
    one_not_found_is_proof: bool = False
    proof_without_waiting: bool = False
    final_before_fills: bool = False
    fills_booked_twice: bool = False
    clean_without_waiting: bool = False
    missing_scope_is_active: bool = False
    not_sent_after_bytes: bool = False
    bell_without_claim: bool = False
    unconfirmed_commit_sends: bool = False
    no_poller: bool = False
    cancel_needs_the_gate: bool = False
    reducing_stops_everything: bool = False
    reduce_only_is_believed: bool = False
    late_evidence_is_silent: bool = False
    missing_fills_are_silent: bool = False
    quarantine_is_forgotten: bool = False
    word_before_the_venue: bool = False
    # -- defects the product had ------------------------------------------------------------------------------
    stray_bell_moves_the_lease: bool = False
    stray_bell_cancels: bool = False
    old_cancel_is_forgotten: bool = False
    refused_cancel_is_done: bool = False
    fills_lag_from_acknowledgement: bool = False
    clean_ignores_the_books: bool = False
    release_overwrites_a_newer_halt: bool = False


NAMES = tuple(field.name for field in fields(Mutations))


def broken(name: str) -> Mutations:
    """The protocol with this one safeguard missing."""
    return Mutations(**{name: True})
