"""What differs between the venues beneath their formats, on the exchange itself."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from simulator.core.clock import SimClock
from simulator.core.numbering import WHOLE_BY_SYMBOL
from simulator.core.profile import VenueProfile
from simulator.core.refusals import RefusalReason, SimRefusal
from simulator.core.rows import SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue

FUNDS = {"USDT": Decimal(100_000), "MX": Decimal(100)}


def open_venue(profile: VenueProfile, **settings: object) -> TradingVenue:
    chosen = VenueSettings()
    chosen.change_all(settings)
    venue = TradingVenue("other", 7, profile, chosen, SimClock(0), VenueStore())
    venue.create_user("trader", "key", "secret", FUNDS)
    return venue


def ask(order_type: str = "LIMIT", quantity: str = "0.01", **more: object) -> SimOrderRequest:
    wanted = {"symbol": "BTCUSDT", "side": SimSide.BUY} | more
    return SimOrderRequest(type=SimOrderType(order_type), quantity=Decimal(quantity), **wanted)  # type: ignore[arg-type]


def refusal_of(venue: TradingVenue, request: SimOrderRequest) -> RefusalReason:
    with pytest.raises(SimRefusal) as refused:
        venue.place(venue.users["trader"], request)
    return refused.value.reason


def test_a_post_only_order_that_would_take_may_be_refused() -> None:
    venue = open_venue(VenueProfile(refuses_taking_makers=True))
    taking = ask("LIMIT_MAKER", price=Decimal(50_100))
    assert refusal_of(venue, taking) is RefusalReason.WOULD_TAKE
    assert venue.orders == {}


def test_a_client_id_may_be_taken_only_while_its_order_is_open() -> None:
    venue = open_venue(VenueProfile(), duplicate_client_ids="open")
    again = ask(price=Decimal(40_000), client_order_id="same")
    first = venue.place(venue.users["trader"], again)
    assert refusal_of(venue, again) is RefusalReason.DUPLICATE_CLIENT_ID
    venue.cancel(venue.users["trader"], "BTCUSDT", first.order_id, None)
    assert venue.place(venue.users["trader"], again).order_id != first.order_id


def test_open_orders_may_be_counted_by_symbol() -> None:
    venue = open_venue(VenueProfile(most_open_orders=1, counts_open_by_symbol=True))
    venue.place(venue.users["trader"], ask(price=Decimal(40_000)))
    assert refusal_of(venue, ask(price=Decimal(40_000))) is RefusalReason.TOO_MANY_OPEN_ORDERS
    venue.place(venue.users["trader"], ask(symbol="ETHUSDT", price=Decimal(2_000)))


def test_whole_ids_never_repeat_and_fills_are_counted_for_each_symbol() -> None:
    venue = open_venue(VenueProfile(numbering=WHOLE_BY_SYMBOL))
    seen = set()
    for _ in range(2):
        for symbol in ("BTCUSDT", "ETHUSDT"):
            venue.place(venue.users["trader"], ask("MARKET", symbol=symbol))
        ids = {order_id: int(order_id) < 2**63 for order_id in venue.orders}
        assert all(ids.values())
        assert seen.isdisjoint(ids)
        seen |= set(ids)
        assert venue.fills[0].fill_id == next(f for f in venue.fills if f.symbol == "ETHUSDT").fill_id
        venue.reset()


def test_a_fee_in_the_third_asset_may_be_cheaper() -> None:
    fees = []
    for discount in ("0", "0.25"):
        venue = open_venue(VenueProfile(third_discount=Decimal(discount)), fee_asset="third")
        venue.place(venue.users["trader"], ask("MARKET"))
        assert {fill.fee_asset for fill in venue.fills} == {"MX"}
        fees.append(sum(fill.fee for fill in venue.fills))
    assert fees[1] == pytest.approx(fees[0] * Decimal("0.75"))


def test_ids_go_on_after_a_restart(tmp_path: Path) -> None:
    def open_again() -> TradingVenue:
        store = VenueStore(tmp_path / "other.jsonl")
        venue = TradingVenue(
            "other", 7, VenueProfile(numbering=WHOLE_BY_SYMBOL), VenueSettings(), SimClock(0), store
        )
        venue.restore()
        return venue

    venue = open_again()
    user = venue.create_user("trader", "key", "secret", FUNDS)
    venue.place(user, ask("MARKET"))
    resting = venue.place(user, ask(price=Decimal(40_000), client_order_id="named"))
    venue.cancel(user, "BTCUSDT", resting.order_id, None, cancel_id="the-cancel")
    again = open_again()
    assert again.orders[resting.order_id].cancel_id == "the-cancel"
    again.place(again.users["trader"], ask("MARKET"))
    numbers = [int(fill.fill_id) for fill in again.fills]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len({*again.orders}) == 3
