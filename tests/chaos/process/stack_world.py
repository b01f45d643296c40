"""A driven stack of the campaign: its processes may carry failpoints, and log everything for the secrets to show."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rig.driven import DrivenStack
from rig.instance import PROJECT
from rig.load import Load, endless


class CampaignStack(DrivenStack):
    """`failpoints` as FAILPOINTS for all of its processes; everything logs at DEBUG, for the secrets to show."""

    def __init__(self, *arguments: str, failpoints: str = "") -> None:
        super().__init__(*arguments)
        self.failpoints = failpoints

    @property
    def environment(self) -> dict[str, str]:
        more = {"LEVI_LOG_LEVEL": "DEBUG"} | ({"FAILPOINTS": self.failpoints} if self.failpoints else {})
        return super().environment | more

    def run_python(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """A process of the product in another terminal."""
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=PROJECT,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @contextmanager
    def load(self, pause: float = 0.15, clients: int = 3) -> Iterator[Load]:
        """Market orders of both sides, and every fourth rests."""

        def body(number: int) -> dict[str, str]:
            side = "SELL" if number % 2 else "BUY"
            return {"side": side, "quantity": "0.0004"} | (
                {"price": "48500", "side": "BUY"} if number % 4 == 0 else {}
            )

        with Load(self, endless(body, pause=pause), clients=clients) as load:
            yield load
