"""The risk rules: pure functions from an order and the facts to a full record of every check.

`RULES` in `policy.py`, in evaluation order, is the policy. Every rule runs for every order, also after one has denied,
so that a decision record always shows the whole picture. A missing fact denies; nothing is resized.
"""

from .facts import LimitsFacts, OrderFacts, PriceFacts, RiskFacts, ScopeUse, SymbolExposure
from .policy import RULES, Check, evaluate

__all__ = [
    "RULES",
    "Check",
    "LimitsFacts",
    "OrderFacts",
    "PriceFacts",
    "RiskFacts",
    "ScopeUse",
    "SymbolExposure",
    "evaluate",
]
