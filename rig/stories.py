"""One difference told from both sides: what reached the venue, what it holds, and what the database says, in order."""

from __future__ import annotations

import re

from rig.oracle import Placements, read_rows, wall
from simulator.testing import SimulatedVenue

_NAME = re.compile(r"\blv[a-z0-9]{30}\b")
_ROWS = """
SELECT at, text FROM (
    SELECT a.at, 'audit     ' || a.kind || ' by ' || a.actor || ' ' || left(coalesce(a.data->>'reason', ''), 100)
           AS text, o.client_order_id
      FROM trading_auditentry a JOIN trading_order o ON a.object_id = o.id::text
    UNION ALL
    SELECT e.at, 'evidence  ' || e.source || ' ' || e.kind || ' ' || left(e.detail::text, 120), o.client_order_id
      FROM trading_orderevidence e JOIN trading_order o ON e.order_id = o.id
    UNION ALL
    SELECT t.permit_at, 'permit    ' || t.number || ' in ' || t.process || ', outcome '
           || coalesce(nullif(t.outcome, ''), 'never written'), o.client_order_id
      FROM trading_orderattempt t JOIN trading_order o ON t.order_id = o.id) rows
 WHERE client_order_id = %s ORDER BY at"""


def name_in(sentence: str) -> str:
    found = _NAME.search(sentence)
    return found.group() if found else ""


def tell(sentence: str, url: str, venue: SimulatedVenue, placements: Placements) -> str:
    """A readable story of the order that a sentence of the oracle names."""
    name = name_in(sentence)
    if not name:
        return f"! {sentence}"
    held = [row for row in venue.orders() if row["client_order_id"] == name]
    lines = [
        (wall(row), f"venue     received it: HTTP {row['status']} {row.get('fault', '')}")
        for row in placements.rows
        if row["params"].get("newClientOrderId") == name
    ]
    lines += [(row["at"].timestamp(), f"database  {row['text']}") for row in read_rows(url, _ROWS, name)]
    begin = min((at for at, _ in lines), default=0.0)
    at_venue = [f"  the venue has it: {row['status']}, filled {row['filled']}" for row in held]
    return "\n".join(
        [
            f"! {sentence}",
            *(at_venue or ["  the venue does not have it"]),
            *(f"  +{at - begin:8.3f} s  {text}" for at, text in sorted(lines)),
        ]
    )
