"""The equity curve over the API: points, days, drawdown against the peak without transfers, and halts beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from trading.models import EquitySnapshot

SERIES = "/api/v1/equity/series"


def write(world, minutes_ago: int, equity: str, peak: str, *, transfers: str = "0", unpriced=()) -> None:
    value = Decimal(equity)
    EquitySnapshot.objects.create(
        account=world.account,
        at=timezone.now() - timedelta(minutes=minutes_ago),
        equity=value,
        cash=value,
        positions_value=Decimal(0),
        exposure=Decimal(0),
        daily_pnl=None if unpriced else Decimal(-5),
        transfers=Decimal(transfers),
        peak=Decimal(peak),
        unpriced=list(unpriced),
    )


@pytest.fixture
def curve(world):
    """1000, up to 1200, 500 deposited, then down by 300 of it; one snapshot could not be priced."""
    EquitySnapshot.objects.all().delete()
    write(world, 50, "1000", "1000")
    write(world, 40, "1200", "1200")
    write(world, 30, "1700", "1200", transfers="500")
    write(world, 20, "9999", "1200", transfers="500", unpriced=["XYZ"])
    write(world, 10, "1400", "1200", transfers="500")
    return world


def test_the_curve_has_its_drawdown_without_transfers(curve, viewer):
    answer = viewer.get(SERIES, hours=1, points=60).json()
    assert answer["currency"] == "USDT"
    rows = [(row["equity"], row["drawdown"]) for row in answer["points"]]
    assert rows == [("1000", "0"), ("1200", "0"), ("1700", "0"), ("1400", "300")]
    (drawdown,) = answer["drawdowns"]
    assert drawdown == {
        "account": "paper",
        "peak": "1700",
        "current": "1400",
        "amount": "300",
        "percent": drawdown["percent"],
    }
    assert Decimal(drawdown["percent"]).quantize(Decimal("0.0001")) == Decimal("17.6471")


def test_never_more_points_than_were_asked_for(curve, viewer):
    points = viewer.get(SERIES, hours=1, points=2).json()["points"]
    assert len(points) == 2 and points[-1]["equity"] == "1400"


def test_a_day_does_not_count_a_deposit_as_profit(curve, viewer, settings):
    books = settings.LEVI_CONFIG.books  # the day begins two hours ago, whatever the time is
    hour = (timezone.now() - timedelta(hours=2)).hour
    settings.LEVI_CONFIG = replace(settings.LEVI_CONFIG, books=replace(books, day_starts_at_hour=hour))
    (day,) = viewer.get(SERIES, days=2).json()["days"]
    numbers = {name: day[name] for name in ("first", "last", "low", "high", "pnl")}
    assert numbers == {"first": "1000", "last": "1400", "low": "1000", "high": "1700", "pnl": "-100"}


def test_a_halt_stands_beside_the_curve(curve, viewer, trader):
    trader.post("/api/v1/halts/engage", {"scope": "instrument", "target": "BTC/USDT", "reason": "look"})
    (span,) = viewer.get(SERIES).json()["halts"]
    assert (span["scope"], span["target"], span["state"]) == ("instrument", "BTC/USDT", "halted")
    assert span["until"] is None and span["reason"] == "look"


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"hours": "0"}, 400, "hours must be a whole number from 1"),
        ({"points": "many"}, 400, "points must be a whole number"),
        ({"days": "-1"}, 400, "days must be a whole number"),
        ({"account": "nowhere"}, 400, "Unknown account 'nowhere'"),
        ({"since": "today"}, 400, "since"),
    ],
)
def test_a_wrong_question_is_refused_by_name(world, viewer, query, status, words):
    answer = viewer.get(SERIES, **query)
    assert answer.status_code == status and words in answer.content.decode()
