"""What every adapter does alike: the venue's clock, the connection, and the door to what may open or close risk.

A venue adds its reads and how its cancels are named. Holds no state but its line's connection, clock and slots.
Thread-safe. Never decides whether to trade.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from trading.domain.errors import ConfigurationError
from trading.domain.outcomes import PlaceOutcome, PlaceRequest

from .acting import VenueActing
from .base import Connection, Credentials
from .candles import EPOCH
from .clock import boot_seconds
from .endpoint import VenueEndpoint
from .line import VenueLine


class VenueExchange:
    """The part of Exchange that is the same at every venue; see there for what each method promises."""

    warm_up_endpoint: VenueEndpoint  # the cheapest question there is

    def __init__(self, connection: Connection, line: VenueLine, acting: VenueActing) -> None:
        self.connection = connection
        self._line = line
        self._acting = acting

    # -- clock and connection ----------------------------------------------------------------------------------
    def sync_clock(self) -> float:
        state = self._line.measure_clock()
        return (state.offset + boot_seconds() - time.time()) * 1000

    def venue_time_ms(self) -> int:
        return self._line.venue_time_ms()

    def clock_age_seconds(self) -> float | None:
        return self._line.clock.age_seconds()

    def clock_uncertainty_seconds(self) -> float | None:
        return self._line.clock.uncertainty_seconds()

    def refresh_clock(self) -> None:
        self._line.refresh_clock()

    def warm_up(self) -> None:
        self._line.refresh_clock()
        if self._line.http.is_cold:
            self._line.read(self.warm_up_endpoint, retries=0)

    def close(self) -> None:
        self._line.http.close()

    def _venue_now(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.venue_time_ms())

    def _need_keys(self) -> Credentials:
        keys = self.connection.credentials
        if keys is None:
            raise ConfigurationError(
                f"Account {self.connection.account} has no API key.", remedy="Add one in the panel."
            )
        return keys

    # -- acting ------------------------------------------------------------------------------------------------
    def acquire_place_slot(self, max_wait_seconds: float) -> bool:
        return self._acting.acquire_place_slot(max_wait_seconds)

    def place_order(self, request: PlaceRequest) -> PlaceOutcome:
        return self._acting.place(request)
