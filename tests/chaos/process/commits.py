"""A proxy that loses the answer to a COMMIT: the process cannot know whether it was done, and must act as if it knew
nothing.

Every connection through it loses one COMMIT, chosen by chance among its first: half of them after the server has done
it, half before the server has seen it. Both sides are then cut off.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rig.oracle import Findings, Placements, examine
from tests.chaos.process.carriers import carriers, come_to_rest
from tests.chaos.process.forks import Forks, Keepers
from tests.chaos.process.ground import Ground
from tests.chaos.process.lives import LIVES

COMMIT = b"COMMIT\x00"
COMMITS_OF_A_LIFE = 7
CALM_SECONDS = 120
LIVES_TO_LIVE = ("trade", "rest and cancel", "split and cancel", "halt and release", "come into doubt")


class CommitProxy:
    """Serves for ever, in a process of its own."""

    def __init__(self, server_port: int, seed: int, log: Path) -> None:
        self._server_port, self._log = server_port, log
        self._chance = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def serve(self) -> None:
        while True:
            client, _address = self._listener.accept()
            loses, done = self._chance.randint(1, COMMITS_OF_A_LIFE), self._chance.random() < 0.5
            server = socket.create_connection(("127.0.0.1", self._server_port))
            threading.Thread(target=self._forward, args=(client, server, loses, done), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket, loses: int, done: bool) -> None:
        is_cut = threading.Event()
        threading.Thread(target=_answer, args=(server, client, is_cut), daemon=True).start()
        while data := _receive(client):
            loses -= data.count(COMMIT)
            if loses > 0:
                server.sendall(data)
                continue
            is_cut.set()
            if done:
                server.sendall(data)
                time.sleep(0.05)  # long enough for the server to have done it, however busy
            with self._log.open("a") as log:
                log.write(f"{'done' if done else 'undone'}\n")
            break
        for end in (client, server):
            end.close()


def _receive(end: socket.socket) -> bytes:
    try:
        return end.recv(65_536)
    except OSError:
        return b""


def _answer(server: socket.socket, client: socket.socket, is_cut: threading.Event) -> None:
    while data := _receive(server):
        if is_cut.is_set():
            return
        try:
            client.sendall(data)
        except OSError:
            return


@dataclass
class LostCommits:
    lost: Counter[str]
    findings: Findings
    calm: bool
    placements: Placements


def lose_commits(
    ground: Ground, *, seed: int, most: int, seconds: float, say: Callable[[str], None] = print
) -> LostCommits:
    """Lives over the proxy, each of which loses a COMMIT; pollers over a sound connection carry on."""
    from django.conf import settings

    log, output = ground.home / "commits.log", ground.home / "commit-lives.log"
    proxy = CommitProxy(int(settings.DATABASES["default"]["PORT"]), seed, log)
    keepers = Keepers({"proxy": proxy.serve, **carriers(ground, 0.0)}, output)
    forks, placements = Forks(output), Placements(ground.venue)
    began, number = time.monotonic(), 0
    try:
        keepers.look()
        while number < most and time.monotonic() < began + seconds:
            life = LIVES[LIVES_TO_LIVE[number % len(LIVES_TO_LIVE)]]
            forks.start(lambda life=life: _live_over(proxy.port, ground, life.live))
            number += 1
            if number % 50 == 0:
                say(f"{number} processes, {time.monotonic() - began:.0f} s")
                placements.catch_up()
            keepers.look()
        forks.wait()
        calm = come_to_rest(keepers.look, CALM_SECONDS)
    finally:
        keepers.stop()
    found = examine(ground.url, ground.venue, placements)
    ground.let_go()
    return LostCommits(Counter(log.read_text().split() if log.exists() else []), found, calm, placements)


def _live_over(port: int, ground: Ground, live: Callable[..., object]) -> None:
    from django.db import connection

    connection.settings_dict["PORT"] = str(port)
    os.environ.pop("PGPORT", None)
    live(ground.world)
