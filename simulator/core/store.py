"""The venue's memory on disk: an append-only file of atomic records, or nothing at all.

One line of JSON holds everything one operation changed (orders, fills, users' balances, pins), so a process killed in
the middle leaves at most a torn last line, which is ignored. On opening, and when it has grown far beyond its content,
the file is compacted to one record.
Written with an OS flush but no fsync: it survives the process, and a simulated venue need not survive the power plug.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from simulator.core.accounts import SimBalance, SimTransfer, SimUser
from simulator.core.rows import EndCause, SimFill, SimOrder, SimOrderStatus, SimOrderType, SimSide

Record = dict[str, Any]
LONG_BYTES = 32 << 20


class VenueStore:
    """Collects what changed; without a path it forgets it again at every commit."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._compact_at = LONG_BYTES
        self._forget()

    def _forget(self) -> None:
        self._orders: dict[str, SimOrder] = {}
        self._users: dict[str, SimUser] = {}
        self._fills: list[SimFill] = []
        self._pins: dict[str, Decimal] | None = None

    def note_order(self, order: SimOrder) -> None:
        self._orders[order.order_id] = order

    def note_fill(self, fill: SimFill) -> None:
        self._fills.append(fill)

    def note_user(self, user: SimUser) -> None:
        self._users[user.name] = user

    def note_pins(self, pins: dict[str, Decimal]) -> None:
        self._pins = dict(pins)

    def commit(self, tick: int, resets: int) -> None:
        is_changed = bool(self._orders or self._users or self._fills or self._pins is not None)
        if self._file is not None and is_changed:
            self._file.write(json.dumps(self._as_record(tick, resets), separators=(",", ":")) + "\n")
            self._file.flush()
        self._forget()

    def _as_record(self, tick: int, resets: int) -> Record:
        record: Record = {"tick": tick, "resets": resets}
        if self._orders:
            record["orders"] = [_order_as_json(order) for order in self._orders.values()]
        if self._users:
            record["users"] = [_user_as_json(user) for user in self._users.values()]
        if self._fills:
            record["fills"] = [_fill_as_json(fill) for fill in self._fills]
        if self._pins is not None:
            record["pins"] = {symbol: str(price) for symbol, price in self._pins.items()}
        return record

    # -- files -----------------------------------------------------------------------------------------------------

    def load(self) -> Record:
        """Everything known, merged: newest state of each order and user, all fills, the last pins, tick and resets."""
        merged: Record = {"tick": 0, "resets": 0, "orders": {}, "users": {}, "fills": [], "pins": {}}
        if self._path is None or not self._path.exists():
            return merged
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                if not line.endswith("\n"):
                    break  # torn by a kill: the operation was never answered
                _merge(merged, json.loads(line))
        return merged

    def open(self, tick: int, resets: int) -> None:
        """Start (or go on with) a file that begins with one record of everything noted so far."""
        if self._path is None:
            self._forget()
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        whole = json.dumps(self._as_record(tick, resets), separators=(",", ":")) + "\n"
        fresh.write_text(whole, encoding="utf-8")
        if self._file is not None:
            self._file.close()
        os.replace(fresh, self._path)
        self._file = self._path.open("a", encoding="utf-8")
        self._compact_at = max(LONG_BYTES, 4 * len(whole))
        self._forget()

    def is_long(self) -> bool:
        """The file has grown so far beyond its content that it is worth rewriting."""
        return self._file is not None and self._file.tell() > self._compact_at

    def restart(self, users: list[SimUser]) -> None:
        """Forget everything on disk but the users; the next commit writes them."""
        self._forget()
        if self._file is not None:
            self._file.truncate(0)
        for user in users:
            self.note_user(user)
        self._pins = {}


def _merge(merged: Record, record: Record) -> None:
    merged["tick"], merged["resets"] = record["tick"], record["resets"]
    merged["orders"].update({row["order_id"]: row for row in record.get("orders", ())})
    merged["users"].update({row["name"]: row for row in record.get("users", ())})
    merged["fills"].extend(record.get("fills", ()))
    merged["pins"] = record.get("pins", merged["pins"])


ORDER_MONEY = ("price", "quantity", "quote_quantity", "filled", "filled_quote", "fee_headroom", "reserved")
FILL_MONEY = ("price", "quantity", "fee")


def _order_as_json(order: SimOrder) -> Record:
    row = {name: getattr(order, name) for name in SimOrder.__slots__ if name != "fill_sequences"}
    return row | {name: str(row[name]) for name in ORDER_MONEY}


def order_from_json(row: Record) -> SimOrder:
    money = {name: Decimal(row[name]) for name in ORDER_MONEY}
    words = {
        "side": SimSide(row["side"]),
        "type": SimOrderType(row["type"]),
        "status": SimOrderStatus(row["status"]),
        "end_cause": EndCause(row["end_cause"]) if row.get("end_cause") else None,
    }
    return SimOrder(**(row | money | words))


def _fill_as_json(fill: SimFill) -> Record:
    row = {name: getattr(fill, name) for name in SimFill.__slots__}
    return row | {name: str(row[name]) for name in FILL_MONEY}


def fill_from_json(row: Record) -> SimFill:
    return SimFill(
        **(row | {name: Decimal(row[name]) for name in FILL_MONEY} | {"side": SimSide(row["side"])})
    )


def _user_as_json(user: SimUser) -> Record:
    row = {
        name: getattr(user, name)
        for name in ("name", "key", "secret", "uid", "permissions", "symbols", "addresses", "created_ms")
    }
    row["balances"] = {
        asset: [str(balance.total), str(balance.locked)] for asset, balance in user.balances.items()
    }
    row["adjusted"] = {asset: str(total) for asset, total in user.adjusted.items()}
    row["initial"] = {asset: str(total) for asset, total in user.initial.items()}
    row["transfers"] = [
        [one.transfer_id, one.asset, str(one.quantity), str(one.fee), one.at_ms] for one in user.transfers
    ]
    return row


def user_from_json(row: Record) -> SimUser:
    balances = {
        asset: SimBalance(Decimal(total), Decimal(locked))
        for asset, (total, locked) in row["balances"].items()
    }
    books = {
        name: {asset: Decimal(total) for asset, total in row[name].items()}
        for name in ("adjusted", "initial")
    }
    transfers = [
        SimTransfer(key, asset, Decimal(quantity), Decimal(fee), at_ms)
        for key, asset, quantity, fee, at_ms in row.get("transfers", ())
    ]
    symbols = None if row["symbols"] is None else tuple(row["symbols"])
    return SimUser(
        **(
            row
            | books
            | {
                "transfers": transfers,
                "balances": balances,
                "permissions": tuple(row["permissions"]),
                "symbols": symbols,
                "addresses": tuple(row.get("addresses", ())),
            }
        )
    )
