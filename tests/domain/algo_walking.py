"""An algo in memory, driven through anything that may happen to it: outcomes in any order, outages, pauses, and two
runners that decide on views of different age.

What a runner commits is checked as the product checks it under the parent's lock: same state, same number of children.
`promise` holds what must be true after every event.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from decimal import Decimal

from trading.domain.algo_moves import AlgoView, Change, ChildView, Make, Move, Withdraw, next_move
from trading.domain.algo_plans import PlanSlice, make_plan, slice_quantities
from trading.domain.algo_states import ENDED, can_change
from trading.domain.enums import AlgoKind, AlgoState
from trading.domain.enums import OrderStatus as S
from trading.domain.order_states import TERMINAL

LOT = Decimal("0.001")
ZERO = Decimal(0)
# From where a child may go; what it has filled is drawn beside it.
AFTER = {
    S.APPROVED: (S.SUBMITTING, S.SUBMITTING, S.LAPSED),
    S.SUBMITTING: (S.OPEN, S.FILLED, S.IN_DOUBT, S.REJECTED, S.NOT_ACCEPTED, S.APPROVED),
    S.IN_DOUBT: (S.OPEN, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.NOT_ACCEPTED, S.QUARANTINED),
    S.QUARANTINED: (S.OPEN, S.FILLED, S.CANCELED, S.NOT_ACCEPTED),
    S.OPEN: (S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED),
    S.PARTIALLY_FILLED: (S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED),
}
_MAY_FILL = (S.CANCELED, S.EXPIRED, S.PARTIALLY_FILLED)


@dataclass
class Walk:
    """`stood`: how long its clock has stood in all. `resumes`: how often a person let it go on."""

    kind: AlgoKind
    quantity: Decimal
    plan: tuple[PlanSlice, ...]
    duration: Decimal | None
    smallest: Decimal
    visible: Decimal | None
    chance: random.Random
    state: AlgoState = AlgoState.RUNNING
    now: Decimal = ZERO
    stood: Decimal = ZERO
    stands_since: Decimal | None = None
    forgiven: int = 0
    resumes: int = 0
    beyond: bool = False
    children: list[ChildView] = field(default_factory=list)
    ended_at: dict[int, Decimal] = field(default_factory=dict)
    trace: list[object] = field(default_factory=list)

    @property
    def elapsed(self) -> Decimal:
        return (self.now if self.stands_since is None else self.stands_since) - self.stood

    def view(self) -> AlgoView:
        children = tuple(
            child
            if child.is_alive
            else replace(child, ended_ago=self.now - self.ended_at.get(child.number, self.now))
            for child in self.children
        )
        return AlgoView(
            kind=self.kind,
            state=self.state,
            quantity=self.quantity,
            plan=self.plan,
            elapsed=self.elapsed,
            children=children,
            lot_size=LOT,
            smallest=self.smallest,
            duration=self.duration,
            visible=self.visible,
            forgiven=self.forgiven,
            is_beyond=self.beyond,
        )

    # -- what runners do ----------------------------------------------------------------------------------------------
    def commit(self, view: AlgoView, move: Move) -> None:
        """As the product does under the parent's lock: a view that is not current any more commits nothing."""
        same = (view.state, len(view.children)) == (self.state, len(self.children))
        match move:
            case Make() if same and self.state is AlgoState.RUNNING:
                self._make(view, move)
            case Change() if same:
                self.change(move.state)
            case Withdraw(numbers=numbers):
                for number in numbers:
                    child = self.children[number - 1]
                    if child.status is S.APPROVED:
                        self.put(number, S.LAPSED)
                    elif child.is_alive:
                        self.children[number - 1] = replace(child, cancel_asked=True)
        self.trace.append(move)
        self.promise()

    def _make(self, view: AlgoView, move: Make) -> None:
        assert move.quantity % LOT == 0 and move.quantity >= self.smallest, move
        if self.kind is AlgoKind.ICEBERG:
            most = (self.visible or ZERO) + self.smallest
        else:
            most = 2 * max(slice_quantities(self.plan))
            assert 0 <= view.elapsed < (self.duration or ZERO)
        assert move.quantity <= most, f"{move} is more than {most}"
        number = len(self.children) + 1
        denied = self.chance.random() < 0.1
        self.children.append(ChildView(number, move.slice, S.APPROVED, move.quantity, ZERO))
        if denied:
            self.put(number, S.DENIED)

    def change(self, state: AlgoState) -> None:
        assert can_change(self.state, state), (self.state, state)
        if self.state is AlgoState.PAUSED and self.stands_since is not None:
            self.stood += self.now - self.stands_since
            self.stands_since = None
        self.state = state
        if state is AlgoState.PAUSED:
            self.stands_since = self.now
        if state is AlgoState.RUNNING:
            self.forgiven, self.resumes = len(self.children), self.resumes + 1

    # -- what happens to its children ---------------------------------------------------------------------------------
    def put(self, number: int, status: S) -> None:
        child = self.children[number - 1]
        filled = child.filled
        if status is S.FILLED:
            filled = child.quantity
        elif status in _MAY_FILL:
            lots = int((child.quantity - filled) / LOT)
            filled += LOT * self.chance.randint(0, lots)
        self.children[number - 1] = child = replace(child, status=status, filled=filled)
        if not child.is_alive:
            self.ended_at[number] = self.now
        self.promise()

    def stir(self) -> None:
        """One living child goes on, wherever it may."""
        if alive := [child for child in self.children if child.is_alive]:
            child = self.chance.choice(alive)
            self.put(child.number, self.chance.choice(AFTER[child.status]))

    def take_one(self) -> None:
        """A person cancels a child by itself."""
        if alive := [child for child in self.children if child.is_alive]:
            child = self.chance.choice(alive)
            self.children[child.number - 1] = replace(child, cancel_asked=True)
            if child.status is S.APPROVED:
                self.put(child.number, S.LAPSED)

    # -- what must be true --------------------------------------------------------------------------------------------
    def promise(self) -> None:
        """Whatever is alive may still be filled in full, and what is filled is filled."""
        worst = sum(
            (child.filled if child.status in TERMINAL else child.quantity for child in self.children), ZERO
        )
        assert worst <= self.quantity, f"{worst} of {self.quantity} committed"
        if self.state is AlgoState.COMPLETED:
            assert worst > self.quantity - self.smallest
        if self.state in ENDED:
            assert all(not child.is_alive for child in self.children)
        if self.kind is not AlgoKind.ICEBERG:
            most = 2 * max(slice_quantities(self.plan)) * (1 + self.resumes)
            for number in range(len(self.plan)):
                filled = sum((one.filled for one in self.children if one.slice == number), ZERO)
                assert filled <= most, f"slice {number} took {filled}, more than {most}"


def draw_walk(chance: random.Random) -> Walk:
    kind = chance.choice(list(AlgoKind))
    slices = 1 if kind is AlgoKind.ICEBERG else chance.choice((1, 2, 3, 5, 12))
    smallest = LOT * chance.choice((1, 1, 4, 10))
    quantity = smallest * slices * chance.choice((1, 3, 10)) + LOT * chance.randrange(3)
    seconds = slices * chance.choice((20, 60, 100)) + chance.randrange(5)
    weights = [Decimal(1) if kind is AlgoKind.TWAP else Decimal(chance.randrange(5)) for _ in range(slices)]
    plan = make_plan(quantity, weights if sum(weights) else [Decimal(1)], seconds=seconds, lot_size=LOT)
    if kind is AlgoKind.ICEBERG:
        plan = (PlanSlice(ZERO, quantity),)
    visible = smallest * chance.choice((1, 2, 5)) if kind is AlgoKind.ICEBERG else None
    ends = kind is not AlgoKind.ICEBERG or chance.random() < 0.5
    duration = Decimal(seconds) if ends else None
    return Walk(kind, quantity, plan, duration, smallest, visible, chance, now=-Decimal(chance.randrange(3)))


def disturb(walk: Walk, events: int) -> None:
    """Anything, in any order. Two runners look, and commit what they decided some events later."""
    chance, held = walk.chance, [walk.view(), walk.view()]
    for _ in range(events):
        runner = chance.randrange(2)
        what = chance.choice(
            (
                "look",
                "step",
                "step",
                "step",
                "commit",
                "stir",
                "stir",
                "stir",
                "time",
                "time",
                "word",
                "taken",
            )
        )
        if what in ("look", "step"):
            held[runner] = walk.view()
        if what in ("step", "commit") and held[runner].state not in ENDED:
            walk.commit(held[runner], next_move(held[runner]))
        elif what == "stir":
            walk.stir()
        elif what == "time":
            walk.now += Decimal(chance.choice(("0.3", "2", "5", "15", "40")))
            walk.beyond = chance.random() < 0.2
        elif what == "word" and chance.random() < 0.2:
            give_word(walk)
        elif what == "taken" and chance.random() < 0.2:
            walk.take_one()


def give_word(walk: Walk) -> None:
    wanted = {
        AlgoState.RUNNING: walk.chance.choice(
            (AlgoState.PAUSED, AlgoState.PAUSED, AlgoState.PAUSED, AlgoState.CANCELING)
        ),
        AlgoState.PAUSED: AlgoState.RUNNING,
    }.get(walk.state)
    if wanted:
        walk.change(wanted)


def calm_down(walk: Walk, *, steps: int = 3000) -> int:
    """One runner on time, children that end, and a person who resumes. How many steps it took."""
    walk.beyond = False
    for step in range(steps):
        if walk.state in ENDED:
            return step
        walk.commit(view := walk.view(), next_move(view))
        for child in walk.children:
            if child.is_alive:
                walk.put(child.number, S.CANCELED if child.cancel_asked else S.FILLED)
        if walk.state is AlgoState.PAUSED and not any(child.is_alive for child in walk.children):
            walk.change(AlgoState.RUNNING)
        walk.now += 1
    raise AssertionError(f"it did not end: {walk.state}, {walk.children}")
