"""What a person sees who starts Levi and pastes the printed line."""

from __future__ import annotations

import re
import shlex
from decimal import Decimal

import httpx

from rig.instance import StackInstance, wait_until
from rig.ledger import find_differences, position_at_venue


def send_printed_line(log: str) -> httpx.Response:
    """The curl line of the banner, sent as curl would."""
    line = re.search(r"^(curl -sS -X POST .*?'\{.*?\}')$", log, re.MULTILINE | re.DOTALL)
    assert line, "the banner shows no curl line"
    words = shlex.split(line[1].replace("\\\n", " "))
    headers = [tuple(words[at + 1].split(": ", 1)) for at, word in enumerate(words) if word == "-H"]
    url, body = next(word for word in words if word.startswith("http")), words[words.index("-d") + 1]
    return httpx.post(url, headers=headers, content=body, timeout=60, trust_env=False)


def test_the_printed_line_becomes_an_order_a_fill_and_a_position(running_stack: StackInstance, client, venue):
    before = client.position()
    filled_before = client.metric("levi_orders_total", status="filled", symbol="BTC/USDT", side="BUY")

    answer = send_printed_line(running_stack.read_log())

    assert answer.status_code == 201 and answer.json()["decision"] == "approved", answer.text
    order_id, name = answer.json()["order_id"], answer.json()["client_order_id"]
    wait_until(lambda: client.get_order(order_id)["status"] == "filled", "the order is filled")
    assert client.position() - before == Decimal("0.01")
    theirs = [order for order in venue.orders() if order["client_order_id"] == name]
    assert [(order["status"], Decimal(order["filled"])) for order in theirs] == [("FILLED", Decimal("0.01"))]
    assert client.position() == position_at_venue(venue)
    counted = client.metric("levi_orders_total", status="filled", symbol="BTC/USDT", side="BUY")
    assert counted - filled_before == 1
    assert find_differences(client, venue) == []


def test_the_balances_follow_the_venue(client, venue):
    answer = client.post_signal(quantity="0.002").json()
    wait_until(lambda: client.get_order(answer["order_id"])["status"] == "filled", "the order is filled")

    def balances_agree() -> bool:
        rows = client.get_all("/api/v1/balances")
        ours = {row["asset"]: Decimal(row["free"]) + Decimal(row["locked"]) for row in rows}
        theirs = {asset: Decimal(row["total"]) for asset, row in venue.balances().items()}
        return all(ours.get(asset, Decimal(0)) == total for asset, total in theirs.items())

    wait_until(balances_agree, "the balances are those of the venue")


def test_the_audit_trail_of_it_verifies(running_stack: StackInstance, client):
    done = running_stack.manage("verify_audit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every entry is unchanged" in done.stdout


def test_every_web_process_gives_a_sign_of_life(running_stack: StackInstance, client):
    wait_until(
        lambda: 'levi_heartbeat_age_seconds{process="web@' in client.http.get("/metrics").text,
        "the panel beats",
    )
