"""The exceptions of the product, as one tree. Each says what the person who meets it should do.

    LeviError                      base: has `code`, `message`, `remedy`, `context`
    ├── InvalidInput               the caller's data is wrong: correct it and send it again
    │   ├── UnknownName            a symbol, account or strategy nobody registered: create it or fix the name
    │   └── InvalidMoney           a number that is not an exact, finite decimal
    ├── IdempotencyConflict        the key was used with another body: use a new key
    ├── RequestInProgress          the same request is being handled now: ask again in a moment
    ├── IllegalTransition          a state change the order table forbids: a defect, report it
    ├── NotAllowed                 the actor lacks the right or a condition is missing: the text says which
    ├── StaleDecision              somebody changed the thing since it was shown: reload and decide again
    ├── ConfigurationError         a setting is wrong: the text names key, value and remedy
    ├── AuditFailure               the audit trail cannot be written or does not verify: stop trading, read the runbook
    └── VenueError                 a read from a venue failed (orders never raise: they return outcomes)
        ├── VenueUnavailable       network, 5xx, maintenance: retried by itself
        ├── VenueRefused           a definite refusal with the venue's code: read the code
        ├── VenueThrottled         the rate limit or a ban: waits until `retry_at_seconds`
        ├── MalformedAnswer        the venue answered something we cannot trust: nothing was concluded from it
        └── StreamLost             (in `exchanges.streams`) a private stream cannot be trusted any more: opened again

`NotSent` is not an error of the tree's kind: it is the proof that zero bytes of a request left, raised by the transport
hook and turned into an outcome by the adapter.
"""

from __future__ import annotations

from typing import Any


class LeviError(Exception):
    """Base of all expected failures. `code` is stable and machine-readable; `context`: strings and numbers only."""

    code = "error"
    remedy = ""

    def __init__(self, message: str, *, remedy: str = "", code: str = "", **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy or self.remedy
        self.code = code or self.code
        self.context = context

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InvalidInput(LeviError):
    code = "invalid_input"


class UnknownName(InvalidInput):
    code = "unknown_name"


class InvalidMoney(InvalidInput):
    code = "invalid_number"
    remedy = 'Send a plain decimal number as a string, such as "0.01".'


class IdempotencyConflict(LeviError):
    code = "idempotency_conflict"
    remedy = "Use a new Idempotency-Key for a new request."


class RequestInProgress(LeviError):
    code = "request_in_progress"
    remedy = "Repeat the request with the same key in a second."


class IllegalTransition(LeviError):
    code = "illegal_transition"
    remedy = "This is a defect of the product: nothing was changed; please report it with the order's id."


class NotAllowed(LeviError):
    code = "not_allowed"


class StaleDecision(LeviError):
    code = "stale_decision"
    remedy = "Reload the page and decide again."


class ConfigurationError(LeviError):
    code = "configuration_error"


class AuditFailure(LeviError):
    code = "audit_failure"
    remedy = "Stop trading and run `manage.py verify_audit`."


class VenueError(LeviError):
    code = "venue_error"


class VenueUnavailable(VenueError):
    code = "venue_unavailable"
    remedy = "Nothing to do: it is retried. If it lasts, look at the venue's status page."


class VenueRefused(VenueError):
    code = "venue_refused"

    def __init__(self, message: str, *, venue_code: str = "", http_status: int = 0, **context: Any) -> None:
        super().__init__(message, venue_code=venue_code, http_status=http_status, **context)
        self.venue_code = venue_code
        self.http_status = http_status


class VenueThrottled(VenueError):
    code = "venue_throttled"

    def __init__(self, message: str, *, retry_after_seconds: float = 1.0, **context: Any) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds, **context)
        self.retry_after_seconds = retry_after_seconds


class MalformedAnswer(VenueError):
    code = "malformed_answer"


class NotSent(Exception):
    """Zero bytes of the request left this process: proven by the transport, safe to try again."""
