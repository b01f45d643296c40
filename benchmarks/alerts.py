"""Alerts of a running stack: from the event to the receiver, while four clients post orders."""

from __future__ import annotations

from benchmarks.first_byte import seconds_of
from benchmarks.rows import Row, spread
from rig.instance import StackInstance, wait_until
from rig.load import Load, endless
from rig.panel_client import PanelClient
from tests.alert_receiver import AlertReceiver, alert_receiver

HALTS, CLIENTS = 10, 4
GOALS = {99: "<= 5,000 ms"}
OPEN_CHANNEL = """
from trading.domain.actors import Actor, ActorKind
from trading.execution.alert_channels import create_channel
create_channel("benchmark", {url!r}, actor=Actor(ActorKind.COMMAND, "benchmarks"))
"""


def open_channel(stack: StackInstance, receiver: AlertReceiver) -> None:
    done = stack.manage("shell", "-c", OPEN_CHANNEL.format(url=receiver.url))
    assert done.returncode == 0, done.stderr
    wait_until(lambda: bool(receiver.messages), "the channel has had its test")


def halt_and_release(client: PanelClient, receiver: AlertReceiver) -> list[float]:
    """Seconds from the halt, and from the release, to their alerts: by the instants in the database."""
    taken = []
    for act, words in ((client.kill, "is halted"), (client.release, "is active again")):
        told = len(receiver.messages)
        since = seconds_of(act("benchmark")["since"])

        def is_told(told: int = told, words: str = words) -> bool:
            return any(words in subject for subject in receiver.subjects[told:])

        wait_until(is_told, f"somebody is told that everything {words}")
        number = next(n for n in range(told, len(receiver.messages)) if words in receiver.subjects[n])
        taken.append(receiver.arrived[number] - since)
    return taken


def measure(stack: StackInstance) -> list[Row]:
    stack.venue.set_price("BTCUSDT", "50000")
    with alert_receiver() as receiver, stack.client() as client:
        open_channel(stack, receiver)
        quiet = [seconds for _ in range(HALTS) for seconds in halt_and_release(client, receiver)]
        with Load(stack, endless(lambda _number: {"quantity": "0.0002"}), CLIENTS) as load:
            busy = [seconds for _ in range(HALTS) for seconds in halt_and_release(client, receiver)]
            load.stop()
        failed = client.metric("levi_alerts_total", outcome="failed")
        close_channel(stack)
    return [
        *spread("event to receiver, quiet", quiet, goals=GOALS, note="halts and releases"),
        *spread("event to receiver, under load", busy, goals=GOALS, note=f"{CLIENTS} clients posting"),
        Row("messages that arrived", float(len(receiver.messages)), ""),
        Row("tries that failed", failed, "", "0"),
    ]


CLOSE_CHANNEL = "from trading.models import AlertChannel; AlertChannel.objects.update(is_enabled=False)"


def close_channel(stack: StackInstance) -> None:
    done = stack.manage("shell", "-c", CLOSE_CHANNEL)
    assert done.returncode == 0, done.stderr
