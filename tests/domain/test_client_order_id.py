"""Client order ids: deterministic names that every venue accepts."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.client_order_id import client_order_id, is_ours, prefix_of

intents = st.uuids()
instances = st.from_regex(r"[a-z0-9]{4}", fullmatch=True)


@given(instances, intents)
def test_it_is_32_lower_case_letters_and_digits(instance, intent):
    assert re.fullmatch(r"[a-z0-9]{32}", client_order_id(instance, intent))


@given(instances, intents)
def test_the_same_intent_always_has_the_same_id(instance, intent):
    assert client_order_id(instance, intent) == client_order_id(instance, UUID(str(intent)))


@given(instances, intents, instances, intents)
def test_different_intents_or_instances_never_share_an_id(one, intent, other, another):
    same = client_order_id(one, intent) == client_order_id(other, another)
    assert same == ((one, intent) == (other, another))


@pytest.mark.parametrize("number", [0, 1, 31, 32, 2**127, 2**128 - 1])
def test_the_whole_range_of_ids_fits(number):
    assert len(client_order_id("abcd", UUID(int=number))) == 32


def test_it_begins_with_product_and_instance():
    assert prefix_of("ab12") == "lvab12"
    assert client_order_id("ab12", UUID(int=5)) == "lvab12" + "0" * 25 + "5"


def test_our_orders_are_told_from_foreign_ones():
    ours = client_order_id("ab12", UUID(int=5))
    assert is_ours(ours, "ab12")
    assert not is_ours(ours, "ab13")
    assert not is_ours(ours[:-1], "ab12")
    assert not is_ours("", "ab12")


@pytest.mark.parametrize("bad", ["", "abc", "abcde", "ABCD", "ab-1", "abcd\n", "äbcd"])
def test_a_bad_instance_id_is_refused(bad):
    with pytest.raises(ValueError, match="four characters"):
        prefix_of(bad)
