"""What a rule is and what it answers: the record of one check, and the shell that makes every rule fail closed.

A rule is a plain function from the order and the facts to an Answer, made a Rule by the decorator `rule`. It asks for
facts with `need`; a fact that is unknown or no usable number denies with the code that names the fact. Whatever else
goes wrong inside a rule denies too: a rule can fail to answer, but never fail to be recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.denials import Denial, DenialCode
from trading.domain.money import exact_arithmetic, plain

from .facts import OrderFacts, RiskFacts

UNKNOWN = "unknown"
# Beyond what a NUMERIC(38, 18) column holds: no honest fact is this large, and its text would be as long.
_MAX_DIGITS = 20
_TEXT_DECIMALS = Decimal("1e-18")
_MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Check:
    """One rule's answer about one order, for the decision record: numbers as plain text, with age where it counts.

    `code` is the rule's own code; of a denial by an unknown fact it is the code of that fact. `source` names the limits
    version and scope that supplied the limit which bound.
    """

    rule: str
    code: DenialCode
    passed: bool
    observed: str
    limit: str
    age_seconds: str = ""
    note: str = ""
    source: str = ""

    @property
    def denial(self) -> Denial | None:
        return None if self.passed else Denial(self.code, self.observed, self.limit)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule's function returns; `code` only where it differs from the rule's own."""

    passed: bool
    observed: str = ""
    limit: str = ""
    age_seconds: str = ""
    note: str = ""
    code: DenialCode | None = None
    source: str = ""


class UnknownFact(Exception):
    """Raised by `need` inside a rule and turned into a denial by Rule.check; it never leaves this package."""

    def __init__(self, code: DenialCode, what: str, observed: str) -> None:
        super().__init__(what)
        self.code, self.what, self.observed = code, what, observed


Ask = Callable[[OrderFacts, RiskFacts], Answer]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule with its code. `check` always returns, also for facts that make no sense."""

    name: str
    code: DenialCode
    ask: Ask

    def check(self, order: OrderFacts, facts: RiskFacts) -> Check:
        answer = self._answer(order, facts)
        return Check(
            rule=self.name,
            code=answer.code or self.code,
            passed=answer.passed,
            observed=answer.observed,
            limit=answer.limit,
            age_seconds=answer.age_seconds,
            note=answer.note,
            source=answer.source,
        )

    def _answer(self, order: OrderFacts, facts: RiskFacts) -> Answer:
        try:
            with exact_arithmetic():
                return self.ask(order, facts)
        except UnknownFact as unknown:
            return Answer(False, unknown.observed, "known", note=f"{unknown.what} needed", code=unknown.code)
        except (
            Exception
        ) as error:  # any defect or malformed fact must become a recorded denial, not a lost decision
            return Answer(False, UNKNOWN, note=f"failed: {type(error).__name__}", code=DenialCode.RULE_FAILED)


def rule(code: DenialCode) -> Callable[[Ask], Rule]:
    """Makes a function a Rule of the same name that denies with `code`."""

    def name_it(ask: Ask) -> Rule:
        return Rule(ask.__name__, code, ask)

    return name_it


def not_applicable(why: str) -> Answer:
    return Answer(True, note=f"not applicable: {why}")


def need(number: Decimal | None, code: DenialCode, what: str) -> Decimal:
    """`number` if it is one; unknown, NaN, infinite or absurdly large ends the rule with a denial by `code`."""
    if number is None:
        raise UnknownFact(code, what, UNKNOWN)
    if not is_usable(number):
        raise UnknownFact(code, what, f"unusable ({shown(number)})")
    return number


def is_usable(number: Decimal) -> bool:
    return number.is_finite() and (not number or number.adjusted() < _MAX_DIGITS)


def need_positive(number: Decimal | None, code: DenialCode, what: str) -> Decimal:
    known = need_not_negative(number, code, what)
    if not known:
        raise UnknownFact(code, what, "unusable (0)")
    return known


def need_not_negative(number: Decimal | None, code: DenialCode, what: str) -> Decimal:
    known = need(number, code, what)
    if known < 0:
        raise UnknownFact(code, what, f"unusable ({shown(known)})")
    return known


def need_count(number: int | None, code: DenialCode, what: str) -> int:
    """`number` if it is a count; what is not known denies."""
    return int(need_not_negative(None if number is None else Decimal(number), code, what))


def shown(number: Decimal | int) -> str:
    """Plain text of a number, with at most 18 decimals; of one that is unusable, its own short notation."""
    if isinstance(number, int):
        return str(number)
    if not number.is_finite() or (number and number.adjusted() >= _MAX_SHOWN):
        return str(number)[:40]
    with exact_arithmetic():
        return plain(number.quantize(_TEXT_DECIMALS))
