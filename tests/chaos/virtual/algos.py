"""One algo under the virtual clock: the real next move, carried out step by step by runners that die, stop and race.

The steps of `execution/algos` are here one to one: look, decide, lock the parent, admit, decide the child, adopt,
commit, set the timer. What becomes of a child at the venue is drawn (the order protocol has its own simulation); a
halt voids what was approved before it. `judge` reads the journal of what left, the
committed rows and its own account of time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from trading.domain.algo_moves import AlgoView, Change, ChildView, Make, Move, Wait, Withdraw, next_move
from trading.domain.algo_plans import PlanSlice, make_plan, slice_quantities, spread_evenly
from trading.domain.algo_states import ENDED, can_change
from trading.domain.enums import AlgoKind, AlgoState
from trading.domain.enums import OrderStatus as S
from trading.domain.order_states import TERMINAL

from .algo_parts import LEASE, LONGEST_LOOK, WORDS, ZERO, Child, Locked, Row
from .kernel import Kernel, Process, Steps, StoreError
from .locks import Lock
from .oracle import Violation

__all__ = ["WORDS", "AlgoWorld", "catch_algo", "run_algo_seed"]
LOT = Decimal(1)


@dataclass
class AlgoWorld:
    chance: random.Random
    broken: str = ""
    story: list[str] | None = None
    row: Row = field(default_factory=Row)
    children: list[Child] = field(default_factory=list)
    sent: list[tuple[float, Child]] = field(default_factory=list)
    engaged: list[float] = field(default_factory=list)
    moves: list[tuple[float, AlgoState]] = field(default_factory=list)
    epoch: int = 1
    halted: bool = False
    wrong: list[Violation] = field(default_factory=list)

    def __post_init__(self) -> None:
        r = self.chance
        self.kernel = Kernel(r, r.choice((0.002, 0.02, 0.2)), self.story)
        self.lock = Lock(self.kernel)
        self.kind = r.choice((AlgoKind.TWAP, AlgoKind.TWAP, AlgoKind.ICEBERG))
        slices = r.choice((2, 4, 6))
        self.quantity = LOT * slices * r.choice((2, 5))
        self.duration = float(slices * r.choice((10, 20)))
        self.plan = make_plan(self.quantity, spread_evenly(slices), seconds=int(self.duration), lot_size=LOT)
        if self.kind is AlgoKind.ICEBERG:
            self.plan = (PlanSlice(ZERO, self.quantity),)
        self.losses = r.choice((0.0, 0.0, 0.05))
        self.bells = r.choice((0.0, 0.5, 1.0))
        self.troubles = r.choice((0.0, 0.3, 0.6))
        self.processes = [Process(self.kernel, f"worker {number}") for number in (1, 2)]
        self.office = Process(self.kernel, "person")
        for process in self.processes:
            process.on_restart = lambda process=process: self._run(process)  # type: ignore[misc]
            self._run(process)
            for _ in range(r.choice((0, 1, 2))):
                kind = r.choice(("crash", "pause", "pause"))
                process.faults[r.randint(3, 400)] = (kind, r.choice((0.5, 3.0, 8.0, 30.0, 60.0)))
        self.kernel.spawn(self.office, self._live_through())

    def _locked(self, process: Process) -> Locked:
        return Locked(self.lock, process, lambda: self.chance.random() < self.losses)

    # -- runners ------------------------------------------------------------------------------------------------------
    def _run(self, process: Process) -> None:
        self.kernel.spawn(process, self._poll(process))

    def _poll(self, process: Process) -> Steps:
        while self.row.state not in ENDED:
            yield 0.5
            due = self.row.next_at
            if due is None or due > self.kernel.now:
                continue
            yield None
            if self.row.next_at == due:  # a conditional UPDATE
                self.row.next_at = self.kernel.now + LEASE
                yield from self._advance(process)

    def ring(self) -> None:
        if self.chance.random() < self.bells:
            process = self.chance.choice(self.processes)
            if process.is_alive:
                self.kernel.spawn(process, self._advance(process), self.chance.random())

    def _advance(self, process: Process) -> Steps:
        seen = replace(self.row)
        if seen.state in ENDED:
            return
        try:
            if seen.state is AlgoState.RUNNING and (yield from self._heed_halts(process, seen)):
                return
            yield None
            at, children = self.kernel.now, [replace(child) for child in self.children]
            move = self._decide(self._view(seen, children, at))
            yield None
            yield from self._carry_out(process, seen, children, move, at)
            yield None
        except StoreError:
            return
        self._set_timer(seen, move)

    def _heed_halts(self, process: Process, seen: Row) -> Steps:
        epoch = self.epoch
        yield None
        is_past = epoch != seen.epoch and self.broken != "release_wakes"
        if self.halted or is_past:
            yield from self._change(process, seen, None, AlgoState.PAUSED)
            return True
        if self.row.epoch == seen.epoch:
            self.row.epoch = seen.epoch = epoch
        return False

    def _view(self, seen: Row, children: list[Child], at: float) -> AlgoView:
        return AlgoView(
            kind=self.kind,
            state=seen.state,
            quantity=self.quantity,
            plan=self.plan,
            elapsed=Decimal(
                str(round((seen.since if seen.state is AlgoState.PAUSED else at) - seen.stood, 6))
            ),
            children=tuple(self._child_view(child, at) for child in children),
            lot_size=LOT,
            smallest=LOT,
            duration=Decimal(str(self.duration)) if self.kind is not AlgoKind.ICEBERG else None,
            visible=LOT * 2 if self.kind is AlgoKind.ICEBERG else None,
            forgiven=seen.forgiven,
        )

    def _child_view(self, child: Child, at: float) -> ChildView:
        quantity = child.quantity
        if self.broken == "only_fills_count" or (
            self.broken == "doubt_counts_nothing" and child.status is S.IN_DOUBT
        ):
            quantity = child.filled
        ended = None if child.ended_at is None else Decimal(str(round(at - child.ended_at, 3)))
        return ChildView(
            child.number, child.slice, child.status, quantity, child.filled, ended, child.cancel_asked
        )

    def _decide(self, view: AlgoView) -> Move:
        move = next_move(view)
        if self.broken == "no_cap" and isinstance(move, Make) and self.kind is not AlgoKind.ICEBERG:
            return Make(move.slice, self.plan[move.slice].target - (view.quantity - view.room))
        return move

    def _carry_out(self, process: Process, seen: Row, children: list[Child], move: Move, at: float) -> Steps:
        match move:
            case Make():
                yield from self._make(process, seen, len(children) + 1, move, at)
            case Withdraw(numbers=numbers):
                for number in numbers:
                    yield None
                    self.ask_end(self.children[number - 1])
            case Change(state=state):
                yield from self._change(process, seen, len(children), state)

    def _make(self, process: Process, seen: Row, number: int, move: Make, at: float) -> Steps:
        work = self._locked(process)
        yield from work.begin()
        row, old = self.row, self.kernel.now - at > LONGEST_LOOK
        admitted = (
            (row.state is AlgoState.RUNNING or self.broken == "no_state")
            and (row.since == seen.since or self.broken in ("old_look_at_the_clock", "no_state"))
            and not old
            and ((row.epoch == seen.epoch == self.epoch) or self.broken == "no_epoch")
            and (len(self.children) < number or self.broken == "no_number")
        )
        if not admitted:
            work.abort()
            raise StoreError("something moved")
        yield self.chance.choice((0.0, 0.0, 0.1, 1.5))  # it waits for its account
        work.check()
        epoch, is_halted = self.epoch, self.halted
        if epoch != seen.epoch and self.broken not in ("epoch_asked_once", "no_epoch"):
            work.abort()
            raise StoreError("a halt came")
        yield from work.commit()
        child = Child(number, move.slice, move.quantity, epoch, self.kernel.now, clock=self.true_clock())
        self.children.append(child)
        if self.row.state is not AlgoState.RUNNING:
            self.wrong.append(Violation("G2", f"child {number} was made while it was {self.row.state}"))
        work.abort()
        self.kernel.tell(process.name, f"made child {number} of {move.quantity} (epoch {epoch})")
        if is_halted:
            self.put(child, S.DENIED)
        else:
            self.kernel.call_later(self.chance.choice((0.01, 0.3, 2.0)), self._send, child)
        self._weigh()

    def _change(self, process: Process, seen: Row, children: int | None, state: AlgoState) -> Steps:
        work = self._locked(process)
        yield from work.begin()
        row = self.row
        same = (row.state, row.since) == (seen.state, seen.since)
        if not same or (children is not None and len(self.children) != children):
            work.abort()
            raise StoreError("something moved")
        yield from work.commit()
        self._move(state)
        work.abort()

    def _move(self, state: AlgoState, **fields: Any) -> None:
        assert can_change(self.row.state, state), (self.row.state, state)
        if self.row.state is AlgoState.PAUSED and self.broken != "clock_goes_on":
            fields["stood"] = self.row.stood + self.kernel.now - self.row.since
        next_at = None if state in ENDED else self.kernel.now
        self.row = replace(self.row, state=state, since=self.kernel.now, next_at=next_at, **fields)
        self.moves.append((self.kernel.now, state))
        self.kernel.tell("the algo", f"is {state}")
        self.ring()

    def _set_timer(self, seen: Row, move: Move) -> None:
        if isinstance(move, Change) or (self.row.state, self.row.since) != (seen.state, seen.since):
            return
        seconds = float(move.seconds or 0) if isinstance(move, Wait) else 1.0
        ends = isinstance(move, Wait) and move.seconds is None
        self.row.next_at = None if ends else self.kernel.now + min(seconds, LEASE)

    # -- children at the venue ----------------------------------------------------------------------------------------
    def put(self, child: Child, status: S, filled: Decimal | None = None) -> None:
        child.status, child.filled = status, child.filled if filled is None else filled
        if status in TERMINAL:
            child.ended_at = self.kernel.now
            self.ring()

    def ask_end(self, child: Child) -> None:
        if child.status is S.APPROVED:
            self.put(child, S.LAPSED)
        elif child.status not in TERMINAL:
            child.cancel_asked = True
            if child.status is S.OPEN:
                self.kernel.call_later(self.chance.random(), self._end, child)

    def _send(self, child: Child) -> None:
        if child.status is not S.APPROVED:
            return
        if child.epoch != self.epoch or self.halted:
            self.put(child, S.LAPSED)
            return
        self.sent.append((self.kernel.now, child))
        child.status = S.SUBMITTING
        later, r = self.kernel.call_later, self.chance
        if r.random() < self.troubles:
            fate = r.choice(("doubt", "doubt", "rejected", "part"))
            child.status = S.IN_DOUBT if fate == "doubt" else S.SUBMITTING
            seconds = r.choice((1.0, 12.0, 25.0)) if fate == "doubt" else 0.2
            later(seconds, self._settle, child, r.choice((S.FILLED, S.NOT_ACCEPTED)) if fate == "doubt" else
                  S.REJECTED if fate == "rejected" else S.EXPIRED)  # fmt: skip
        elif self.kind is AlgoKind.ICEBERG:
            child.status = S.OPEN
            later(r.choice((2.0, 15.0, 90.0)), self._settle, child, S.FILLED)
        else:
            later(0.1, self._settle, child, S.FILLED)

    def _settle(self, child: Child, status: S) -> None:
        if child.status in TERMINAL:
            return
        part = (child.quantity // 2) if status is S.EXPIRED else ZERO
        self.put(child, status, child.quantity if status is S.FILLED else part)
        self._weigh()

    def _end(self, child: Child) -> None:
        if child.status not in TERMINAL:
            self.put(child, S.CANCELED)

    # -- a person -----------------------------------------------------------------------------------------------------
    def _live_through(self) -> Steps:
        r = self.chance
        for _ in range(r.choice((0, 1, 2, 4))):
            yield r.choice((0.5, 3.0, 10.0)) * r.random()
            word = r.choice(("halt", "halt", "pause", "pause", "cancel")) if r.random() < 0.9 else ""
            if word == "halt":
                self._engage()
                yield r.choice((0.05, 0.5, 3.0))
                self.halted = False
            elif word and (yield from self._stop(word)):
                yield r.choice((0.1, 2.0, 25.0))
            yield from self._resume()
        while self.row.state not in ENDED and self.kernel.now < self.duration * 6 + 600:
            yield 20.0
            yield from self._resume()

    def _engage(self) -> None:
        self.epoch, self.halted = self.epoch + 1, True
        self.engaged.append(self.kernel.now)
        self.kernel.tell("person", f"engages a halt (epoch {self.epoch})")

    def _stop(self, word: str) -> Steps:
        state = AlgoState.PAUSED if word == "pause" else AlgoState.CANCELING
        try:
            work = self._locked(self.office)
            yield from work.begin()
            if can_change(self.row.state, state):
                self._move(state)
            work.abort()
        except StoreError:
            return False
        for child in list(self.children):
            yield None
            self.ask_end(child)
        return True

    def _resume(self) -> Steps:
        epoch = self.epoch
        try:
            work = self._locked(self.office)
            yield from work.begin()
            if self.row.state is AlgoState.PAUSED and not self.halted:
                self._move(AlgoState.RUNNING, epoch=epoch, forgiven=len(self.children))
            work.abort()
        except StoreError:
            return

    # -- the oracle ---------------------------------------------------------------------------------------------------
    def true_clock(self) -> float:
        """Seconds of the algo's clock by its history, not by what the row says."""
        stood, since = 0.0, None
        for at, state in self.moves:
            if since is not None:
                stood += at - since
            since = at if state is AlgoState.PAUSED else None
        return (self.kernel.now if since is None else since) - stood

    def _weigh(self) -> None:
        taken = [c.filled if c.status in TERMINAL else c.quantity for c in self.children]
        if sum(taken, ZERO) > self.quantity:
            self.wrong.append(Violation("G1", f"{sum(taken, ZERO)} of {self.quantity} are filled or alive"))

    def run(self) -> list[Violation]:
        while self.kernel.now < self.duration * 6 + 700 and not self._is_over():
            self.kernel.run(self.kernel.now + 10)
        return [*self.wrong, *self.judge()]

    def _is_over(self) -> bool:
        return self.row.state in ENDED and all(child.status in TERMINAL for child in self.children)

    def judge(self) -> list[Violation]:
        """When it is over."""
        found, words = [], [at for at, state in self.moves if state is AlgoState.RUNNING]
        for at in self.engaged:
            until = next((word for word in words if word > at), float("inf"))
            late = [child for sent, child in self.sent if at < sent < until]
            found += [Violation("G2", f"child {c.number} left after a halt, without a word") for c in late]
        numbers = [child.number for child in self.children]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(Violation("G3", f"the children have the numbers {numbers}"))
        return found + self._judge_sizes()

    def _judge_sizes(self) -> list[Violation]:
        found = []
        most = LOT * 3 if self.kind is AlgoKind.ICEBERG else 2 * max(slice_quantities(self.plan))
        for child in self.children:
            if child.quantity > most:
                found.append(Violation("G4", f"child {child.number} has {child.quantity} of at most {most}"))
            if child.clock + 0.001 < float(self.plan[child.slice].after):
                found.append(Violation("G4", f"child {child.number} was made before its slice was due"))
            if self.kind is not AlgoKind.ICEBERG and child.clock > self.duration + 2 * LONGEST_LOOK:
                found.append(Violation("G4", f"child {child.number} was made when the time was over"))
        if self.row.state not in ENDED:
            found.append(Violation("G4", f"it is still {self.row.state}"))
        elif any(child.status not in TERMINAL for child in self.children):
            found.append(Violation("G4", "it has ended and a child is alive"))
        return found


def catch_algo(broken: str, seeds: int) -> tuple[int, Violation] | None:
    """How many seeds it takes to notice that this safeguard is missing, and by what."""
    for seed in range(seeds):
        if found := run_algo_seed(seed, broken)[0]:
            return seed + 1, found[0]
    return None


def run_algo_seed(seed: int, broken: str = "", *, tells: bool = False) -> tuple[list[Violation], list[str]]:
    """What broke, and the story if it was asked for. The same seed is the same story, always."""
    story: list[str] = []
    world = AlgoWorld(random.Random(seed), broken, story if tells else None)
    return world.run(), story
