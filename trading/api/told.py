"""Stored answers as they go out: the same bytes whether an answer was just written or read back.

The database keeps no order of keys, and stored times carry +00:00 (the canonical form of the audit trail).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers

Fields = tuple[str, ...]


def fields_of(shape: type[serializers.Serializer[Any]]) -> Fields:
    return tuple(shape().fields)


@dataclass(frozen=True, slots=True)
class Told:
    """The order of an answer's fields, of those of the lists in it, and which of all of them are times."""

    order: Fields
    lists: Mapping[str, Fields] = field(default_factory=dict)
    times: Fields = ()

    def tell(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        told = self._timed(answer)
        for name, order in self.lists.items():
            if name in told:
                told[name] = [_ordered(self._timed(row), order) for row in told[name]]
        return _ordered(told, self.order)

    def _timed(self, row: Mapping[str, Any]) -> dict[str, Any]:
        times = {name: str(row[name]).replace("+00:00", "Z") for name in self.times if row.get(name)}
        return {**row, **times}


def _ordered(found: Mapping[str, Any], names: Fields) -> dict[str, Any]:
    return {name: found[name] for name in (*names, *sorted(found)) if name in found}
