"""Fixtures of the API's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from trading.api import audit
from trading.api.throttles import forget_callers

from .world import Caller, World, make_token, make_world


@pytest.fixture(autouse=True)
def fresh_buckets() -> Iterator[None]:
    forget_callers()
    yield
    forget_callers()


@pytest.fixture(autouse=True)
def free_audit_turn() -> Iterator[None]:
    """A test that drops a streamed answer unread, as no server does, would keep the one turn at the audit trail."""
    if audit._busy.locked():
        audit._busy.release()
    yield
    if audit._busy.locked():
        audit._busy.release()


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def as_role(db: None) -> Callable[..., Caller]:
    """`as_role("trader")` is a client with a token of that role."""
    made: dict[tuple[str, ...], Caller] = {}

    def caller(*roles: str) -> Caller:
        if roles not in made:
            made[roles] = Caller(make_token(*roles) if roles else "")
        return made[roles]

    return caller


@pytest.fixture
def viewer(as_role: Callable[..., Caller]) -> Caller:
    return as_role("viewer")


@pytest.fixture
def trader(as_role: Callable[..., Caller]) -> Caller:
    return as_role("trader")


@pytest.fixture
def risk(as_role: Callable[..., Caller]) -> Caller:
    return as_role("risk")


@pytest.fixture
def admin(as_role: Callable[..., Caller]) -> Caller:
    return as_role("admin")
