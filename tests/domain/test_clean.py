"""The rule of CLEAN: two rounds in a row, asked late enough, with nothing anywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from trading.domain.clean import AccountLook, count_clean_rounds, is_clean

PROOF = datetime(2030, 1, 1, tzinfo=UTC)
EMPTY = AccountLook(was_answered=True, open_at_venue=0, alive_in_books=0)


def test_two_empty_rounds_are_clean_and_one_is_not():
    once = count_clean_rounds(0, [EMPTY], PROOF, PROOF)
    assert not is_clean(once)
    assert is_clean(count_clean_rounds(once, [EMPTY, EMPTY], PROOF, PROOF))


@pytest.mark.parametrize(
    "look",
    [AccountLook(False, 0, 0), AccountLook(True, 1, 0), AccountLook(True, 0, 1)],
    ids=["not answered", "open at the venue", "alive in our books"],
)
def test_one_account_that_is_not_empty_begins_the_count_again(look: AccountLook):
    assert count_clean_rounds(1, [EMPTY, look], PROOF, PROOF) == 0


def test_a_round_that_began_too_early_does_not_count_and_ends_the_row():
    assert count_clean_rounds(1, [EMPTY], PROOF - timedelta(microseconds=1), PROOF) == 0
