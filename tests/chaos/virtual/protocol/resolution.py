"""A person's word on a quarantined order: `execution/resolution.py`. What the venue shows wins over any word."""

from __future__ import annotations

from trading.domain.enums import OrderStatus, QuarantineVerdict
from trading.domain.outcomes import OrderFound

from ..kernel import Steps, StoreError
from .in_doubt import adopt_report
from .node import Node


def say_word(me: Node, order_id: int, verdict: QuarantineVerdict) -> Steps:
    """A person who repeats it until there is an answer."""
    while True:
        try:
            yield from resolve_quarantined(me, order_id, verdict)
            return
        except StoreError:
            yield 0.3


def resolve_quarantined(me: Node, order_id: int, verdict: QuarantineVerdict) -> Steps:
    row = yield from me.read(order_id)
    if not _takes_a_word(row.status) or (verdict is not QuarantineVerdict.ADOPT and row.filled > 0):
        return
    answer = yield from me.network.ask(me.process, "read", me.venue.query, row.client_order_id)
    shown = answer.report if isinstance(answer, OrderFound) else None
    if me.mutations.word_before_the_venue:
        shown = None
    if verdict is QuarantineVerdict.ADOPT and shown is None:
        me.tell(f"cannot adopt order {row.name}: the venue does not show it")
        return
    tx = me.begin()
    locked = yield from tx.lock_order(order_id)
    if not _takes_a_word(locked.status) or (verdict is not QuarantineVerdict.ADOPT and locked.filled > 0):
        tx.abort()
        return
    if shown is None:
        me.tell(f"says of order {row.name}: {verdict}")
        me.move_order(locked, OrderStatus.NOT_ACCEPTED)
        locked.doubt_since, locked.not_found_at = None, ()
        tx.at_commit.append(lambda: me.store.words.update({order_id: me.database_now}))
    yield from tx.commit()
    if shown is not None:
        yield from adopt_report(me, row, shown)


def _takes_a_word(status: OrderStatus) -> bool:
    return status is OrderStatus.QUARANTINED
