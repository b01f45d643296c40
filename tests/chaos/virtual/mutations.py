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
    halt_stops_flattening: bool = False
    flattening_may_open: bool = False
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
    halt_after_the_alarm: bool = False


NAMES = tuple(field.name for field in fields(Mutations))

# What is broken, in the words of docs/chaos.md.
WORDS = {
    "blind_retry": "an unknown outcome is sent again",
    "timeout_is_failed": "a time-out counts as rejected",
    "five_failed_queries_are_proof": 'five unanswered questions count as "not accepted"',
    "lease_over_runs_again": "an order whose process died is sent again",
    "no_drain": "engage answers right after its commit",
    "no_request_expiry": "the venue does not check the request window",
    "no_permit_deadline": "the permit's age is not checked before the write",
    "no_epoch": "approvals survive a halt",
    "repeatable_read_permit": "the permit sees what was true before it waited for the halt lock",
    "no_attempt_guard": "a late outcome overwrites what is there",
    "exposure_without_doubt": "orders in doubt do not count",
    "server_error_is_failed": "HTTP 5xx counts as rejected",
    "one_not_found_is_proof": 'the first "no such order" counts as "not accepted"',
    "proof_without_waiting": "silence counts before the venue's bounds are over",
    "final_before_fills": "a final status does not wait for its fills",
    "fills_booked_twice": "fills are not told apart by their id",
    "clean_without_waiting": "two empty lists are enough, whenever they were asked",
    "missing_scope_is_active": "a scope without a state counts as active",
    "not_sent_after_bytes": "a time-out counts as never sent",
    "bell_without_claim": "a message is enough, the row is not claimed",
    "unconfirmed_commit_sends": "a permit whose COMMIT was not answered is used",
    "no_poller": "only messages move orders",
    "cancel_needs_the_gate": "a halt stops cancels",
    "reducing_stops_everything": "`reducing` stops also what makes a position smaller",
    "reduce_only_is_believed": 'the words "reduce only" are enough, the position is not looked at',
    "halt_stops_flattening": "a halt stops also what the flatten verb asks for",
    "flattening_may_open": "what the flatten verb asks for need not be reduce-only",
    "late_evidence_is_silent": "an alarm about an order does not halt its account",
    "missing_fills_are_silent": "an order that ends without its fills leaves no break",
    "quarantine_is_forgotten": "what is quarantined is not asked about any more",
    "word_before_the_venue": "a person's word ends an order without asking the venue first",
    "stray_bell_moves_the_lease": "a look at an order that is being sent moves its timer, and a drain does not see it",
    "stray_bell_cancels": "any message cancels, asked for or not",
    "old_cancel_is_forgotten": "a cancel that failed on an order older than half a minute is not sent again",
    "refused_cancel_is_done": '"unknown order" ends a cancel, though the order is only not visible yet',
    "fills_lag_from_acknowledgement": "missing fills are waited for since the acknowledgement, so for old orders never",
    "clean_ignores_the_books": "`clean` by lists asked too early, though our own books hold an order for open",
    "release_overwrites_a_newer_halt": "a release goes on without the halt lock and undoes a halt it never saw",
    "halt_after_the_alarm": "the halt comes after the alarm is written: who dies in between leaves none",
}


def broken(name: str) -> Mutations:
    """The protocol with this one safeguard missing."""
    return Mutations(**{name: True})
