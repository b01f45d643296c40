"""Cells of a CSV file that a person will open in a spreadsheet."""

from __future__ import annotations

import re

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula. Plain numbers stay numbers."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(cell) else cell
