"""The listen key: the secret that opens one private stream, valid for an hour and extended while it is used.

Its three calls go over the account's own line: signed, metered and classified like every read, and never repeated,
because whoever needs the stream opens a new one anyway. From the moment it is known the key is hidden from everything
that is kept or shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from trading.domain.errors import MalformedAnswer, VenueThrottled, VenueUnavailable

from ..strict_json import as_object
from .constants import CREATE_LISTEN_KEY, DELETE_LISTEN_KEY, EXTEND_LISTEN_KEY
from .line import MexcLine

EXTEND_SECONDS = 30 * 60.0
AGAIN_SECONDS = 60.0
LAST_SECONDS = 55 * 60.0  # five minutes before the venue's hour is over
_PLAIN = re.compile(r"[0-9A-Za-z_-]{8,512}")


class ListenKey:
    """One key. Raises the VenueError family; its repr shows nothing of it."""

    def __init__(self, line: MexcLine, now: Callable[[], float]) -> None:
        self._line = line
        self._now = now
        self._asked_at = self._extended_at = now()
        self._text = self._read(line.read(CREATE_LISTEN_KEY, retries=0))
        line.hide(self._text)

    def __repr__(self) -> str:
        return "ListenKey(***)"

    def join_to(self, address: str) -> str:
        """The address to connect to. As secret as the key."""
        return f"{address}?listenKey={self._text}"

    def extend_if_due(self) -> None:
        """Every half an hour, or a minute after it failed. Raises for a refusal, and when the hour nears its end."""
        now = self._now()
        pause = AGAIN_SECONDS if self._asked_at > self._extended_at else EXTEND_SECONDS
        if now - self._asked_at < pause:
            return
        self._asked_at = now
        try:
            self._extend()
        except (VenueUnavailable, VenueThrottled, MalformedAnswer):
            if now - self._extended_at >= LAST_SECONDS:
                raise
        else:
            self._extended_at = now

    def _extend(self) -> None:
        answer = as_object(self._line.read(EXTEND_LISTEN_KEY, self._pairs(), retries=0), "listenKey")
        if answer.get("listenKey", self._text) != self._text:
            raise MalformedAnswer("The venue extended another key than ours.", field="listenKey")

    def give_back(self) -> None:
        """Also ends whatever is connected with it. The venue forgets it within the hour if this fails."""
        self._line.read(DELETE_LISTEN_KEY, self._pairs(), retries=0)

    def _pairs(self) -> list[tuple[str, str]]:
        return [("listenKey", self._text)]

    @staticmethod
    def _read(answer: Any) -> str:
        """Without showing what else stands there: it may be a key."""
        found = as_object(answer, "listenKey").get("listenKey")
        if not isinstance(found, str) or not _PLAIN.fullmatch(found):
            raise MalformedAnswer("The venue gave no listen key that could be used.", field="listenKey")
        return found
