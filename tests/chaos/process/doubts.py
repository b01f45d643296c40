"""A4: unknown outcomes by the thousand, and what became of them.

Half of all placements never reach the venue, of the other half the answer is lost. Pollers resolve them by the
product's own schedule and clock; the verdicts are compared with the venue's ledger, their times are those of the audit
trail.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rig.oracle import ORDER_PATH, Findings, Placements, examine, read_rows
from tests.chaos.process.carriers import carriers, come_to_rest
from tests.chaos.process.forks import Keepers
from tests.chaos.process.ground import Ground
from tests.chaos.process.lives import QUANTITY
from trading.domain.errors import LeviError
from trading.execution.dispatch import dispatch_order
from trading.models import Order

# More would only queue up: a doubt takes twenty seconds to its verdict, whoever else waits.
AT_ONCE = 120
CALM_SECONDS = 180
NEVER_ARRIVES = {"kind": "drop_before", "probability": "0.5"}
ANSWER_IS_LOST = {"kind": "drop_after"}

_TIMES = """
SELECT extract(epoch FROM after.at - doubt.at) AS since_doubt,
       extract(epoch FROM after.at - o.permit_at) AS since_permit,
       after.kind = 'order.not_accepted' AS is_negative
  FROM trading_auditentry doubt
  JOIN trading_order o ON o.id::text = doubt.object_id
  JOIN LATERAL (SELECT kind, at FROM trading_auditentry a WHERE a.object_id = doubt.object_id
                   AND a.id > doubt.id AND a.kind LIKE 'order.%%' ORDER BY a.id LIMIT 1) after ON true
 WHERE doubt.kind = 'order.in_doubt' AND doubt.at > %s"""


@dataclass
class Doubts:
    """Seconds from the doubt to the adoption, and from the permit to "the venue never took it"."""

    positive: list[float]
    negative: list[float]
    findings: Findings
    calm: bool
    placements: Placements

    @property
    def count(self) -> int:
        return len(self.positive) + len(self.negative)


def doubt_many(ground: Ground, *, most: int, seconds: float, say: Callable[[str], None] = print) -> Doubts:
    output = ground.home / "doubts.log"
    (began_at,) = read_rows(ground.url, "SELECT clock_timestamp() AS at")
    began, told = time.monotonic(), 0.0
    match = {"method": "POST", "path": ORDER_PATH}
    ground.venue.faults([{"match": match, **NEVER_ARRIVES}, {"match": match, **ANSWER_IS_LOST}])
    keepers, placements = Keepers(carriers(ground, 0.0), output), Placements(ground.venue)
    placed = 0
    try:
        while placed < most and time.monotonic() < began + seconds:
            keepers.look()
            if Order.objects.filter(status="in_doubt").count() < AT_ONCE:
                placed += _place(ground)
            else:
                time.sleep(0.05)
            if time.monotonic() > told + 10:
                told = time.monotonic()
                placements.catch_up()
                say(f"{placed} unknown outcomes, {told - began:.0f} s")
        ground.venue.clear_faults()
        calm = come_to_rest(keepers.look, CALM_SECONDS)
    finally:
        keepers.stop()
        ground.venue.clear_faults()
    rows = read_rows(ground.url, _TIMES, began_at["at"])
    found = examine(ground.url, ground.venue, placements)
    ground.let_go()
    return Doubts(
        [float(row["since_doubt"]) for row in rows if not row["is_negative"]],
        [float(row["since_permit"]) for row in rows if row["is_negative"]],
        found,
        calm,
        placements,
    )


def _place(ground: Ground) -> int:
    try:
        order = ground.world.submit(QUANTITY, price="48000")
        return int(dispatch_order(order.id) is not None)
    except LeviError:
        return 0  # the clock could not be measured, or a life before has left a halt
