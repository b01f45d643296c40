"""Failpoints: named places of the code where a test may kill, stop, delay or break this very process.

    failpoint("dispatch.after_permit")

does nothing but one lookup in an empty table, unless the process was started in paper mode with FAILPOINTS in its
environment, such as `dispatch.after_permit=kill:0.1;http.before_write=stop:10s`. The names are a closed vocabulary: the
table below, where each says what is done and what is not yet. Elsewhere FAILPOINTS stops the process at its start.

A rule is an action and, after colons and in any order, a probability (0.1) and seconds (10s):

    kill     SIGKILL to itself: no `finally`, no rollback, no farewell
    stop     SIGSTOP to itself; with seconds a helper continues it after them, else whoever tests does
    sleep    waits that long
    raise    raises FailpointRaised
    drop     the caller leaves out what it was about to do; only at the points of DROPPABLE

Every strike leaves a line in the log that was named when the rules were armed. Knows no Django; never decides anything.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# name -> what has happened when it is reached, and what has not
POINTS = {
    "intake.before_decision": "the key is locked, nothing is written",
    "approval.before_commit": "[A] is written and not committed: signal, decision, order, audit",
    "approval.after_commit": "[A] is committed, its answer is not given",
    "doorbell.before_publish": "the row is committed, its bell has not rung",
    "poller.after_claim": "the timer of a due order is pushed on, the step is not taken",
    "dispatch.before_dial": "the order is approved, nothing is asked of the venue",
    "dispatch.after_dial": "the line is warm and the slot paid for, there is no permit",
    "dispatch.before_permit_commit": "[B] is written and not committed",
    "dispatch.after_permit": "[B] is committed, no byte has left",
    "http.before_guard": "a new order is about to be written, the permit was not looked at again",
    "http.before_write": "the last check has passed, the first byte is next",
    "http.after_send": "the request of a new order has left, its answer is awaited",
    "http.after_answer": "the answer to a new order is read, nobody knows it",
    "outcome.before_commit": "[C] is written and not committed",
    "outcome.after_commit": "[C] is committed",
    "settlement.after_fill": "[D] has booked a fill and is not committed",
    "settlement.before_commit": "[D] is written and not committed",
    "settlement.after_commit": "[D] is committed, alarms are not acted upon",
    "following.before_look": "a due order is about to be asked about",
    "following.after_look": "what the venue showed is booked, the next look is not planned",
    "in_doubt.before_lease_commit": "a lost permit is turned into doubt and not committed",
    "in_doubt.before_query": "the venue is about to be asked about an order in doubt",
    "in_doubt.after_query": "the venue has answered, nothing is written",
    "cancellation.before_request_commit": "a cancel is written down and not committed",
    "cancellation.after_request_commit": "a cancel is committed, nothing is sent",
    "cancellation.before_send": "a cancel is about to be sent",
    "cancellation.after_send": "the venue has answered a cancel, nothing is written",
    "algos.after_claim": "the timer of a due algo is pushed on, its step is not taken",
    "algos.before_move": "the next move of an algo is decided, nothing of it is done",
    "algos.before_child_commit": "a child and its place under the parent are written and not committed",
    "algos.after_child": "a child is committed, the timer of its parent is not set",
    "algos.before_state_commit": "another state of an algo is written and not committed",
    "algos.after_state": "another state of an algo is committed, its children were not withdrawn",
    "halts.after_flag": "the stop flag of this host is raised, the database knows nothing",
    "halts.before_commit": "an engagement is written and not committed",
    "halts.after_commit": "an engagement is committed, permits may still be alive",
    "halts.after_drain": "no permit is alive, the answer is not given",
    "halts.before_release_commit": "a release is written and not committed",
    "sweep.after_claim": "a sweep is leased, its round has not begun",
    "sweep.before_look": "a round has sent its cancels, the venue was not looked at",
    "sweep.before_verdict": "a sweep has its proof, its verdict is not written",
    "audit.before_write": "a change is made, its audit entry is not",
    "audit.after_write": "an audit entry is written and not committed",
    "audit.before_seal_commit": "a checkpoint is made and not committed",
    "audit.after_seal": "a checkpoint is committed, its anchor is not written",
    "sync.after_fills": "fills are booked and their cursor is moved, balances are old",
    "sync.before_balances_commit": "a snapshot of balances is written and not committed",
    "sync.after_balances": "a snapshot of balances is committed, nothing else of the run",
}
DROPPABLE = frozenset({"doorbell.before_publish"})
ACTIONS = ("kill", "stop", "sleep", "raise", "drop")


class FailpointMisuse(Exception):
    """FAILPOINTS cannot be understood; the message names what, why and the remedy."""


class FailpointRaised(RuntimeError):
    """What the action `raise` raises: a defect that nobody foresaw."""


@dataclass(frozen=True, slots=True)
class FailpointRule:
    """`after`: this many passages are let through first. Set by tests only; the text form has no word for it."""

    action: str
    probability: float = 1.0
    seconds: float = 0.0
    after: int = 0


_rules: dict[str, FailpointRule] = {}
_passed: dict[str, int] = {}
_log: Path | None = None


def failpoint(name: str) -> bool:
    """True only for a rule `drop`: leave out what comes next."""
    rule = _rules.get(name)
    return False if rule is None else _strike(name, rule)


def arm(rules: dict[str, FailpointRule], log: Path | None = None) -> None:
    """Put these rules in the place of all others. Raises FailpointMisuse."""
    global _log
    for name, rule in rules.items():
        _check(name, rule)
    _log = log
    _passed.clear()
    _rules.clear()
    _rules.update(rules)


def disarm() -> None:
    arm({})


@contextmanager
def also_armed(name: str, rule: FailpointRule) -> Iterator[None]:
    """This rule as well, inside the block."""
    _check(name, rule)
    before = _rules.get(name)
    _rules[name] = rule
    try:
        yield
    finally:
        _rules.pop(name)
        if before is not None:
            _rules[name] = before


def arm_from_text(text: str, mode: str, log: Path) -> None:
    """What the settings do at the start of every process. Raises FailpointMisuse."""
    if text.strip() and mode != "paper":
        raise FailpointMisuse(f"FAILPOINTS is set in {mode} mode: it is for tests in paper mode; unset it")
    if text.strip():
        arm(parse_failpoints(text), log)


def parse_failpoints(text: str) -> dict[str, FailpointRule]:
    """`name=action:0.1:10s;…` as rules. Raises FailpointMisuse."""
    rules = {}
    for part in filter(None, (word.strip() for word in text.split(";"))):
        name, sign, rule = part.partition("=")
        if not sign:
            raise FailpointMisuse(f"FAILPOINTS: {part!r} is no rule; write name=action, for example kill:0.1")
        rules[name.strip()] = _parse_rule(part, rule.strip())
    return rules


def _parse_rule(part: str, text: str) -> FailpointRule:
    action, *rest = text.split(":")
    numbers = {"probability": 1.0, "seconds": 0.0}
    for word in rest:
        which = "seconds" if word.endswith("s") else "probability"
        try:
            numbers[which] = float(word.removesuffix("s"))
        except ValueError:
            raise FailpointMisuse(
                f"FAILPOINTS: {word!r} in {part!r} is neither a probability (0.1) nor seconds (10s)"
            ) from None
    return FailpointRule(action, **numbers)


def _check(name: str, rule: FailpointRule) -> None:
    if name not in POINTS:
        raise FailpointMisuse(f"FAILPOINTS: there is no point {name!r}; known: {', '.join(POINTS)}")
    if rule.action not in ACTIONS:
        raise FailpointMisuse(
            f"FAILPOINTS: {name} has no action {rule.action!r}; known: {', '.join(ACTIONS)}"
        )
    if rule.action == "drop" and name not in DROPPABLE:
        raise FailpointMisuse(f"FAILPOINTS: nothing can be dropped at {name}, only at {', '.join(DROPPABLE)}")
    if not 0 <= rule.probability <= 1 or not 0 <= rule.seconds <= 3600:
        raise FailpointMisuse(
            f"FAILPOINTS: {name}: a probability is from 0 to 1, a time from 0s to 3600s, not {rule}"
        )


def _strike(name: str, rule: FailpointRule) -> bool:
    _passed[name] = _passed.get(name, 0) + 1
    # The shared generator of a forked child would repeat its siblings' draws.
    if _passed[name] <= rule.after or random.SystemRandom().random() >= rule.probability:
        return False
    _note(name, rule.action)
    if rule.action == "raise":
        raise FailpointRaised(f"failpoint {name}")
    if rule.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if rule.action == "stop":
        _stop(rule.seconds)
    if rule.action == "sleep":
        time.sleep(rule.seconds)
    return rule.action == "drop"


def _note(name: str, action: str) -> None:
    """One short write to a file opened for appending: whole, even from many processes that die right after it."""
    if _log is None:
        return
    descriptor = os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{time.time():.6f} {name} {action} {os.getpid()}\n".encode())
    finally:
        os.close(descriptor)


def _stop(seconds: float) -> None:
    """A stopped process cannot continue itself: a helper of its own session does, if it is to be continued at all."""
    pid = os.getpid()
    if seconds:
        subprocess.Popen(
            ["/bin/sh", "-c", f"sleep {seconds}; kill -CONT {pid}"],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    os.kill(pid, signal.SIGSTOP)
