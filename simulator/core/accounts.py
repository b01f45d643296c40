"""API users of the simulated venue and what they own.

A balance is (total, locked); free is derived. Totals change by adjustments (deposit, withdraw, set) and by fills and
fees only; locked changes by reservations only, so sum(locked) always equals the reservations of the open orders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from simulator.core.money import ZERO

TRADE_RIGHTS = ("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE", "SPOT_WITHDRAW_READ")


class AccountOverdrawn(RuntimeError):
    """The ledger would go negative: a defect of the simulator, never an answer to a client."""


@dataclass(slots=True)
class SimBalance:
    total: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        return self.total - self.locked


@dataclass(frozen=True, slots=True)
class SimTransfer:
    """A deposit (positive) or a withdrawal (negative) as the venue's history shows it. The fee came on top."""

    transfer_id: str
    asset: str
    quantity: Decimal
    fee: Decimal
    at_ms: int


@dataclass(slots=True)
class SimUser:
    name: str
    key: str
    secret: str
    uid: str
    permissions: tuple[str, ...] = TRADE_RIGHTS
    symbols: tuple[str, ...] | None = None
    addresses: tuple[
        str, ...
    ] = ()  # what its key is bound to, as the venue reports it; nothing is refused for it
    created_ms: int = 0
    balances: dict[str, SimBalance] = field(default_factory=dict)
    adjusted: dict[str, Decimal] = field(default_factory=dict)
    initial: dict[str, Decimal] = field(default_factory=dict)
    transfers: list[SimTransfer] = field(default_factory=list)

    def balance(self, asset: str) -> SimBalance:
        return self.balances.setdefault(asset, SimBalance())

    def find_total(self, asset: str) -> Decimal:
        balance = self.balances.get(asset)
        return balance.total if balance is not None else ZERO

    def find_free(self, asset: str) -> Decimal:
        balance = self.balances.get(asset)
        return balance.free if balance is not None else ZERO

    def adjust(self, asset: str, change: Decimal) -> None:
        """A movement from outside (deposit, withdrawal, correction); remembered so that conservation is checkable."""
        self.move(asset, change)
        self.adjusted[asset] = self.adjusted.get(asset, ZERO) + change

    def move(self, asset: str, change: Decimal) -> None:
        balance = self.balance(asset)
        if balance.total + change < ZERO:
            raise AccountOverdrawn(f"{self.name}: {asset} {balance.total} {change:+}")
        balance.total += change

    def lock(self, asset: str, change: Decimal) -> None:
        balance = self.balance(asset)
        balance.locked += change
        if balance.locked < ZERO:
            raise AccountOverdrawn(f"{self.name}: locked {asset} {balance.locked}")
