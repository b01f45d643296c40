"""Deposits and withdrawals: booked when they account for a difference exactly, each record once, and never a profit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.making import World, make_account
from trading.domain.money import ZERO
from trading.domain.outcomes import TransferReport
from trading.execution.sync import sync_account
from trading.execution.transfers import find_records
from trading.models import TRANSFERS, AuditEntry, Balance, Break, EquitySnapshot, HaltState, Movement
from trading.queries.equity import read_drawdown
from trading.queries.scope_use import peak_equity
from trading.queries.valuation import day_start_equity

D = Decimal
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEPOSITS, WITHDRAWALS = "/api/v3/capital/deposit/hisrec", "/api/v3/capital/withdraw/history"


def record(number: int, quantity: str, fee: str = "0") -> TransferReport:
    return TransferReport(
        venue_transfer_id=f"t{number}",
        asset="USDT",
        quantity=D(quantity),
        fee=D(fee),
        at=NOON + timedelta(minutes=number),
    )


@pytest.mark.parametrize(
    ("difference", "records", "chosen"),
    [
        ("100", [("100", "0")], [("t0", False)]),
        ("100", [("60", "0"), ("40", "0"), ("7", "0")], [("t0", False), ("t1", False)]),
        ("-51", [("-50", "1")], [("t0", True)]),
        ("-50", [("-50", "1")], [("t0", False)]),
        ("49", [("100", "0"), ("-50", "1")], [("t0", False), ("t1", True)]),
        ("100", [("50", "0"), ("50", "0"), ("100", "0")], [("t2", False)]),
        ("99.99999999", [("100", "0")], None),
        ("100", [], None),
        ("-100", [("100", "0")], None),
    ],
)
def test_records_are_chosen_only_when_they_add_up_exactly(difference, records, chosen):
    found = find_records(D(difference), [record(number, *one) for number, one in enumerate(records)])
    named = None if found is None else sorted((one.venue_transfer_id, on_top) for one, on_top in found)
    assert named == chosen


def test_a_long_history_is_not_searched_for_ever():
    records = [record(number, "1") for number in range(500)]
    assert find_records(D("8"), records) is not None
    assert find_records(D("9"), records) is None


def test_transfers_become_movements_and_no_break(world: World):
    world.venue.deposit("USDT", "2500.5")
    world.venue.withdraw("USDT", "300", fee="1.25")
    assert world.sync().balances == "equal"
    rows = Movement.objects.exclude(kind="opening").order_by("kind").values_list("kind", "asset", "quantity")
    assert list(rows) == [
        ("deposit", "USDT", D("2500.5")),
        ("fee", "USDT", D("-1.25")),
        ("withdrawal", "USDT", D("-300")),
    ]
    assert world.balances_agree() and not Break.objects.exists()
    kinds = AuditEntry.objects.filter(kind__startswith="movement.").values_list("kind", flat=True)
    assert sorted(kinds) == ["movement.deposit", "movement.fee", "movement.withdrawal"]
    world.sync()
    assert Movement.objects.exclude(kind="opening").count() == 3


def test_a_record_explains_one_difference_only(world: World):
    world.venue.deposit("USDT", "1000")
    world.sync()
    world.venue.set_balance("USDT", "102000")  # as much again, and nothing in the history says so
    assert world.sync().balances == "different"
    row = Break.objects.get()
    assert (row.subject, row.ours, row.theirs) == ("USDT", D(101_000), D(102_000))
    assert Movement.objects.filter(kind="deposit").count() == 1


def test_a_record_of_before_the_books_were_opened_explains_nothing_later(world: World):
    """Its money is in the opening balance already."""
    world.venue.deposit("USDT", "1000")
    world.venue.withdraw("USDT", "250")
    account = make_account(world.venue, "later")
    sync_account(account.pk, trigger="test")
    assert Movement.objects.get(account=account, kind="opening", asset="USDT").quantity == 100_750
    for total in ("101750", "100500"):
        world.venue.set_balance("USDT", total)
        assert sync_account(account.pk, trigger="test").balances == "different"
    assert Break.objects.get(account=account).theirs == 100_500
    world.venue.deposit("USDT", "40")
    sync_account(account.pk, trigger="test")
    assert not Movement.objects.filter(account=account, kind__in=TRANSFERS).exists()
    world.venue.set_balance("USDT", "100790")
    assert sync_account(account.pk, trigger="test").balances == "equal"
    assert Movement.objects.get(account=account, kind="deposit").quantity == 40


def test_a_record_that_comes_late_explains_the_break(world: World):
    world.venue.set_balance("USDT", "100700")
    world.sync()
    row = Break.objects.get()
    assert row.state == "open"
    # The venue writes its history down later than its balance: the same money, now with a record.
    world.venue.set_balance("USDT", "100000")
    world.venue.deposit("USDT", "700")
    world.sync()
    row.refresh_from_db()
    assert (row.state, row.resolution) == ("resolved", "explained")
    assert Balance.objects.get(asset="USDT").drift == 0 and world.balances_agree()


def test_a_key_that_may_not_read_transfers_makes_a_break_that_says_so(world: World):
    world.fault("error_code", method="GET", path=DEPOSITS, status=403, code=700007, msg="No permission")
    world.venue.deposit("USDT", "50")
    world.sync()
    row = Break.objects.get()
    assert row.kind == "balance" and "could not be asked" in row.detail["note"]
    assert not Movement.objects.filter(kind="deposit").exists()


@pytest.mark.parametrize("path", [DEPOSITS, WITHDRAWALS])
def test_a_history_that_could_not_be_read_concludes_nothing(world: World, path):
    world.fault("http_status", method="GET", path=path, status=503)
    world.venue.deposit("USDT", "50")
    assert world.sync(complete=False).error
    assert not Break.objects.exists() and not Movement.objects.exclude(kind="opening").exists()
    assert not HaltState.objects.exclude(state="active").exists()
    world.venue.clear_faults()
    world.sync()
    assert Movement.objects.get(kind="deposit").quantity == 50 and not Break.objects.exists()


def test_a_deposit_is_no_profit_and_hides_no_loss(world: World):
    start = day_start_equity(world.account)
    world.venue.set_balance("MX", "0")  # a loss: a hundred MX vanished
    world.sync()
    before = read_drawdown(world.account)
    assert before.amount > 100
    world.venue.deposit("USDT", "50000")
    for _ in range(3):
        world.sync()
    last = EquitySnapshot.objects.order_by("-at").first()
    assert last.transfers == 50_000 and day_start_equity(world.account) == start + 50_000
    after = read_drawdown(world.account)
    assert (after.amount, after.current) == (before.amount, before.current + 50_000)
    world.venue.withdraw("USDT", "120000")
    for _ in range(3):
        world.sync()
    drained = read_drawdown(world.account)
    assert drained.amount == before.amount and drained.current == before.current - 70_000
    assert EquitySnapshot.objects.order_by("-at").first().daily_pnl == last.daily_pnl


def test_money_whose_record_comes_late_is_neither_a_gain_nor_a_loss(world: World):
    for _ in range(3):
        world.sync()
    start, peak = day_start_equity(world.account), peak_equity([world.account.pk])
    world.venue.set_balance("USDT", "140000")
    for _ in range(4):
        world.sync()
    assert Break.objects.get().state == "open"
    unexplained = EquitySnapshot.objects.order_by("-at").first()
    assert (unexplained.unexplained, unexplained.daily_pnl) == (40_000, 0)
    assert day_start_equity(world.account) == start + 40_000, "it hides no loss either"
    assert peak_equity([world.account.pk]) == peak + 40_000
    world.venue.set_balance("USDT", "100000")
    world.venue.deposit("USDT", "40000")
    for _ in range(2):
        world.sync()
    explained = EquitySnapshot.objects.order_by("-at").first()
    assert (explained.unexplained, explained.transfers, explained.daily_pnl) == (0, 40_000, 0)
    assert day_start_equity(world.account) == start + 40_000
    assert peak_equity([world.account.pk]) == peak + 40_000
    assert read_drawdown(world.account).amount == 0


def test_a_trade_that_nobody_told_us_of_is_no_loss(world: World):
    world.buy("1")
    world.sync()
    before = day_start_equity(world.account)
    dollars, coins = (D(world.venue.balances()[asset]["total"]) for asset in ("USDT", "BTC"))
    world.venue.set_balance("USDT", str(dollars + 50_000))
    world.venue.set_balance("BTC", str(coins - 1))
    world.sync()
    assert Break.objects.count() == 2 and day_start_equity(world.account) == before
    assert abs(EquitySnapshot.objects.order_by("-at").first().daily_pnl) < 100


def test_a_gain_after_a_withdrawal_raises_the_peak_of_its_day(world: World):
    for _ in range(3):
        world.sync()
    world.venue.withdraw("USDT", "50000")
    world.sync()
    world.venue.set_price("MXUSDT", "100")
    for _ in range(4):
        world.sync()
    assert peak_equity([world.account.pk]) == EquitySnapshot.objects.order_by("-at").first().equity


def test_a_loss_after_a_deposit_is_a_drawdown_from_the_raised_peak(world: World):
    world.venue.deposit("USDT", "40000")
    for _ in range(3):
        world.sync()
    peak = read_drawdown(world.account).peak
    world.buy("1")
    world.venue.set_price("BTCUSDT", "45000")
    world.sync()
    fallen = read_drawdown(world.account)
    assert fallen.peak == peak and fallen.amount == peak - fallen.current > 5000
    assert fallen.percent > ZERO and abs(fallen.percent - fallen.amount * 100 / peak) < D("1e-9")
