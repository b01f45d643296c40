"""A client repeats under its key until it has a decision, takes a denial for one, and gives up by its patience only."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from rig.oracle import Placements
from soak import flow as flows
from soak.flow import Asked, Flow
from soak.scene import Scene


@pytest.fixture
def flow(monkeypatch) -> Flow:
    monkeypatch.setattr(flows, "FIRST_PAUSE", 0.0)
    placements = Placements.__new__(Placements)
    scene = Scene(stack=SimpleNamespace(read_log=str), placements=placements)  # type: ignore[arg-type]
    return Flow(scene, iter(()), None, 7)


def ask(flow: Flow, *answers: httpx.Response | Exception) -> tuple[Asked, int]:
    """What became of it, and how many of the answers were needed."""
    left = list(answers)

    def send() -> httpx.Response:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return flow._insist("key", "market", send), len(answers) - len(left)


APPROVED = httpx.Response(201, json={"decision": "approved", "client_order_id": "lv1", "order_id": "one"})
DENIED = httpx.Response(201, json={"decision": "denied", "codes": ["halted"]})
BUSY = httpx.Response(409, json={"code": "request_in_progress"})


def test_lost_answers_and_not_now_are_repeated(flow: Flow):
    done, sent = ask(flow, httpx.ReadError("cut"), httpx.Response(503), httpx.Response(429), BUSY, APPROVED)
    assert (done.tries, sent, done.decision, done.name, done.failed) == (5, 5, "approved", "lv1", False)


def test_a_denial_is_an_answer_and_a_refusal_is_a_failure(flow: Flow):
    done, sent = ask(flow, DENIED, APPROVED)
    assert (sent, done.decision, done.codes, done.failed) == (1, "denied", ("halted",), False)
    done, sent = ask(flow, httpx.Response(403, json={"code": "not_allowed"}), APPROVED)
    assert (sent, done.status, done.failed) == (1, 403, True)
    done, _sent = ask(flow, httpx.Response(409, json={"code": "order_is_final"}))
    assert done.failed and "order_is_final" in done.problem


def test_what_never_comes_is_given_up_and_kept_with_the_last_word(flow: Flow, monkeypatch):
    monkeypatch.setattr(flows, "PATIENCE_SECONDS", -1.0)
    done, sent = ask(flow, httpx.Response(502, text="bad gateway"), APPROVED)
    assert (sent, done.failed, done.status, done.problem) == (1, True, 502, "bad gateway")
