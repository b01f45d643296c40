"""How long a permit lives, a request is valid and a lease lasts: the guarantees of a halt in numbers."""

from __future__ import annotations

from datetime import timedelta

from trading.domain.doubt import PERMIT_LIFE, PROCESSING_BOUND

PERMIT_SECONDS = PERMIT_LIFE.total_seconds()
# recvWindow: the venue itself refuses a request that arrives later than this after its permit.
WINDOW_MS = 2000
# After this long without an outcome an order is in doubt; above the sum of all of the request's time-outs.
LEASE = timedelta(seconds=20)
SLOT_WAIT_SECONDS = 2.0
# After this long past an engagement no venue can accept anything sent before it.
LAST_ACCEPTANCE = PERMIT_LIFE + timedelta(milliseconds=WINDOW_MS) + PROCESSING_BOUND
