"""The double of the simulation does what the product does on a real database, and a drift between them is seen."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.chaos.crosscheck.compare import Difference, compare_seed
from tests.chaos.crosscheck.product import ProductSide, running_product
from tests.chaos.virtual.mutations import broken
from trading.models import AuditEntry, Order

SEEDS = 60
MORE_SEEDS = 600
# Each of these would be a drift of the double. Most other mutations need two processes at once to matter.
DRIFTS = (
    "one_not_found_is_proof",
    "no_attempt_guard",
    "late_evidence_is_silent",
    "stray_bell_cancels",
    "stray_bell_moves_the_lease",
)
SEEDS_PER_DRIFT = 60


@pytest.fixture
def product(db: None) -> Iterator[ProductSide]:
    logging.disable(logging.WARNING)
    with running_product() as side:
        yield side
    logging.disable(logging.NOTSET)


@pytest.mark.slow
def test_the_double_and_the_product_take_the_same_steps(product: ProductSide):
    for seed in range(SEEDS):
        assert (difference := compare_seed(seed, product)) is None, str(difference)


@pytest.mark.chaos
def test_they_take_the_same_steps_for_long(product: ProductSide):
    for seed in range(SEEDS, SEEDS + MORE_SEEDS):
        assert (difference := compare_seed(seed, product)) is None, str(difference)


@pytest.mark.parametrize("name", DRIFTS)
def test_a_double_that_drifts_is_seen(product: ProductSide, name: str):
    """Only the double is broken: the first seed that reaches the step shows the row that differs."""
    found = find_drift(product, name)
    assert found is not None and found.what, f"{SEEDS_PER_DRIFT} seeds did not notice: {name}"


def find_drift(product: ProductSide, name: str) -> Difference | None:
    seeds = range(SEEDS_PER_DRIFT)
    return next((seen for seed in seeds if (seen := compare_seed(seed, product, broken(name)))), None)


def test_a_difference_tells_the_steps_that_lead_to_it(product: ProductSide):
    found = find_drift(product, "stray_bell_moves_the_lease")
    assert found is not None
    again = compare_seed(found.seed, product, broken("stray_bell_moves_the_lease"))
    assert again is not None and str(again) == str(found), "the same seed, the same difference"
    assert f"differ after step {found.step}" in str(found) and "approve" in str(found)


def test_nothing_of_a_seed_is_left(product: ProductSide):
    entries = AuditEntry.objects.count()
    assert compare_seed(1, product) is None
    assert Order.objects.count() == 0 and AuditEntry.objects.count() == entries
