"""Planted secrets: a whole order life, with everything logged and everything going wrong, shows none of them."""

from __future__ import annotations

import logging
import re

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from tests.making import PERSON, World, add_foreign_order, make_account
from trading.connections import stream_for
from trading.domain.enums import CancelScope, HaltScope
from trading.exchanges.streams import StreamLost
from trading.execution.accounts import check_connection, store_credentials
from trading.execution.cancellation import cancel_all, request_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.halts import engage
from trading.execution.in_doubt import resolve_order
from trading.execution.poller import advance_order
from trading.execution.stream_state import enter_state, take_stream
from trading.execution.tokens import create_token
from trading.models import StreamState

KEY, SECRET = "mx0canaryKEY7f3a9", "canary-SECRET-51ce8e2b"
PASSWORD = "canary-PASSWORD-9c1d77"
PAGES = ("/admin/", "/admin/trading/order/", "/admin/trading/exchangeaccount/", "/admin/trading/auditentry/")
ADDRESSES = (
    "/api/v1/orders",
    "/api/v1/accounts",
    "/api/v1/audit",
    "/api/v1/orders?limit=no",
    "/api/v1/orders/no-such-order",
    "/live/status",
)
FAULTS = ("drop_after", "malformed", "http_status", "error_code")
MORE = {"http_status": {"status": 500}, "error_code": {"status": 400, "code": 700002, "msg": f"bad {KEY}"}}


def make_operator() -> None:
    operator = get_user_model().objects.create_user("canary", password=PASSWORD, is_staff=True)
    operator.groups.set(Group.objects.filter(name__in=["viewer", "trader"]))


@pytest.fixture
def canary(world: World) -> World:
    world.venue.add_user("canary", KEY, SECRET, balances={"USDT": "100000"})
    type(world.account).objects.update(is_default=False)
    account = make_account(world.venue, "canary", is_default=True)
    store_credentials(account, KEY, SECRET, actor=PERSON)
    return World(world.venue, account)


def live_through_everything(world: World) -> None:
    world.sync()
    check_connection(world.account.pk, actor=PERSON)
    world.buy()
    request_cancel(world.rest().id, actor=PERSON)
    for kind in FAULTS:
        order = world.approve(price="49000")
        world.fault(kind, count=1, **MORE.get(kind, {}))
        dispatch_order(order.id)
        world.fault(kind, method="GET", count=2, **MORE.get(kind, {}))
        resolve_order(order.id)
        advance_order(order.id)
        world.venue.clear_faults()
        resolve_order(order.id)
    world.fault("http_status", method="GET", path="/api/v3/account", status=503)
    world.sync(complete=False)
    world.venue.clear_faults()
    add_foreign_order(world)
    cancel_all(CancelScope.EVERYTHING, actor=PERSON)
    engage(HaltScope.ACCOUNT, "canary", reason="test", actor=PERSON)


def listen_until_it_is_lost(world: World) -> str:
    """As the listener does, with its reason in the row. Returns the listen key."""
    stream = stream_for(world.account)
    stream.open()
    listen_key = stream._key._text
    world.venue.faults([{"kind": "stream_drop", "count": 1}])
    take_stream(world.account.pk)
    with pytest.raises(StreamLost) as caught:
        while stream.read(20) is not None:
            pass
    logging.getLogger("trading.streams").warning("lost: %s", caught.value)
    enter_state(world.account.pk, StreamState.LOST, str(caught.value))
    stream.close()
    return listen_key


def all_rows() -> str:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        texts = []
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(r::text, E'\\n'), '') FROM \"{table}\" r")
            texts.append(cursor.fetchone()[0])
    return "\n".join(texts)


def knock_at_the_doors(token: str) -> str:
    """What a person and a program are answered, also for what is wrong; returned as one text."""
    client, texts = Client(raise_request_exception=False), []
    client.post("/admin/login/", {"username": "canary", "password": PASSWORD})
    assert client.session.get("_auth_user_id"), "the canary could not sign in"
    for address in PAGES:
        texts.append(client.get(address).content.decode())
    for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer {token}x"}):
        for address in ADDRESSES:
            texts.append(Client(headers=headers).get(address).content.decode())
        broken = Client(headers=headers).post("/api/v1/signals", b"{broken", content_type="application/json")
        texts.append(broken.content.decode())
    return "\n".join(texts)


def test_no_password_token_or_key_of_ours_in_any_answer_log_or_row(canary: World, caplog):
    for name in ("", "django", "trading"):
        caplog.set_level(logging.DEBUG, logger=name)
    make_operator()
    _, token = create_token("canary", ["trader"], days=1, actor=PERSON)
    canary.sync()
    canary.buy()
    answers = knock_at_the_doors(token)
    assert "canary" in answers
    logged = "\n".join(
        f"{record.getMessage()} {record.exc_text or ''}"
        for record in caplog.records
        if record.name != "django.db.backends"
    )
    ours = (settings.SECRET_KEY, settings.ENCRYPTION_KEY, settings.AUDIT_KEY)
    for where, text in {"answers": answers, "logs": logged, "rows": all_rows()}.items():
        for secret in (KEY, SECRET, PASSWORD, token, token.rpartition(".")[2], *ours):
            assert secret not in text, f"found in {where}"


def test_no_key_secret_or_signature_in_any_log_or_row(canary: World, caplog):
    for name in ("", "httpx", "httpcore", "websockets", "trading", "django.db.backends"):
        caplog.set_level(logging.DEBUG, logger=name)
    live_through_everything(canary)
    listen_key = listen_until_it_is_lost(canary)
    assert len(canary.placements()) > len(FAULTS) and caplog.records
    # The database's own log of statements is no log of the product; it only runs with DEBUG on.
    logged = "\n".join(
        f"{record.getMessage()} {record.exc_text or ''} {vars(record)}"
        for record in caplog.records
        if record.name != "django.db.backends"
    )
    for where, text in (("logs", logged), ("rows", all_rows())):
        for secret in (KEY, SECRET, SECRET.encode().hex(), listen_key):
            assert secret not in text, f"found in {where}"
        assert not re.search(r"signature=[0-9a-f]{8}", text), f"a signature in {where}"
