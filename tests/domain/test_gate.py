"""The gate: everything that is not clearly allowed is denied."""

from itertools import product

import pytest

from trading.domain.denials import DenialCode
from trading.domain.enums import HaltScope, TradingState
from trading.domain.gate import ScopeState, ask_gate, effective_state

ACTIVE, REDUCING, HALTED = TradingState


def scope(state, kind=HaltScope.EVERYTHING, target="", reason="test"):
    return ScopeState(kind, target, state, reason)


def codes(*states, shrinks_position=False):
    return [denial.code for denial in ask_gate(map(scope, states), shrinks_position=shrinks_position)]


def test_active_scopes_let_everything_pass():
    assert codes(ACTIVE, ACTIVE) == []


@pytest.mark.parametrize("unreadable", [None, "", "on", "ACTIVE ", 0, 1, b"active"])
@pytest.mark.parametrize("shrinks_position", [False, True])
def test_an_unreadable_state_counts_as_halted(unreadable, shrinks_position):
    assert codes(ACTIVE, unreadable, shrinks_position=shrinks_position) == [DenialCode.HALT_STATE_UNREADABLE]
    assert effective_state([scope(ACTIVE), scope(unreadable)]) is HALTED


def test_no_scope_at_all_counts_as_halted():
    assert codes() == [DenialCode.HALT_STATE_UNREADABLE]
    assert effective_state([]) is HALTED


@pytest.mark.parametrize("shrinks_position", [False, True])
def test_halted_stops_even_what_shrinks_a_position(shrinks_position):
    assert codes(HALTED, shrinks_position=shrinks_position) == [DenialCode.HALTED]


def test_reducing_lets_pass_only_what_shrinks_a_position():
    assert codes(REDUCING) == [DenialCode.REDUCING]
    assert codes(REDUCING, shrinks_position=True) == []


def test_states_as_plain_text_of_a_database_row_mean_the_same():
    assert codes("active") == []
    assert codes("halted") == [DenialCode.HALTED]
    assert codes("reducing") == [DenialCode.REDUCING]
    assert effective_state([scope("active"), scope("reducing")]) is REDUCING


def test_every_scope_in_the_way_is_named():
    scopes = [
        scope(HALTED, HaltScope.ACCOUNT, "main", "loss"),
        scope(ACTIVE),
        scope(None, HaltScope.STRATEGY, "grid"),
    ]
    first, second = ask_gate(scopes, shrinks_position=False)
    assert first.observed == "account main: halted (loss)"
    assert second.observed == "strategy grid: no state"


@pytest.mark.parametrize("states", product([ACTIVE, REDUCING, HALTED, None], repeat=3))
def test_the_most_restrictive_scope_wins_and_the_gate_agrees(states):
    worst = effective_state(map(scope, states))
    assert (worst is ACTIVE) == (codes(*states) == [])
    assert (worst is HALTED) == (codes(*states, shrinks_position=True) != [])


def test_what_flattens_passes_a_halt_only_if_it_shrinks_and_never_an_unreadable_state():
    halted, missing = scope(TradingState.HALTED), scope(None)
    assert ask_gate([halted], shrinks_position=True, flattens=True) == []
    assert ask_gate([halted], shrinks_position=False, flattens=True)
    assert ask_gate([halted], shrinks_position=True)
    assert ask_gate([halted, missing], shrinks_position=True, flattens=True)
