"""The commands of the books: look at the venue now, and recompute what is stored."""

from __future__ import annotations

from decimal import Decimal

from tests.management.typing_commands import type_here
from tests.paper_trading import place
from trading.models import AuditEntry, Balance, Break, Position, SyncRun

ZERO = Decimal(0)


def test_reconcile_says_that_everything_is_equal(account):
    place("buy-1")
    typed = type_here("reconcile")
    assert typed.code == 0 and "paper: balances equal" in typed.out and "0 breaks open" in typed.out
    assert SyncRun.objects.filter(trigger="reconcile").count() == 1


def test_reconcile_fails_for_a_difference_and_names_both_numbers(account, simulated_venue):
    simulated_venue.set_balance("USDC", "9000")
    typed = type_here("reconcile", "--json")
    assert typed.code == 1 and "beyond their tolerance" in typed.err
    (row,) = typed.document["breaks"]
    assert (row["kind"], row["subject"], row["ours"], row["theirs"]) == ("balance", "USDC", "10000", "9000")
    assert (row["state"], row["beyond_tolerance"], row["value"]) == ("open", True, "-1000")
    assert typed.document["looks"][0]["breaks_open"] == 1


def test_reconcile_is_content_with_a_difference_within_tolerance_and_shows_it(account, simulated_venue):
    simulated_venue.set_balance("USDC", "9999.5")
    typed = type_here("reconcile")
    assert typed.code == 0 and "USDC: ours 10000, the venue's 9999.5 (within tolerance)" in typed.out


def test_reconcile_fails_when_not_everything_could_be_asked(account, simulated_venue):
    simulated_venue.faults([{"match": {"path": "/api/v3/account"}, "kind": "http_status", "status": 500}])
    typed = type_here("reconcile")
    simulated_venue.clear_faults()
    assert typed.code == 1 and "paper: INCOMPLETE" in typed.out
    assert "not known to be equal" in typed.err
    assert not Break.objects.exists()


def test_an_unknown_account_is_named(account):
    for command in ("reconcile", "rebuild_positions"):
        typed = type_here(command, "--account", "nowhere")
        assert typed.code == 2 and "Unknown account 'nowhere'." in typed.err


def drift() -> None:
    """The stored sums of one position and one balance are not what they are made of."""
    Position.objects.update(quantity=Decimal("0.5"), fees={})
    Balance.objects.filter(asset="USDC").update(booked=Decimal(1), free=Decimal(1))


def stored() -> tuple[object, ...]:
    position, usdc = Position.objects.get(), Balance.objects.get(asset="USDC")
    return position.quantity, position.fees, usdc.booked, usdc.free


def test_a_check_of_sound_books_finds_nothing_and_writes_nothing(account):
    place("buy-1")
    before = stored()
    typed = type_here("rebuild_positions", "--check")
    assert typed.code == 0 and "is what its parts add up to" in typed.out and stored() == before


def test_a_check_finds_drift_and_leaves_it(account):
    place("buy-1")
    drift()
    before, entries = stored(), AuditEntry.objects.count()
    typed = type_here("rebuild_positions", "--check", "--json")
    assert typed.code == 1 and "2 sums differ" in typed.err
    found = {row["name"]: (row["stored"], row["recomputed"]) for row in typed.document["differ"]}
    assert found["USDC"] == ({"booked": "1"}, {"booked": "10000"})
    assert (found["BTC/USDT"][0]["quantity"], found["BTC/USDT"][1]["quantity"]) == ("0.5", "0.01")
    assert stored() == before and AuditEntry.objects.count() == entries


def test_a_repair_is_audited_with_both_numbers_and_the_reason(account):
    place("buy-1")
    sound = stored()
    drift()
    typed = type_here("rebuild_positions", "--reason", "a restore went wrong")
    assert typed.code == 0 and "0.5 stored, 0.01 recomputed" in typed.out
    assert stored() == sound
    entries = AuditEntry.objects.filter(kind__in=["position.rebuilt", "balance.rebuilt"]).order_by("kind")
    assert [entry.data["name"] for entry in entries] == ["USDC", "BTC/USDT"]
    for entry in entries:
        assert entry.data["reason"] == "a restore went wrong" and entry.data["before"] != entry.data["after"]
        assert entry.actor.startswith("command:")
    assert type_here("rebuild_positions", "--check").code == 0
    assert type_here("reconcile").code == 0


def test_a_position_that_was_lost_is_made_again_from_its_fills(account):
    place("buy-1")
    was = Position.objects.get().as_state()
    Position.objects.all().delete()
    assert type_here("rebuild_positions", "--check").code == 1
    type_here("rebuild_positions")
    assert Position.objects.get().as_state() == was and was.quantity > ZERO
