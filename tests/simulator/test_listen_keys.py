"""Listen keys: the four calls, whose they are, how many there may be, and how long they last."""

from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.mexc.errors import MexcWireRefusal
from simulator.mexc.listen_keys import ListenKeys
from tests.simulator.mexc_client import SignedClient, refusal
from tests.simulator.stream_client import KEY_PATH, new_listen_key
from tests.simulator.test_events import open_venue

UNKNOWN = (400, 730708)


def test_a_key_is_made_listed_extended_and_deleted(client: SignedClient):
    key = new_listen_key(client)
    assert client.call("GET", KEY_PATH).json() == {"listenKey": [key], "total": 1, "available": 59}
    assert client.call("PUT", KEY_PATH, listenKey=key).json() == {"listenKey": key}
    assert client.call("DELETE", KEY_PATH, listenKey=key).json() == {"listenKey": key}
    assert client.call("GET", KEY_PATH).json()["listenKey"] == []
    assert refusal(client.call("PUT", KEY_PATH, listenKey=key)) == UNKNOWN


def test_another_users_key_is_as_good_as_none(client: SignedClient, second_client: SignedClient):
    key = new_listen_key(client)
    assert refusal(second_client.call("PUT", KEY_PATH, listenKey=key)) == UNKNOWN
    assert refusal(second_client.call("DELETE", KEY_PATH, listenKey=key)) == UNKNOWN
    assert second_client.call("GET", KEY_PATH).json()["listenKey"] == []
    assert client.call("GET", KEY_PATH).json()["listenKey"] == [key]


def test_the_calls_are_signed_and_need_the_right_to_read_the_account(client: SignedClient, venue):
    assert refusal(client.call("PUT", KEY_PATH)) == (400, 700004)
    assert client.http.post(f"{client.base_url}{KEY_PATH}").json()["code"] == 400
    venue.add_user("poor", "mx0poor", "poor-secret", permissions=["SPOT_DEAL_READ", "SPOT_DEAL_WRITE"])
    poor = SignedClient(venue.base_url, "mx0poor", "poor-secret")
    assert refusal(poor.call("POST", KEY_PATH)) == (403, 700007)
    poor.close()


def test_the_key_stands_in_no_journal(client: SignedClient, venue):
    key = new_listen_key(client)
    client.call("PUT", KEY_PATH, listenKey=key)
    assert len(venue.requests(path=KEY_PATH)) == 2
    assert key not in str(venue.get("/requests")) + str(venue.get("/streams"))


def test_a_reset_forgets_the_keys(client: SignedClient, venue):
    key = new_listen_key(client)
    venue.reset()
    assert refusal(client.call("PUT", KEY_PATH, listenKey=key)) == UNKNOWN


def test_a_key_lasts_an_hour_from_its_last_extension_and_sixty_are_allowed():
    now = [0.0]
    venue = open_venue()
    user = venue.users["trader"]
    keys = ListenKeys(venue, now=lambda: now[0])
    ended: list[str] = []
    extended, left = keys.create(user), keys.create(user)
    left.ends.append(ended.append)
    now[0] = 3_599
    keys.extend(extended)
    now[0] = 3_600
    assert keys.list_of(user) == [extended]
    assert ended == ["listen key expired"]
    assert keys.find(left.text) is None
    for _ in range(59):
        keys.create(user)
    with pytest.raises(MexcWireRefusal, match="limit of 60"):
        keys.create(user)
    other = venue.create_user("other", "key2", "secret2", {"USDT": Decimal(1)})
    assert keys.create(other).user is other
    now[0] = 7_199
    assert len(keys.list_of(user)) == 59
