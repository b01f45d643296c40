"""One scripted trading day: at every sync our books are the venue's, to the last decimal. `-s` prints the table."""

from __future__ import annotations

from tests.execution.scripted_day import Day, assert_positions_follow, our_sums, table_row, venue_sums
from tests.making import World
from trading.models import Break, HaltState, Movement, Order


def test_at_every_sync_of_a_trading_day_the_books_are_the_venues_ledger(world: World):
    world.venue.settings(fee_asset="third")
    began = our_sums()
    for name, step in Day(world).steps():
        step()
        run = world.sync()
        ours, theirs = our_sums(), venue_sums(world)
        print(table_row(name, began, ours, theirs))
        assert ours == theirs, name
        assert run.balances == "equal" and not Break.objects.exists(), name
        assert not HaltState.objects.exclude(state="active").exists(), name
        assert_positions_follow(theirs, world)
    assert world.venue.book_differences() == []
    assert {fee for *_, fee in ours.fills.values()} == {"MX", "USDT"}
    kinds = Movement.objects.order_by().values_list("kind", "asset").distinct()
    transfers = {pair for pair in kinds if pair[0] in ("deposit", "withdrawal", "adjustment")}
    assert transfers == {
        *(("deposit", asset) for asset in ("BTC", "MX", "USDT")),
        *(("withdrawal", asset) for asset in ("MX", "USDT")),
    }
    assert Order.objects.filter(origin="external").count() == 2
