"""A paper account on the simulated venue, and somebody else who trades on the same account."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.paper_trading import open_paper_account
from tests.simulator.mexc_client import SignedClient
from trading.models import ExchangeAccount


@pytest.fixture
def account(transactional_db, simulated_venue) -> ExchangeAccount:
    return open_paper_account(simulated_venue)


@pytest.fixture
def foreign_order(account, simulated_venue) -> Iterator[Callable[[str], None]]:
    """`foreign_order("their-1")` rests an order on our account that we did not send."""
    client = SignedClient(simulated_venue.base_url, simulated_venue.key, simulated_venue.secret)

    def place(client_order_id: str) -> None:
        answer = client.place(quantity="0.001", price="30000", newClientOrderId=client_order_id)
        assert answer.status_code == 200, answer.text

    yield place
    client.close()


@pytest.fixture
def open_ids(account, simulated_venue) -> Callable[[], list[str]]:
    """The client order ids that the venue's own ledger has open."""

    def read() -> list[str]:
        rows = simulated_venue.orders()
        return [row["client_order_id"] for row in rows if row["status"] in ("NEW", "PARTIALLY_FILLED")]

    return read
