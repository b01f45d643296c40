"""Finding rows by any of their ids. Exact matches only: each has an index, so that no search ever scans.

An id may be an order's, a client's, the venue's, a signal's or its key; whoever searches need not know which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model, Q

from trading.models import (
    Algo,
    AlgoChild,
    AuditEntry,
    ExchangeAccount,
    Fill,
    Instrument,
    Order,
    Signal,
    Strategy,
)

MOST = 20
# What an audit entry's object may be; naming the types lets the index by object answer.
OBJECT_TYPES = (
    "order",
    "algo",
    "account",
    "strategy",
    "limits",
    "token",
    "break",
    "signal",
    "fill",
    "halt",
    "operator",
    "schedule",
    "export",
    "",
)


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


def order_by_any_id(term: str) -> Q:
    number = _uuid(term)
    if number is not None:
        return Q(id=number) | Q(signal_id=number)
    # Looked up first: a subquery inside an OR would make the database read every order.
    signals = list(Signal.objects.filter(key=term).values_list("id", flat=True)[:MOST])
    return Q(client_order_id=term.lower()) | Q(exchange_order_id=term) | Q(signal__in=signals)


def algo_by_id(term: str) -> Q:
    """Its own id, or one of an order that it made."""
    orders = Order.objects.filter(order_by_any_id(term)).values_list("id", flat=True)[:MOST]
    parents = AlgoChild.objects.filter(order__in=list(orders)).values_list("algo_id", flat=True)
    return algo_by_own_id(term) | Q(id__in=list(parents))


def algo_by_own_id(term: str) -> Q:
    number = _uuid(term)
    return Q(id=number) if number is not None else Q(id__in=[])


def fill_by_any_id(term: str) -> Q:
    # Naming the accounts lets the unique index (account, venue fill id) answer.
    accounts = list(ExchangeAccount.objects.values_list("id", flat=True))
    orders = list(Order.objects.filter(client_order_id=term.lower()).values_list("id", flat=True)[:MOST])
    return Q(account__in=accounts, venue_fill_id=term) | Q(order__in=orders)


def signal_by_any_id(term: str) -> Q:
    number = _uuid(term)
    return Q(id=number) | Q(key=term) if number is not None else Q(key=term)


def _of_request(term: str) -> Q:
    """The index leaves out entries without a request; the condition says so, to be allowed to use it."""
    return Q(request_id=term) & ~Q(request_id="")


def entry_by_any_word(term: str) -> Q:
    return Q(actor=term) | Q(kind=term) | Q(object_type__in=OBJECT_TYPES, object_id=term) | _of_request(term)


@dataclass(frozen=True, slots=True)
class Found:
    """`label` says what it is, `name` which one."""

    model: str
    label: str
    key: Any
    name: str
    right: str


@dataclass(frozen=True, slots=True)
class _Place:
    model: type[Model]
    label: str
    condition: Callable[[str], Q]
    name: Callable[[Any], str]


_PLACES = (
    _Place(
        Order,
        "Order",
        order_by_any_id,
        lambda row: f"{row.side} {row.instrument.symbol} {row.client_order_id}",
    ),
    _Place(
        Fill, "Fill", fill_by_any_id, lambda row: f"{row.side} {row.instrument.symbol} {row.venue_fill_id}"
    ),
    _Place(
        Algo, "Algo", algo_by_own_id, lambda row: f"{row.kind.upper()} {row.side} {row.instrument.symbol}"
    ),
    _Place(Signal, "Signal", signal_by_any_id, lambda row: str(row.key)),
    _Place(ExchangeAccount, "Account", lambda term: Q(name=term.lower()), lambda row: str(row.name)),
    _Place(Strategy, "Strategy", lambda term: Q(name=term), lambda row: str(row.name)),
    _Place(Instrument, "Instrument", lambda term: Q(symbol=term.upper()), lambda row: str(row.symbol)),
    _Place(
        AuditEntry,
        "Audit entry",
        lambda term: _of_request(term) if not term.isdecimal() else Q(id=min(int(term), 2**62)),
        lambda row: f"{row.kind} {row.object_id}",
    ),
)
_RELATED = {Order: ("instrument",), Fill: ("instrument",), Algo: ("instrument",)}


def find_anywhere(term: str) -> list[Found]:
    """At most `MOST` of each kind, what is asked for most first."""
    found: list[Found] = []
    for place in _PLACES if term else ():
        rows = place.model._default_manager.filter(place.condition(term)).select_related(
            *_RELATED.get(place.model, ())
        )
        name = place.model._meta.model_name or ""
        found += [
            Found(name, place.label, row.pk, place.name(row), f"trading.view_{name}") for row in rows[:MOST]
        ]
    return found
