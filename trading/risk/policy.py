"""The policy: which rules are asked, in which order, and the evaluation that asks them all.

Every rule is asked for every order, also after one has denied, so that a decision record always shows the whole
picture, for allowed orders too. An order is allowed only if every check passed. The rules are in the `*_rules` modules.
"""

from __future__ import annotations

from .check import Check, Rule
from .exposure_rules import (
    concurrent_positions,
    free_balance,
    in_doubt_notional,
    positions_fresh,
    reduce_only,
    symbol_exposure,
    total_exposure,
)
from .facts import OrderFacts, RiskFacts
from .loss_rules import daily_loss, daily_loss_amount, drawdown
from .order_rules import (
    account_enabled,
    clock_agrees,
    instrument_tradable,
    limits_in_force,
    maximum_notional,
    maximum_order_notional,
    maximum_order_quantity,
    maximum_quantity,
    minimum_notional,
    minimum_quantity,
    order_type_supported,
    price_collar,
    price_fresh,
    price_known,
    price_on_tick,
    price_sources_agree,
    signal_price_collar,
    strategy_enabled,
    symbol_allowed,
    venue_price_band,
    whole_lots,
)
from .pace_rules import (
    duplicate_order,
    notional_per_minute,
    open_orders,
    orders_per_fill,
    orders_per_minute,
    repeated_executions,
)

__all__ = ["RULES", "Check", "evaluate"]

RULES: tuple[Rule, ...] = (
    # May anybody trade here at all?
    account_enabled,
    strategy_enabled,
    limits_in_force,
    instrument_tradable,
    order_type_supported,
    symbol_allowed,
    # Is there a price to judge by?
    price_known,
    price_fresh,
    price_sources_agree,
    clock_agrees,
    # Does the order fit the venue's grid and bounds?
    whole_lots,
    price_on_tick,
    minimum_quantity,
    maximum_quantity,
    minimum_notional,
    maximum_notional,
    venue_price_band,
    # Is it sane by our own limits?
    maximum_order_notional,
    maximum_order_quantity,
    price_collar,
    signal_price_collar,
    # What does the account hold, and what would it come to hold?
    free_balance,
    positions_fresh,
    reduce_only,
    symbol_exposure,
    total_exposure,
    concurrent_positions,
    in_doubt_notional,
    # How many, how often, and how is the day?
    open_orders,
    orders_per_minute,
    notional_per_minute,
    orders_per_fill,
    repeated_executions,
    duplicate_order,
    daily_loss,
    daily_loss_amount,
    drawdown,
)

# All that an order is asked which closes a position by the flatten verb: can the account trade, does the venue take it,
# is it there to be sold, and does it only shrink. Our own limits never hold anybody in a position.
ASKED_OF_FLATTENING = frozenset(
    rule.name
    for rule in (
        *(
            account_enabled,
            limits_in_force,
            instrument_tradable,
            order_type_supported,
            price_known,
            whole_lots,
        ),
        *(
            price_on_tick,
            minimum_quantity,
            maximum_quantity,
            minimum_notional,
            maximum_notional,
            venue_price_band,
        ),
        *(free_balance, reduce_only),
    )
)


def evaluate(order: OrderFacts, facts: RiskFacts) -> tuple[Check, ...]:
    """One check per rule, in the order of RULES. Never raises: a rule that cannot be computed denies."""
    return tuple(
        rule.check(order, facts)
        if is_asked(rule, order)
        else Check(rule.name, rule.code, True, "", "", note=_WAIVED)
        for rule in RULES
    )


_WAIVED = "not applicable: the order closes a position by the flatten verb"


def is_asked(rule: Rule, order: OrderFacts) -> bool:
    """Every rule, but for an order that flattens and is reduce-only."""
    is_closing = order.flattens is True and order.reduce_only is True
    return not is_closing or rule.name in ASKED_OF_FLATTENING
