"""The line to a channel: takes real addresses, refuses the inside, and says no secret when it fails."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from levi_site.env import REPO_DIR
from tests.alert_receiver import AlertReceiver, alert_receiver
from trading import alert_line
from trading.alert_line import check_address, is_public, send_text
from trading.domain.enums import Severity
from trading.domain.errors import InvalidInput


@pytest.fixture
def receiver():
    with alert_receiver() as running:
        yield running


def send(url: str, **more) -> str:
    words = {"subject": "Subject", "text": "Text", "severity": Severity.CRITICAL, "private_allowed": True}
    return send_text(url, **(words | more))


def test_a_text_arrives_with_its_severity(receiver: AlertReceiver):
    assert send(receiver.url) == ""
    (message,) = receiver.messages
    assert (message["title"], message["message"], message["type"]) == ("Subject", "Text", "failure")


def test_a_refusal_is_told_without_the_secret_parts_of_the_address(receiver: AlertReceiver):
    receiver.status = 500
    error = send(receiver.url)
    assert "500" in error and "a-secret-path" not in error
    error = send(f"json://someone:pa55word-xyz@127.0.0.1:{unused_port()}/a-secret-path")
    assert error and "a-secret-path" not in error and "pa55word-xyz" not in error


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_redirect_is_not_followed(receiver: AlertReceiver):
    receiver.status, receiver.redirect_to = 302, f"http://127.0.0.1:{receiver.port}/elsewhere"
    assert send(receiver.url) != ""
    assert len(receiver.messages) == 1


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1/x",
        "json://localhost/x",
        "jsons://10.0.0.7/x",
        "form://192.168.1.1/x",
        "xml://169.254.169.254/latest",
        "json://[::1]/x",
        "json://[::ffff:127.0.0.1]/x",
        "json://0.0.0.0/x",
        "json://2130706433/x",
        "json:///x",
        "ntfy://127.0.0.1/topic",
        "mailto://user:password@127.0.0.1",
    ],
)
def test_hosts_of_the_inside_are_refused_when_stored_and_again_when_sending(
    url: str, receiver: AlertReceiver
):
    with pytest.raises(InvalidInput) as caught:
        check_address(url, private_allowed=False)
    assert caught.value.context["field"] == "url"
    assert send(url.replace("127.0.0.1/", f"127.0.0.1:{receiver.port}/"), private_allowed=False)
    assert receiver.messages == []


def test_a_name_that_leads_inside_today_is_refused_today(receiver: AlertReceiver, monkeypatch):
    """The name of the address resolves to a public host when it is stored, and to this machine when it is used."""
    monkeypatch.setattr(
        alert_line.socket, "getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", ("93.184.216.34", 0))]
    )
    url = check_address("json://alerts.example.com/x", private_allowed=False)
    monkeypatch.setattr(alert_line.socket, "getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", ("127.0.0.1", 0))])
    assert "private network" in send(url, private_allowed=False)


@pytest.mark.parametrize(("kind", "rest"), [("json", "/x"), ("mailto", "/?to=ops@example.com")])
def test_a_name_that_leads_inside_only_when_it_is_dialled_reaches_nobody(
    receiver: AlertReceiver, monkeypatch, kind: str, rest: str
):
    """A name server that gives the check a public address and the connection one of this machine."""
    dialled = []

    def resolve(host, port, *_more, **_options):
        dialled.append(port)
        return [(2, 1, 6, "", ("127.0.0.1", receiver.port))]

    url = f"{kind}://user:password@alerts.example.com:{receiver.port}{rest}"
    monkeypatch.setattr(alert_line, "_why_not", lambda *_a, **_k: "")
    monkeypatch.setattr(alert_line._Dialling, "_resolve", staticmethod(resolve))
    assert send(url, private_allowed=False) != ""
    assert dialled and receiver.messages == []
    if kind == "json":
        assert send(url, private_allowed=True) == "" and len(receiver.messages) == 1


@pytest.mark.parametrize(
    "url", ["", "slack", "dbus://", "syslog://x", "file:///etc/passwd", "json://x\n/y", "j s://x"]
)
def test_what_is_no_address_or_acts_on_this_machine_is_refused(url: str):
    with pytest.raises(InvalidInput):
        check_address(url, private_allowed=True)


def test_an_address_that_apprise_does_not_know_is_an_error_and_not_a_crash():
    assert "does not understand" in send("nosuchkind://token/more")


def test_which_addresses_are_public():
    assert is_public("93.184.216.34") and is_public("2606:4700::1111")
    inside = (
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
    )
    assert not any(map(is_public, (*inside, "::ffff:10.0.0.1", "2002:7f00:1::", "224.0.0.1", "0.0.0.0")))


def test_only_who_sends_imports_apprise():
    code = (
        "import sys, django; django.setup(); import trading.supervision, trading.tasks, levi_site.urls;"
        "print('apprise' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=REPO_DIR, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
