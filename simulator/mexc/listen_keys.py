"""Listen keys: who may open which user's private stream, for how long, on how many connections.

A key is random, is valid for an hour from its making or its last extension, and ends its connections when it is
deleted. Keys are kept in memory only: a restarted venue knows none. They are secrets and stand in no journal.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.core.accounts import SimUser
from simulator.core.trading import TradingVenue
from simulator.mexc.errors import MexcWireRefusal

KEYS_PER_USER = 60
CONNECTIONS_PER_KEY = 5
End = Callable[[str], None]


@dataclass(eq=False)
class ListenKey:
    text: str = field(repr=False)
    user: SimUser
    until: float
    ends: list[End] = field(default_factory=list)  # one per open connection

    def is_full(self) -> bool:
        return len(self.ends) >= CONNECTIONS_PER_KEY


class ListenKeys:
    def __init__(self, venue: TradingVenue, now: Callable[[], float] = time.monotonic) -> None:
        self._venue, self._now = venue, now
        self._keys: dict[str, ListenKey] = {}

    def list_of(self, user: SimUser) -> list[ListenKey]:
        self._drop_expired()
        return [key for key in self._keys.values() if key.user.name == user.name]

    def create(self, user: SimUser) -> ListenKey:
        if len(self.list_of(user)) >= KEYS_PER_USER:
            raise MexcWireRefusal(400, 730708, f"listen key limit of {KEYS_PER_USER} reached")
        key = ListenKey(secrets.token_hex(32), user, self._end_of_validity())
        self._keys[key.text] = key
        return key

    def find(self, text: str) -> ListenKey | None:
        self._drop_expired()
        return self._keys.get(text)

    def get(self, user: SimUser, text: str) -> ListenKey:
        """The user's own key; nobody can tell another's from none."""
        key = self.find(text)
        if key is None or key.user.name != user.name:
            raise MexcWireRefusal(400, 730708, "listen key information error")
        return key

    def extend(self, key: ListenKey) -> None:
        key.until = self._end_of_validity()

    def delete(self, key: ListenKey, reason: str = "listen key deleted") -> None:
        del self._keys[key.text]
        for end in list(key.ends):
            end(reason)

    def _drop_expired(self) -> None:
        now = self._now()
        for key in [key for key in self._keys.values() if key.until <= now]:
            self.delete(key, "listen key expired")

    def _end_of_validity(self) -> float:
        return self._now() + float(self._venue.settings.listen_key_seconds)  # a time span, not money

    def clear(self) -> None:
        for key in list(self._keys.values()):
            self.delete(key)
