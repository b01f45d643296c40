"""`manage.py cancel_all` cancels from its own process and says what it could not prove."""

from __future__ import annotations

from tests.management.typing_commands import DEAD_REDIS, type_here, type_in_shell
from tests.paper_trading import place, rest
from trading.models import Order


def test_ours_are_canceled_with_redis_away_and_theirs_stay(foreign_order, open_ids):
    foreign_order("their-1")
    for number in range(3):
        rest(f"resting-{number}")
    typed = type_in_shell("cancel_all", "--scope", "ours", "--json", **DEAD_REDIS)
    assert typed.code == 0, typed.err
    assert typed.document["proven"] is True
    assert typed.document["ended"] == {"canceled": 3}
    assert open_ids() == ["their-1"]
    assert set(Order.objects.values_list("status", flat=True)) == {"canceled"}


def test_everything_means_theirs_too(foreign_order, open_ids):
    foreign_order("their-1")
    rest("resting")
    assert type_here("cancel_all", "--scope", "everything").code == 0
    assert open_ids() == []


def test_one_symbol_only(account, open_ids):
    kept = rest("btc").client_order_id
    rest("eth", symbol="ETH/USDT", quantity="0.1", price="1000")
    assert type_here("cancel_all", "--scope", "ours", "--symbol", "ETH/USDT").code == 0
    assert open_ids() == [kept]


def test_trading_goes_on_afterwards(account):
    assert type_here("cancel_all", "--scope", "ours").code == 0
    assert place("after").status == "filled"


def test_a_venue_that_does_not_answer_is_not_taken_for_empty(account, open_ids, simulated_venue):
    resting = rest("resting").client_order_id
    simulated_venue.faults([{"match": {}, "kind": "http_status", "status": 503}])
    typed = type_here("cancel_all", "--scope", "ours", "--seconds", "0.5")
    simulated_venue.clear_faults()
    assert typed.code == 1
    assert f"not proven: {resting}" in typed.out
    assert "could not be asked what is open" in typed.out
    assert open_ids() == [resting]


def test_unknown_names_are_wrong_use_and_cancel_nothing(account, open_ids):
    resting = rest("resting").client_order_id
    for words in (["--account", "nobody"], ["--symbol", "NO/SUCH"]):
        typed = type_here("cancel_all", "--scope", "ours", *words)
        assert typed.code == 2
        assert "Unknown" in typed.err
    assert open_ids() == [resting]
