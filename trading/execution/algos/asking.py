"""What the rules say of an algo before it starts: of its largest child in full, and of the whole where that counts.

A limit of one order is a child's; exposure, balance and the number of positions are the whole's. Reserves nothing: each
child is judged again when it is made.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils import timezone

from trading.domain.denials import DenialCode
from trading.domain.money import divide
from trading.models import Algo, ExchangeAccount, Instrument
from trading.risk import Check

from ..approval import Judgement, judge
from ..proposal import Proposal
from .parsing import AlgoRequest
from .planning import AlgoPlan

# What the whole is asked of besides; everything else is a matter of one order.
WHOLE = frozenset(
    {
        DenialCode.EXPOSURE_SYMBOL,
        DenialCode.EXPOSURE_TOTAL,
        DenialCode.EXPOSURE_UNKNOWN,
        DenialCode.INSUFFICIENT_BALANCE,
        DenialCode.BALANCE_UNKNOWN,
        DenialCode.MAX_CONCURRENT_POSITIONS,
        DenialCode.REDUCE_ONLY_WOULD_OPEN,
    }
)


@dataclass(frozen=True, slots=True)
class AlgoJudgement:
    child: Judgement
    whole: tuple[Check, ...]

    @property
    def codes(self) -> list[str]:
        failed = [check.code.value for check in self.whole if not check.passed]
        return list(dict.fromkeys([*self.child.codes, *failed]))

    @property
    def epoch(self) -> int:
        return self.child.epoch

    @property
    def last_price(self) -> Decimal | None:
        return self.child.facts.price.last

    @property
    def taker_fee_rate(self) -> Decimal:
        return self.child.facts.taker_fee_rate

    @property
    def limits_versions(self) -> list[int]:
        return self.child.limits.versions

    def as_answer(self) -> dict[str, Any]:
        """As an order's, each check with what it was asked of: `child` or `whole`."""
        answer = self.child.as_answer()
        whole = [{**asdict(check), "explanation": check.code.explanation} for check in self.whole]
        return answer | {
            "decision": "denied" if self.codes else "started",
            "codes": self.codes,
            "checks": [
                *({**check, "of": "child"} for check in answer["checks"]),
                *({**check, "of": "whole"} for check in whole),
            ],
        }


def ask_rules(
    request: AlgoRequest,
    account: ExchangeAccount,
    instrument: Instrument,
    whole: Proposal,
    plan: AlgoPlan,
) -> AlgoJudgement:
    """In the caller's transaction."""
    strategy = request.child.strategy
    child = judge(account, instrument, strategy, replace(whole, quantity=plan.largest))
    of_whole = judge(account, instrument, strategy, whole)
    checks = tuple(check for check in of_whole.checks if check.code in WHOLE)
    return AlgoJudgement(child, (*checks, *_same_again(request, account, instrument, plan.quantity, child)))


def _same_again(
    request: AlgoRequest,
    account: ExchangeAccount,
    instrument: Instrument,
    quantity: Decimal,
    judgement: Judgement,
) -> tuple[Check, ...]:
    """The same algo again within the window in which the same order would be one too many."""
    windows = [row.duplicate_window_seconds for row in judgement.limits.rows if row.duplicate_window_seconds]
    if not windows:
        return ()
    strategy = {"strategy__name": request.child.strategy} if request.child.strategy else {"strategy": None}
    same = Algo.objects.filter(
        account=account,
        instrument=instrument,
        kind=request.kind,
        side=request.child.order.side,
        quantity=quantity,
        price=request.child.order.price,
        codes=[],
        **strategy,
    )
    latest = same.order_by("-created_at").values_list("created_at", flat=True).first()
    window = max(windows)
    if latest is None:
        return (Check("duplicate_order", DenialCode.DUPLICATE_ORDER, True, "none", str(window)),)
    since = divide(Decimal(int((timezone.now() - latest).total_seconds() * 1000)), Decimal(1000))
    note = "seconds since the same algo"
    return (
        Check(
            "duplicate_order", DenialCode.DUPLICATE_ORDER, since >= window, str(since), str(window), note=note
        ),
    )
