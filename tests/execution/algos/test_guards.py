"""What the database itself refuses of algos and their children."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from tests.execution.algos.walking import TWAP, children, fresh, run_slice, start
from tests.making import World


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trading_algo SET quantity = quantity * 2",
        "UPDATE trading_algo SET plan = '[]'",
        "UPDATE trading_algo SET side = 'SELL'",
        "UPDATE trading_algo SET kind = 'vwap'",
        "UPDATE trading_algo SET duration_seconds = duration_seconds + 1",
        "UPDATE trading_algo SET start_at = start_at + interval '1 hour'",
        "UPDATE trading_algo SET arrival_price = 1",
        "UPDATE trading_algo SET answer = '{}'",
        "UPDATE trading_algo SET actor = 'user:nobody'",
        "UPDATE trading_algo SET state = 'canceled'",
        "DELETE FROM trading_algo",
        "UPDATE trading_algochild SET number = 7",
        "DELETE FROM trading_algochild",
        "TRUNCATE trading_algo CASCADE",
    ],
)
def test_nobody_rewrites_an_algo(world: World, change: str):
    algo = start(TWAP)
    run_slice(algo)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert fresh(algo).state == "running" and len(children(algo)) == 1
