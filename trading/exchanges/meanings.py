"""What a venue's error code says about the request that got it: the words of all tables of codes. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Does(Enum):
    """What a code says about the request that got it."""

    REJECT = auto()  # the order was looked at and refused
    NOT_RUN = auto()  # refused at the door: key, signature, clock, limits
    NO_SUCH_ORDER = auto()  # says nothing about a new order; a definite answer to a cancel and a query
    DOUBT = auto()  # an internal error of the venue: listed so that nobody adds it as something else


@dataclass(frozen=True, slots=True)
class CodeMeaning:
    does: Does
    meaning: str
    source: str
