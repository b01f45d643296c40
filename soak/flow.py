"""The clients of a run: what they send, how patiently, and what became of each request.

A client repeats a request under its key until it has a decision, as a client should; a decision is an answer, also when
it is a denial. What it never gets, or gets twice, is kept for the judge.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid5

import httpx

from rig.panel_client import PanelClient
from soak.plan import PlannedRequest
from soak.prices import last_price
from soak.scene import Scene
from soak.webhook import NAMESPACE, STRATEGY, Hook

CLIENTS = 6
PATIENCE_SECONDS = 90.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
SHORT_ANSWER_SECONDS = 20.0
BELOW = Decimal("0.985")  # of the last price: where limit orders rest
# Statuses that say "not now": the request is repeated. Everything else is an answer.
NOT_NOW = frozenset({408, 425, 429, 500, 502, 503, 504})
UNDER_WAY = "request_in_progress"  # with a 409: the same key is being answered at this moment
DECIDED = frozenset({200, 201})


@dataclass(frozen=True)
class Asked:
    """One request of a client and its end. `seconds`: of the try that was answered."""

    key: str
    kind: str
    began: float
    seconds: float
    tries: int
    status: int  # 0: never answered
    decision: str = ""
    codes: tuple[str, ...] = ()
    name: str = ""  # client order id
    order_id: str = ""
    problem: str = ""

    @property
    def failed(self) -> bool:
        return self.status not in DECIDED


@dataclass
class Flow:
    scene: Scene
    plan: Iterator[PlannedRequest]
    hook: Hook | None
    seed: int
    asked: list[Asked] = field(default_factory=list)
    cancels: list[Asked] = field(default_factory=list)
    algos: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    waiting: str = ""  # a client that never came to an end
    latest: float = 0.0  # seconds that the plan was behind, at most

    def __post_init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[PanelClient], None] | None] = queue.SimpleQueue()
        self._later: list[tuple[float, int, Callable[[PanelClient], None]]] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(CLIENTS)]
        self._clock = threading.Thread(target=self._follow_plan, daemon=True)

    def start(self) -> None:
        for thread in (*self._threads, self._clock):
            thread.start()

    def finish(self) -> bool:
        """After the scene is over: what was begun is ended, nothing new is begun. False if a client still waits."""
        self._clock.join()
        for _thread in self._threads:
            self._work.put(None)
        deadline = time.monotonic() + PATIENCE_SECONDS + SHORT_ANSWER_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    # -- in time ---------------------------------------------------------------------------------------------------

    def _follow_plan(self) -> None:
        began = time.monotonic()
        for planned in self.plan:
            if not self._wait_until(began + planned.at):
                return
            self.latest = max(self.latest, time.monotonic() - began - planned.at)
            self._work.put(lambda client, planned=planned: self._ask(client, planned))  # type: ignore[misc]

    def _wait_until(self, moment: float) -> bool:
        """False if it is over before. What was put off until then is begun meanwhile."""
        while True:
            with self._lock:
                due = [heapq.heappop(self._later) for _ in self._later[:] if self._is_due()]
            for _at, _number, act in due:
                self._work.put(act)
            left = moment - time.monotonic()
            if left <= 0:
                return not self.scene.over.is_set()
            if not self.scene.rest(min(left, 0.25)):
                return False

    def _is_due(self) -> bool:
        return bool(self._later) and self._later[0][0] <= time.monotonic()

    def _put_off(self, seconds: float, act: Callable[[PanelClient], None]) -> None:
        with self._lock:
            heapq.heappush(self._later, (time.monotonic() + seconds, next(self._numbers), act))

    def _serve(self) -> None:
        with self.scene.stack.client() as client:
            client.http.timeout = httpx.Timeout(SHORT_ANSWER_SECONDS)
            while act := self._work.get():
                act(client)

    # -- requests --------------------------------------------------------------------------------------------------

    def _ask(self, client: PanelClient, planned: PlannedRequest) -> None:
        ways: dict[str, Callable[[PanelClient, PlannedRequest, str], None]] = {
            "market": self._signal,
            "resting": self._rest,
            "repeated": self._repeat,
            "webhook": self._alert,
            "algo": self._algo,
        }
        ways[planned.kind](client, planned, str(uuid5(NAMESPACE, f"{self.seed}|{planned.number}")))

    def _signal(self, client: PanelClient, planned: PlannedRequest, key: str, **more: str) -> None:
        self.asked.append(self._post_signal(client, planned, key, **more))

    def _post_signal(self, client: PanelClient, planned: PlannedRequest, key: str, **more: str) -> Asked:
        body = body_of(planned) | {"strategy": STRATEGY} | more
        headers = {"Idempotency-Key": key}
        return self._insist(
            key,
            planned.kind,
            lambda: client.http.post("/api/v1/signals", headers=headers, json=body),
        )

    def _rest(self, client: PanelClient, planned: PlannedRequest, key: str) -> None:
        """A limit order below the price, canceled after a while."""
        try:
            last = last_price(self.scene, planned.symbol.replace("/", ""))
        except OSError:  # the venue's control is slow to answer: a market order then
            return self._signal(client, planned, key)
        price = str((last * BELOW).quantize(Decimal("0.01")))
        done = self._post_signal(client, planned, key, order_type="LIMIT", price=price)
        self.asked.append(done)
        if done.order_id and done.decision == "approved":
            self._put_off(planned.cancel_after, lambda other: self._cancel(other, done.order_id))
        return None

    def _cancel(self, client: PanelClient, order_id: str) -> None:
        self.cancels.append(
            self._insist(order_id, "cancel", lambda: client.http.post(f"/api/v1/orders/{order_id}/cancel"))
        )

    def _repeat(self, client: PanelClient, planned: PlannedRequest, key: str) -> None:
        first = self._post_signal(client, planned, key)
        second = self._post_signal(client, planned, key)
        self.asked.append(first)
        if not (first.failed or second.failed) and first.name != second.name:
            self.contradictions.append(f"{first.name} and {second.name}: two orders for the key {key}")

    def _alert(self, client: PanelClient, planned: PlannedRequest, key: str) -> None:
        if self.hook is None:
            return self._signal(client, planned, key)
        message = self.hook.message(body_of(planned), key)
        url = self.hook.url
        self.asked.append(self._insist(key, planned.kind, lambda: client.http.post(url, json=message)))
        return None

    def _algo(self, client: PanelClient, planned: PlannedRequest, key: str) -> None:
        body = body_of(planned) | {"kind": "twap", "duration_seconds": 20, "slices": 3}
        body["quantity"] = str(Decimal(planned.quantity) * 3)
        headers = {"Idempotency-Key": key}
        done = self._insist(
            key, planned.kind, lambda: client.http.post("/api/v1/algos", headers=headers, json=body)
        )
        self.asked.append(done)

    def _insist(self, key: str, kind: str, send: Callable[[], httpx.Response]) -> Asked:
        """Again and again until there is an answer, with growing pauses, for a minute and a half."""
        began, pause, tries, problem = time.time(), FIRST_PAUSE, 0, ""
        while True:
            tries += 1
            clock = time.perf_counter()
            try:
                answer = send()
            except httpx.HTTPError as error:
                status, problem = 0, type(error).__name__
            else:
                status, problem = answer.status_code, answer.text[:300]
                if status not in NOT_NOW and UNDER_WAY not in problem:
                    return read_answer(key, kind, began, time.perf_counter() - clock, tries, answer)
            if time.time() - began > PATIENCE_SECONDS:
                return Asked(key, kind, began, time.time() - began, tries, status, problem=problem)
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def body_of(planned: PlannedRequest) -> dict[str, Any]:
    return {"symbol": planned.symbol, "side": planned.side, "quantity": planned.quantity}


def read_answer(
    key: str, kind: str, began: float, seconds: float, tries: int, answer: httpx.Response
) -> Asked:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    problem = "" if answer.status_code in DECIDED else answer.text[:300]
    return Asked(
        key,
        kind,
        began,
        seconds,
        tries,
        answer.status_code,
        str(body.get("decision", "")),
        tuple(str(code) for code in body.get("codes") or ()),
        str(body.get("client_order_id") or ""),
        str(body.get("order_id") or body.get("id") or ""),
        problem,
    )
