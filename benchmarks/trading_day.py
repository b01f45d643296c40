"""A scripted trading day: the books at every sync are the venue's ledger, to the last decimal."""

from __future__ import annotations

from typing import Any

from benchmarks.rows import Row


def make_world(stack: Any) -> Any:
    """The installation's own paper account on its simulated venue, with prices that move only when told to."""
    from benchmarks.books import open_books
    from tests.making import GENEROUS, PRICES, World

    for symbol, price in PRICES.items():
        stack.venue.set_price(symbol, price)
    stack.venue.settings(fee_asset="third")
    world = World(stack.venue, open_books())
    world.change_limits(**GENEROUS)
    world.sync()
    return world


def measure(stack: Any) -> list[Row]:
    from tests.execution.scripted_day import Day, assert_positions_follow, our_sums, table_row, venue_sums
    from trading.doorbell import silence
    from trading.models import Break

    world = make_world(stack)
    began, syncs, equal = our_sums(), 0, 0
    with silence():
        for name, step in Day(world).steps():
            step()
            run = world.sync()
            ours, theirs = our_sums(), venue_sums(world)
            print(table_row(name, began, ours, theirs), flush=True)
            syncs += 1
            equal += ours == theirs and run.balances == "equal"
            assert_positions_follow(theirs, world)
    breaks = Break.objects.count()
    if equal != syncs or breaks or stack.venue.book_differences():
        raise AssertionError(f"{equal} of {syncs} syncs equal, {breaks} breaks")
    return [
        Row("syncs at which the books are the venue's ledger", equal, f"of {syncs}", f"{syncs}"),
        Row("fills booked", len(ours.fills), "", note=f"the venue made {len(theirs.fills)}"),
        Row("breaks", breaks, "", "0"),
    ]
