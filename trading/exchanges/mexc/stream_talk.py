"""The control texts of MEXC's stream: what we say, and what an answer in text means. Pure.

An answer has code 0 whether it grants or refuses: only its text tells. A channel counts as subscribed when the text of
an answer without the phrase of failure names it. Whatever else the venue says in text is trouble; a key it does not
like, for one, it answers in plain words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from trading.domain.errors import MalformedAnswer

from ..strict_json import load_json

PING = json.dumps({"method": "PING"})
_FAILURE = "not subscribed"
_SHOWN = 200
_BETWEEN = re.compile(r"[,\s\[\]]+")


@dataclass(frozen=True, slots=True)
class Said:
    """`trouble` is what the venue complained of, `granted` what it subscribed us to; neither: a sign of life."""

    granted: tuple[str, ...] = ()
    trouble: str = ""


def subscribe(channels: Sequence[str]) -> str:
    return json.dumps({"method": "SUBSCRIPTION", "params": list(channels)})


def read_text_frame(text: str, channels: Sequence[str]) -> Said:
    """Never raises; `trouble` may hold anything, also a secret: redact it."""
    trouble = Said(trouble=" ".join(text[: 10 * _SHOWN].split())[:_SHOWN] or "an empty text")
    try:
        answer = load_json(text.encode())
    except (MalformedAnswer, UnicodeEncodeError):
        return trouble
    if not isinstance(answer, dict) or answer.get("code") != 0 or isinstance(answer["code"], bool):
        return trouble
    message = answer.get("msg")
    if message == "PONG":
        return Said()
    if not isinstance(message, str) or _FAILURE in message.casefold():
        return trouble
    named = set(_BETWEEN.split(message))
    granted = tuple(channel for channel in channels if channel in named)
    return Said(granted) if granted else trouble
