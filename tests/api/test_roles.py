"""Every address × role × method, against a table that says who may: default deny, and nothing left out."""

from __future__ import annotations

import pytest
from django.conf import settings

from trading.api.access import PUBLIC

from .addresses import METHODS, OTHER_METHODS, path_of, views
from .world import ROLES

EVERYBODY = "viewer trader risk admin"
# address -> method -> roles; "public": without signing in. What is not here is 405.
WHO_MAY = {
    "live/kill": {"POST": "trader risk admin"},
    "live/status": {"GET": EVERYBODY},
    "api/v1/signals": {"GET": EVERYBODY, "POST": "trader"},
    "api/v1/orders": {"GET": EVERYBODY, "POST": "trader"},
    "api/v1/orders/cancel-all": {"POST": "trader risk"},
    "api/v1/orders/<str:name>": {"GET": EVERYBODY},
    "api/v1/orders/<str:name>/cancel": {"POST": "trader risk"},
    "api/v1/orders/<str:name>/resolve": {"POST": "risk"},
    "api/v1/algos": {"GET": EVERYBODY, "POST": "trader"},
    "api/v1/algos/preview": {"POST": "trader"},
    "api/v1/algos/<str:name>": {"GET": EVERYBODY},
    "api/v1/algos/<str:name>/pause": {"POST": "trader risk"},
    "api/v1/algos/<str:name>/resume": {"POST": "trader"},
    "api/v1/algos/<str:name>/cancel": {"POST": "trader risk"},
    "api/v1/fills": {"GET": EVERYBODY},
    "api/v1/positions": {"GET": EVERYBODY},
    "api/v1/positions/flatten": {"POST": "risk"},
    "api/v1/flattenings": {"GET": EVERYBODY},
    "api/v1/balances": {"GET": EVERYBODY},
    "api/v1/accounts": {"GET": EVERYBODY, "POST": "admin"},
    "api/v1/accounts/<str:name>": {"GET": EVERYBODY},
    "api/v1/accounts/<str:name>/credentials": {"PUT": "admin"},
    "api/v1/instruments": {"GET": EVERYBODY},
    "api/v1/equity": {"GET": EVERYBODY},
    "api/v1/reconciliations": {"GET": EVERYBODY},
    "api/v1/equity/series": {"GET": EVERYBODY},
    "api/v1/breaks": {"GET": EVERYBODY},
    "api/v1/breaks/<str:name>/acknowledge": {"POST": "trader risk"},
    "api/v1/breaks/<str:name>/adjust": {"POST": "risk"},
    "api/v1/movements": {"GET": EVERYBODY},
    "api/v1/reports": {"GET": EVERYBODY, "POST": "risk"},
    "api/v1/reports/<str:name>/sign": {"POST": "risk"},
    "api/v1/decisions": {"GET": EVERYBODY},
    "api/v1/halts": {"GET": EVERYBODY},
    "api/v1/halts/engage": {"POST": "trader risk admin"},
    "api/v1/halts/release": {"POST": "risk"},
    "api/v1/halts/history": {"GET": EVERYBODY},
    "api/v1/approvals": {"GET": EVERYBODY},
    "api/v1/approvals/<str:name>/approve": {"POST": "risk"},
    "api/v1/approvals/<str:name>/refuse": {"POST": "risk"},
    "api/v1/alerts": {"GET": EVERYBODY},
    "api/v1/alerts/<str:name>/acknowledge": {"POST": "trader risk admin"},
    "api/v1/alert-channels": {"GET": EVERYBODY, "POST": "admin"},
    "api/v1/alert-channels/<str:name>": {"GET": EVERYBODY, "PUT": "admin"},
    "api/v1/alert-channels/<str:name>/test": {"POST": "admin"},
    "api/v1/limits": {"GET": EVERYBODY, "PUT": "risk"},
    "api/v1/limits/triggers": {"GET": EVERYBODY},
    "api/v1/limits/utilisation": {"GET": EVERYBODY},
    "api/v1/audit": {"GET": EVERYBODY},
    "api/v1/audit/verify": {"GET": "risk admin"},
    "api/v1/audit/export": {"GET": "risk admin"},
    "api/v1/audit/<str:name>/proof": {"GET": EVERYBODY},
    "api/v1/stream": {"GET": EVERYBODY},
    "api/v1/webhooks/<str:name>": {"POST": PUBLIC},  # its secret is what lets in: see test_webhooks.py
    # from elsewhere than this host: see test_metrics.py
    "metrics": {"GET": PUBLIC},
    "healthz/live": {"GET": PUBLIC},
    "healthz/ready": {"GET": PUBLIC},
    "api/schema": {"GET": PUBLIC},
    "api/docs": {"GET": PUBLIC},
    "^(?:api|live)(?:/.*)?$": {"GET": PUBLIC, "POST": PUBLIC, "PUT": PUBLIC},
}


@pytest.fixture(autouse=True)
def no_stop_flag():
    yield
    settings.STOP_FLAG.unlink(missing_ok=True)


def table_row(route: str) -> dict[str, str]:
    return WHO_MAY[route if route.startswith("^") else route.rstrip("/")]


def test_every_address_stands_in_the_table():
    assert {
        route if route.startswith("^") else route.rstrip("/") for route, _view in views()
    } == WHO_MAY.keys()


def test_every_method_of_every_view_stands_in_the_table():
    for route, view in views():
        has = {method for method in METHODS if hasattr(view, method.lower())}
        assert has == set(table_row(route)) == set(view.needs), route


def expected(role: str, method: str, route: str) -> str:
    roles = table_row(route).get(method)
    if roles is None:
        return "405"
    if roles == PUBLIC:
        return "passes"
    return "401" if not role else "passes" if role in roles.split() else "403"


def outcome(status: int) -> str:
    return {401: "401", 403: "403", 405: "405"}.get(status, "passes")


@pytest.mark.parametrize("role", ["", *ROLES])
def test_every_role_gets_exactly_what_the_table_says(role, world, as_role):
    """Bodies are empty: who passes the door then meets 400 or 404, and changes nothing."""
    caller = as_role(role) if role else as_role()
    wrong = []
    for route, _view in views():
        for method in METHODS:
            path = path_of(route)
            answer = caller.get(path) if method == "GET" else caller.send(method, path, {})
            if answer.streaming:
                b"".join(answer.streaming_content)  # to its end, which closes it
            if outcome(answer.status_code) != expected(role, method, route):
                wrong.append((method, path, answer.status_code, expected(role, method, route)))
    assert not wrong


def test_head_is_get_without_a_body(world, viewer):
    answer = viewer.client.head("/api/v1/orders", headers=viewer.headers)
    assert answer.status_code == 200 and not answer.content
    assert viewer.client.head("/live/kill", headers=viewer.headers).status_code == 405


def test_other_methods_are_405_with_the_methods_that_are_there(world, trader):
    for route, view in views():
        for method in OTHER_METHODS:
            answer = trader.send(method, path_of(route))
            assert answer.status_code == 405, (method, route)
            there = {name.strip() for name in answer.headers["Allow"].split(",")} - {"HEAD"}
            assert there == set(view.needs)


def test_a_token_with_two_roles_may_what_either_may(world, as_role):
    both = as_role("trader", "risk")
    assert both.post("/api/v1/signals", {}).status_code == 400
    assert both.put("/api/v1/limits", {}).status_code == 400


def test_a_token_without_roles_may_nothing(world, trader):
    from trading.models import ApiToken

    ApiToken.objects.get().roles.clear()
    for route, _view in views():
        if table_row(route).get("GET", PUBLIC) != PUBLIC:
            assert trader.get(path_of(route)).status_code == 403, route


def test_the_roles_of_the_refusal_are_named(viewer):
    answer = viewer.put("/api/v1/limits", {})
    assert answer.json()["code"] == "not_allowed"
    assert answer.json()["context"]["right"] == "trading.add_limitsversion"
    assert "risk" in answer.json()["message"]
