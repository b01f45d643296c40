"""News: what a person is told of one audit entry. A frozen value; `alerting` says which entries are news."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trading.domain.enums import Severity

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """What is told. `key`: see `notify`."""

    severity: Severity
    subject: str
    text: str = ""
    key: str = ""
