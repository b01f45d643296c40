"""Which colour family a status word belongs to.

A colour never stands alone: badges always show the word. Five tones, the same everywhere: good (done, running), busy
(under way), warn (needs a look), bad (stopped, refused), calm (ended, nothing to do).
"""

from __future__ import annotations

from trading.domain.enums import CancelState, OrderStatus, Severity, TradingMode, TradingState
from trading.models import BreakState, DeliveryState, FlatteningState, StreamState, SweepVerdict

TONES: dict[str, str] = {
    "intact": "good",
    "damaged": "bad",
    OrderStatus.PROPOSED: "busy",
    OrderStatus.DENIED: "bad",
    OrderStatus.AWAITING_APPROVAL: "warn",
    OrderStatus.APPROVED: "busy",
    OrderStatus.LAPSED: "calm",
    OrderStatus.SUBMITTING: "busy",
    OrderStatus.IN_DOUBT: "warn",
    OrderStatus.QUARANTINED: "bad",
    OrderStatus.OPEN: "busy",
    OrderStatus.PARTIALLY_FILLED: "busy",
    OrderStatus.FILLED: "good",
    OrderStatus.CANCELED: "calm",
    OrderStatus.REJECTED: "bad",
    OrderStatus.NOT_ACCEPTED: "bad",
    OrderStatus.EXPIRED: "calm",
    CancelState.REQUESTED: "busy",
    CancelState.SENT: "busy",
    CancelState.CONFIRMED: "calm",
    CancelState.TOO_LATE: "warn",
    TradingState.ACTIVE: "good",
    TradingState.REDUCING: "warn",
    TradingState.HALTED: "bad",
    TradingMode.PAPER: "paper",
    TradingMode.TESTNET: "testnet",
    TradingMode.PRODUCTION: "production",
    SweepVerdict.RUNNING: "busy",
    SweepVerdict.CLEAN: "good",
    SweepVerdict.SURVIVORS: "bad",
    BreakState.ACKNOWLEDGED: "warn",
    BreakState.RESOLVED: "good",
    Severity.WARNING: "warn",
    Severity.CRITICAL: "bad",
    DeliveryState.DELIVERED: "good",
    DeliveryState.GIVEN_UP: "bad",
    DeliveryState.WAITING: "busy",
    FlatteningState.FLAT: "good",
    FlatteningState.REMAINS: "bad",
    "closing": "busy",
    "dust": "calm",
    "done": "good",
    "BUY": "buy",
    "SELL": "sell",
    "passed": "good",
    "failed": "bad",
    "approved by rules": "good",
    "placed": "good",
    "refused": "bad",
    "unknown": "warn",
    "not sent": "calm",
    "enabled": "good",
    "disabled": "bad",
    "alive": "good",
    "ended": "calm",
    "late": "warn",
    "silent": "bad",
    "other build": "bad",
    "valid": "good",
    "expired token": "bad",
    "revoked": "bad",
    StreamState.LIVE: "good",
    StreamState.LOST: "bad",
    StreamState.CONNECTING: "busy",
    StreamState.SYNCING: "busy",
    "nobody listens": "bad",
    "never heard": "warn",
    "complete": "good",
    "running": "busy",
}


def tone_of(word: str) -> str:
    return TONES.get(word, "calm")
