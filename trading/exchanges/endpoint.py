"""One entry of a venue's table of requests, and the parameters that go with one. Data only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1 << 20
# Names and values in the order in which they are sent.
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class VenueEndpoint:
    """`weight` counts against the venue's limit for an address; `bucket` is the account's own limit, if any."""

    name: str
    method: str
    path: str
    weight: int = 1
    is_signed: bool = True
    bucket: str = ""
    max_bytes: int = MIB
