"""The quick reasons an operator can give with one tap. Free text is always possible on the kill-switch page."""

from __future__ import annotations

QUICK_REASONS = (
    "Unexpected orders",
    "Unexpected loss",
    "Venue trouble",
    "Wrong prices",
    "Planned maintenance",
    "Drill",
)
DEFAULT_REASON = "STOP pressed in the panel"
MAX_REASON = 300
