"""The permit's question to an approval: each reason alone makes it void."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trading.domain.enums import HaltScope, TradingState
from trading.domain.gate import ScopeState
from trading.domain.permits import ApprovalView, PermitFacts, why_void

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ACTIVE = ScopeState(HaltScope.EVERYTHING, "", TradingState.ACTIVE)
APPROVAL = ApprovalView(NOW + timedelta(seconds=10), approved_epoch=4, limits_versions=(7,))
FACTS = PermitFacts(NOW, epoch=4, limits_versions=(7,), account_is_usable=True, scopes=(ACTIVE,))


def scope(state: TradingState | None) -> PermitFacts:
    return replace(FACTS, scopes=(ACTIVE, ScopeState(HaltScope.ACCOUNT, "main", state)))


def test_a_valid_approval_is_not_void():
    assert why_void(APPROVAL, FACTS) == ""


@pytest.mark.parametrize(
    ("approval", "facts", "reason"),
    [
        (replace(APPROVAL, expires_at=NOW), FACTS, "expired"),
        (replace(APPROVAL, expires_at=None), FACTS, "expired"),
        (replace(APPROVAL, approved_epoch=3), FACTS, "before a halt"),
        (replace(APPROVAL, approved_epoch=None), FACTS, "before a halt"),
        (replace(APPROVAL, limits_versions=(6,)), FACTS, "limits changed"),
        (APPROVAL, replace(FACTS, limits_versions=None), "limits changed"),
        (replace(APPROVAL, limits_versions=None), replace(FACTS, limits_versions=None), "limits changed"),
        (APPROVAL, replace(FACTS, account_is_usable=False), "disabled"),
        (APPROVAL, scope(TradingState.HALTED), "account main is halted"),
        (APPROVAL, scope(TradingState.REDUCING), "account main is reducing"),
        (replace(APPROVAL, reduce_only=True), scope(TradingState.HALTED), "account main is halted"),
        (APPROVAL, scope(None), "account main is without a halt state"),
        (replace(APPROVAL, reduce_only=True), scope(None), "without a halt state"),
    ],
)
def test_each_reason_alone_makes_it_void(approval: ApprovalView, facts: PermitFacts, reason: str):
    assert reason in why_void(approval, facts)


def test_reduce_only_passes_a_scope_that_is_reducing():
    assert why_void(replace(APPROVAL, reduce_only=True), scope(TradingState.REDUCING)) == ""


def test_only_what_flattens_and_is_reduce_only_passes_a_halt():
    closing = replace(APPROVAL, reduce_only=True, flattens=True)
    assert why_void(closing, scope(TradingState.HALTED)) == ""
    assert why_void(replace(closing, reduce_only=False), scope(TradingState.HALTED)) != ""
    assert why_void(closing, scope(None)) != ""
    assert (
        why_void(replace(closing, approved_epoch=3), scope(TradingState.HALTED)) == "approved before a halt"
    )
