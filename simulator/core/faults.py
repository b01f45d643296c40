"""Faults that a caller orders: which requests or stream frames they meet, how often, and with what parameters.

A rule for requests matches by venue, method and path (exact, suffix or glob); one for streams, whose kind begins with
`stream_`, by venue, user and channel (whole, a word of it, or glob). It fires by count or by a probability drawn from
the seeded generator (so a run repeats), and ends when its count or its time is used up. The rule table only decides;
what a kind does is the business of the HTTP layer, the streams and the wire modules.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any


class FaultRefused(ValueError):
    """A fault rule is not usable; the message names what, why and the remedy."""


# kind -> the parameters it takes, with a reader for each; `*` marks a required one.
NUMBER, TEXT, BOOL = "number", "text", "bool"
FAULT_KINDS: dict[str, dict[str, str]] = {
    "latency": {"*seconds": NUMBER, "where": TEXT},
    "drop_before": {},
    "drop_after": {},
    "http_status": {"*status": NUMBER, "body": TEXT, "processed": BOOL},
    "error_code": {"*status": NUMBER, "*code": NUMBER, "*msg": TEXT, "processed": BOOL},
    "malformed": {"variant": TEXT, "body": TEXT, "processed": BOOL},
    "rate_limit": {"retry_after": NUMBER},
    "ban": {"retry_after": NUMBER},
    "clock_skew": {"*ms": NUMBER},
    "duplicate_fill": {},
    "delayed_fill": {"*seconds": NUMBER},
    "out_of_order": {},
    "reject": {"code": NUMBER, "msg": TEXT},
    "maintenance": {"seconds": NUMBER},
    "not_found": {"*seconds": NUMBER},
    "stream_gap": {},
    "stream_drop": {"refuse_seconds": NUMBER, "polite": BOOL},
    "stream_stall": {"seconds": NUMBER},
    "stream_latency": {"*seconds": NUMBER},
    "stream_duplicate": {},
    "stream_out_of_order": {},
    "stream_malformed": {},
}
NEVER_NEGATIVE = frozenset({"seconds", "for_seconds", "retry_after", "status", "refuse_seconds"})
STREAM_KINDS = frozenset(kind for kind in FAULT_KINDS if kind.startswith("stream_"))
MALFORMED_VARIANTS = ("html", "truncated", "wrong_types", "nan", "partial", "huge")
COMMON_FIELDS = frozenset({"match", "kind", "probability", "count", "after", "for_seconds"})
MATCH_FIELDS = frozenset({"venue", "method", "path"})
STREAM_MATCH_FIELDS = frozenset({"venue", "user", "channel"})


@dataclass(slots=True)
class FaultRule:
    kind: str
    match: dict[str, str]
    parameters: dict[str, Any]
    probability: Decimal | None = None
    count: int | None = None
    after: int = 0
    for_seconds: Decimal | None = None
    seen: int = 0
    fired: int = 0
    started: float = field(default_factory=time.monotonic)

    def is_spent(self) -> bool:
        is_over = self.for_seconds is not None and time.monotonic() - self.started > self.for_seconds
        return is_over or (self.count is not None and self.fired >= self.count)

    def matches(self, venue: str, method: str, path: str) -> bool:
        wanted = self.match
        return (
            wanted.get("venue", venue) == venue
            and wanted.get("method", method).upper() == method
            and (
                "path" not in wanted
                or any(_path_matches(wanted["path"], seen) for seen in (path, f"/{venue}{path}"))
            )
        )

    def matches_stream(self, venue: str, user: str, channel: str | None) -> bool:
        """`channel` is None for what belongs to no channel: answers, or the connection itself."""
        wanted = self.match
        return (
            wanted.get("venue", venue) == venue
            and wanted.get("user", user) == user
            and ("channel" not in wanted or _channel_matches(wanted["channel"], channel))
        )

    def as_json(self) -> dict[str, object]:
        row: dict[str, object] = {
            "match": self.match,
            "kind": self.kind,
            **self.parameters,
            "seen": self.seen,
            "fired": self.fired,
        }
        optional = {
            "probability": self.probability,
            "count": self.count,
            "after": self.after or None,
            "for_seconds": self.for_seconds,
        }
        return row | {
            name: str(held) if isinstance(held, Decimal) else held
            for name, held in optional.items()
            if held is not None
        }


def _path_matches(pattern: str, path: str) -> bool:
    return (
        path == pattern or fnmatchcase(path, pattern) or (pattern.startswith("/") and path.endswith(pattern))
    )


def _channel_matches(pattern: str, channel: str | None) -> bool:
    return channel is not None and (pattern in channel.split(".") or fnmatchcase(channel, pattern))


class FaultTable:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.restart()

    def restart(self) -> None:
        """No rules, and the draws begin again."""
        self._random = random.Random(f"faults|{self._seed}")
        self._stream_random = random.Random(
            f"stream faults|{self._seed}"
        )  # frames do not move requests' draws
        self.rules: list[FaultRule] = []

    def replace(self, rules: list[FaultRule]) -> None:
        self.rules = rules

    def draw(self, venue: str, method: str, path: str) -> list[FaultRule]:
        """The rules that fire for this request, in the order they were given."""
        self.rules = [rule for rule in self.rules if not rule.is_spent()]
        return [
            rule
            for rule in self.rules
            if rule.kind not in STREAM_KINDS and rule.matches(venue, method, path) and self._fires(rule)
        ]

    def draw_stream(
        self, venue: str, user: str, channel: str | None, kinds: Collection[str] = STREAM_KINDS
    ) -> list[FaultRule]:
        """The rules that fire for this frame of a user's stream, in the order they were given."""
        self.rules = [rule for rule in self.rules if not rule.is_spent()]
        return [
            rule
            for rule in self.rules
            if rule.kind in kinds and rule.matches_stream(venue, user, channel) and self._fires(rule)
        ]

    def draw_at_once(self, venue: str, user: str, kinds: Collection[str]) -> list[FaultRule]:
        """The rules that fire for a user's connection without waiting for a frame, a turn or a chance."""
        return [
            rule
            for rule in self.rules
            if rule.kind in kinds
            and rule.matches_stream(venue, user, None)
            and not (rule.after or rule.probability is not None or rule.is_spent())
            and self._fires(rule)
        ]

    def choose(self, options: tuple[str, ...]) -> str:
        return self._random.choice(options)

    def _fires(self, rule: FaultRule) -> bool:
        rule.seen += 1
        if rule.seen <= rule.after:
            return False
        source = self._stream_random if rule.kind in STREAM_KINDS else self._random
        if rule.probability is not None and Decimal(source.getrandbits(32)) / 2**32 >= rule.probability:
            return False
        rule.fired += 1
        return True


def parse_fault_rule(row: object) -> FaultRule:
    if not isinstance(row, dict):
        raise FaultRefused(
            'a fault is an object such as {"match": {"path": "/api/v3/order"}, "kind": "drop_after", "count": 1}'
        )
    kind = row.get("kind")
    if kind not in FAULT_KINDS:
        raise FaultRefused(f"there is no fault kind {kind!r}; known kinds: {', '.join(FAULT_KINDS)}")
    match = row.get("match", {})
    fields = STREAM_MATCH_FIELDS if kind in STREAM_KINDS else MATCH_FIELDS
    if (
        not isinstance(match, dict)
        or not fields.issuperset(match)
        or not all(isinstance(text, str) for text in match.values())
    ):
        raise FaultRefused(
            f"match is {match!r}; for {kind} use an object with {', '.join(sorted(fields))} as texts"
        )
    count, after = (_read_whole(name, row.get(name)) for name in ("count", "after"))
    return FaultRule(
        kind=kind,
        match=match,
        parameters=_read_parameters(kind, row),
        probability=_read_share(row.get("probability")),
        count=count,
        after=after or 0,
        for_seconds=_read_number("for_seconds", row["for_seconds"]) if "for_seconds" in row else None,
    )


def _read_parameters(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    known = {name.lstrip("*"): shape for name, shape in FAULT_KINDS[kind].items()}
    unknown = set(row) - COMMON_FIELDS - set(known)
    missing = [name[1:] for name in FAULT_KINDS[kind] if name.startswith("*") and name[1:] not in row]
    if unknown or missing:
        raise FaultRefused(
            f"{kind}: unknown {sorted(unknown)}, missing {missing}; "
            f"it takes {sorted(known)} besides {sorted(COMMON_FIELDS)}"
        )
    given = {name: row[name] for name in known if name in row}
    for name, content in given.items():
        if known[name] == NUMBER:
            _read_number(name, content)
        elif not isinstance(content, str if known[name] == TEXT else bool):
            raise FaultRefused(f"{name} is {content!r}; use a {known[name]}")
    if given.get("where", "out") not in ("in", "out"):
        raise FaultRefused(
            "where is " + repr(given["where"]) + "; use 'in' (before processing) or 'out' (before the answer)"
        )
    if "variant" in given and given["variant"] not in MALFORMED_VARIANTS:
        raise FaultRefused(f"variant is {given['variant']!r}; use one of {', '.join(MALFORMED_VARIANTS)}")
    return given


def _read_number(name: str, content: object) -> Decimal:
    try:
        number = Decimal(str(content))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(content, bool) or not number.is_finite():
        raise FaultRefused(f"{name} is {content!r}; use a number")
    if number < 0 and name in NEVER_NEGATIVE:
        raise FaultRefused(f"{name} is {content!r}; use 0 or more")
    return number


def _read_share(content: object) -> Decimal | None:
    if content is None:
        return None
    share = _read_number("probability", content)
    if not 0 <= share <= 1:
        raise FaultRefused(f"probability is {content!r}; use a number from 0 to 1")
    return share


def _read_whole(name: str, content: object) -> int | None:
    if content is None:
        return None
    if isinstance(content, bool) or not isinstance(content, int) or content < 0:
        raise FaultRefused(f"{name} is {content!r}; use a whole number, 0 or more")
    return content
