"""States that no commit may leave behind: one query each, which returns what is torn as (subject, detail).

Every change and its audit entry commit together, and so do a fill and its position; a process that dies between two
statements must not show. Read by the oracle when everything is calm.
"""

from __future__ import annotations

_LAST_WORD = """
SELECT o.client_order_id AS subject, o.status || ' here, ' || coalesce(a.kind, 'nothing') || ' in the trail' AS detail
  FROM trading_order o
  LEFT JOIN LATERAL (
       SELECT kind FROM trading_auditentry a
        WHERE a.object_type = 'order' AND a.object_id = o.id::text AND a.kind LIKE 'order.%'
        ORDER BY a.id DESC LIMIT 1) a ON true
 WHERE o.origin NOT IN ('external', 'orphan') AND a.kind IS DISTINCT FROM 'order.' || o.status"""

_DECISIONS = """
SELECT o.client_order_id AS subject,
       'signal ' || (s.id IS NOT NULL) || ', decision ' || (d.order_id IS NOT NULL) AS detail
  FROM trading_order o
  LEFT JOIN trading_signal s ON s.id = o.signal_id
  LEFT JOIN trading_decision d ON d.order_id = o.id
 WHERE o.origin NOT IN ('external', 'orphan') AND (s.id IS NULL OR d.order_id IS NULL)"""

_SIGNALS = """
SELECT s.key AS subject, 'answer ' || coalesce(s.answer->>'order_id', 'missing') AS detail
  FROM trading_signal s
 WHERE NOT EXISTS (SELECT 1 FROM trading_order o WHERE o.signal_id = s.id AND o.id::text = s.answer->>'order_id')"""

_PERMITS = """
SELECT o.client_order_id AS subject,
       o.attempt || ' by the order, ' || count(DISTINCT t.id) || ' attempts, '
       || count(DISTINCT a.id) || ' in the trail' AS detail
  FROM trading_order o
  LEFT JOIN trading_orderattempt t ON t.order_id = o.id
  LEFT JOIN trading_auditentry a ON a.object_id = o.id::text AND a.kind = 'order.submitting'
 GROUP BY o.id
HAVING o.attempt <> count(DISTINCT t.id) OR o.attempt <> count(DISTINCT a.id)"""

_FILLED = """
SELECT o.client_order_id AS subject, o.filled_quantity || ' of fills ' || coalesce(sum(f.quantity), 0) AS detail
  FROM trading_order o LEFT JOIN trading_fill f ON f.order_id = o.id
 GROUP BY o.id HAVING o.filled_quantity <> coalesce(sum(f.quantity), 0)"""

_BOOKED = """
SELECT f.venue_fill_id AS subject, count(a.id) || ' entries' AS detail
  FROM trading_fill f
  LEFT JOIN trading_auditentry a ON a.kind = 'fill.booked' AND a.data->>'fill' = f.venue_fill_id
   AND a.object_id = f.order_id::text
 GROUP BY f.id HAVING count(a.id) <> 1"""

_POSITIONS = """
SELECT i.symbol AS subject, p.quantity || ' of ' || coalesce(f.total, 0) AS detail
  FROM trading_position p JOIN trading_instrument i ON i.id = p.instrument_id
  LEFT JOIN LATERAL (
       SELECT sum(CASE side WHEN 'BUY' THEN quantity ELSE -quantity END
                  - CASE WHEN fee_asset = i.base_asset THEN fee ELSE 0 END) AS total FROM trading_fill f
        WHERE f.account_id = p.account_id AND f.instrument_id = p.instrument_id) f ON true
 WHERE p.quantity <> coalesce(f.total, 0)"""

_HALTS = """
SELECT c.id::text AS subject, count(a.id) || ' entries' AS detail
  FROM trading_haltchange c
  LEFT JOIN trading_auditentry a ON a.object_type = 'halt' AND a.object_id = c.id::text AND a.kind LIKE 'halt.%'
 WHERE c.trigger <> 'installation' GROUP BY c.id HAVING count(a.id) <> 1"""

_EPOCH = """
SELECT 'the epoch' AS subject, e.epoch || ', but a change of ' || max(c.epoch) AS detail
  FROM trading_controlepoch e, trading_haltchange c GROUP BY e.epoch HAVING max(c.epoch) > e.epoch"""

_VERDICTS = """
SELECT s.id::text AS subject, s.verdict || ' with ' || count(a.id) || ' entries' AS detail
  FROM trading_sweep s
  LEFT JOIN trading_auditentry a ON a.object_id = s.change_id::text AND a.kind = 'sweep.' || s.verdict
 WHERE s.verdict <> 'running' GROUP BY s.id HAVING count(a.id) <> 1"""

_UNFINISHED = """
SELECT o.client_order_id AS subject, o.status || ' since ' || o.updated_at AS detail
  FROM trading_order o WHERE o.status IN ('approved', 'submitting', 'in_doubt')"""

TORN = {
    "its status is not the last one in the audit trail": _LAST_WORD,
    "an order without its signal or decision": _DECISIONS,
    "a signal without the order it was answered with": _SIGNALS,
    "permits, attempts and audit entries differ": _PERMITS,
    "its filled quantity is not the sum of its fills": _FILLED,
    "a fill without exactly one audit entry": _BOOKED,
    "a position that is not the sum of its fills": _POSITIONS,
    "a halt without exactly one audit entry": _HALTS,
    "an epoch older than a change": _EPOCH,
    "a verdict without exactly one audit entry": _VERDICTS,
    "nobody carried it on": _UNFINISHED,
}
