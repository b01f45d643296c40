"""Bybit's account endpoints: balances, fee rates, what the key may do, coins, deposits and withdrawals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simulator.bybit.call import BybitCall, Shape
from simulator.bybit.errors import bad_parameter
from simulator.bybit.pages import cursor_after, read_window, take_page
from simulator.bybit.profile import READ_ONLY, SPOT_TRADE
from simulator.bybit.shapes import account_shape, coin_shape, dollars_of
from simulator.core.accounts import SimTransfer, SimUser
from simulator.core.money import ZERO, plain
from simulator.core.trading import TradingVenue

# Which group a right is shown in; others are shown as rights of the exchange's own affairs.
RIGHT_GROUPS = {
    SPOT_TRADE: "Spot",
    "AccountTransfer": "Wallet",
    "SubMemberTransfer": "Wallet",
    "SubMemberTransferList": "Wallet",
    "Withdraw": "Wallet",
    "Order": "ContractTrade",
    "Position": "ContractTrade",
    "OptionsTrade": "Options",
    "DerivativesTrade": "Derivatives",
    "Earn": "Earn",
}
OTHER_GROUP = "Exchange"
UNBOUND_DAYS, BOUND_DAYS = 90, -2
NEVER = "1970-01-01T00:00:00Z"
DEPOSIT_DONE, WITHDRAWAL_DONE = 3, "success"
TRANSFER_DAYS = 30


def total_in_dollars(venue: TradingVenue, user: SimUser) -> Shape:
    """The account without its coins."""
    worth = sum(
        (held.total * (dollars_of(venue, asset) or ZERO) for asset, held in user.balances.items()), ZERO
    )
    return account_shape([], worth)


def get_wallet_balance(call: BybitCall) -> Shape:
    """Coins without a balance are left out, unless they are asked for by name."""
    if call.need("accountType") != "UNIFIED":
        raise bad_parameter("accountType only support UNIFIED.")
    named = call.find("coin")
    held = {asset: balance for asset, balance in sorted(call.user.balances.items()) if balance.total}
    wanted = list(held) if named is None else named.split(",")
    coins = []
    for asset in wanted:
        balance = call.user.balances.get(asset)
        total, locked = (ZERO, ZERO) if balance is None else (balance.total, balance.locked)
        coins.append(coin_shape(call.venue, asset, total, locked))
    return {"list": [total_in_dollars(call.venue, call.user) | {"coin": coins}]}


def get_fee_rate(call: BybitCall) -> Shape:
    symbol = call.find_symbol()
    return {
        "list": [
            {
                "symbol": listing.symbol,
                "baseCoin": "",
                "takerFeeRate": plain(listing.taker_rate),
                "makerFeeRate": plain(listing.maker_rate),
            }
            for listing in call.venue.listings.values()
            if symbol in (None, listing.symbol)
        ]
    }


def get_account_info(call: BybitCall) -> Shape:
    return {
        "unifiedMarginStatus": 6,
        "marginMode": "REGULAR_MARGIN",
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "updatedTime": str(call.user.created_ms),
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
    }


def get_key_info(call: BybitCall) -> Shape:
    """A key that is bound to no address expires after three months."""
    user, created = call.user, datetime.fromtimestamp(call.user.created_ms / 1_000, UTC)
    groups: dict[str, list[str]] = {
        group: [] for group in (*dict.fromkeys(RIGHT_GROUPS.values()), OTHER_GROUP)
    }
    for right in user.permissions:
        if right != READ_ONLY:
            groups[RIGHT_GROUPS.get(right, OTHER_GROUP)].append(right)
    is_bound = bool(user.addresses)
    return {
        "id": user.uid,
        "note": user.name,
        "apiKey": user.key,
        "readOnly": int(READ_ONLY in user.permissions),
        "secret": "",
        "permissions": groups,
        "ips": list(user.addresses) or ["*"],
        "type": 1,
        "deadlineDay": BOUND_DAYS if is_bound else UNBOUND_DAYS,
        "expiredAt": NEVER if is_bound else _iso(created + timedelta(days=UNBOUND_DAYS)),
        "createdAt": _iso(created),
        "unified": 0,
        "uta": 1,
        "userID": int(user.uid),
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "",
    }


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def get_coins(call: BybitCall) -> Shape:
    """Every asset of the listings, without chains: nothing can be withdrawn from a simulation."""
    listings = call.venue.listings.values()
    assets = sorted({asset for listing in listings for asset in (listing.base, listing.quote)})
    rows = [{"name": asset, "coin": asset, "remainAmount": "0", "chains": []} for asset in assets]
    return {"rows": [row for row in rows if call.find("coin") in (None, row["coin"])]}


# -- deposits and withdrawals --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NumberedTransfer:
    sequence: int
    transfer: SimTransfer


def _iter_transfers(call: BybitCall) -> Iterator[NumberedTransfer]:
    """Newest first."""
    start, end = read_window(call, TRANSFER_DAYS)
    transfers, coin = call.user.transfers, call.find("coin")
    for index in range(len(transfers) - 1, -1, -1):
        if start <= transfers[index].at_ms <= end and coin in (None, transfers[index].asset):
            yield NumberedTransfer(index + 1, transfers[index])


def get_deposits(call: BybitCall) -> Shape:
    deposits = (row for row in _iter_transfers(call) if row.transfer.quantity > ZERO)
    page = take_page(call, deposits, call.limit(50, 50))
    rows = [
        {
            "id": row.transfer.transfer_id,
            "coin": row.transfer.asset,
            "chain": "SIM",
            "amount": plain(row.transfer.quantity),
            "txID": row.transfer.transfer_id,
            "status": DEPOSIT_DONE,
            "toAddress": "simulated",
            "tag": "",
            "depositFee": "",
            "successAt": str(row.transfer.at_ms),
            "confirmations": "1",
            "txIndex": "0",
            "blockHash": "",
            "batchReleaseLimit": "-1",
            "depositType": "0",
            "fromAddress": "",
            "taxDepositRecordsId": "0",
            "taxStatus": 0,
        }
        for row in page
    ]
    return {"rows": rows, "nextPageCursor": cursor_after(page)}


def get_withdrawals(call: BybitCall) -> Shape:
    withdrawals = (row for row in _iter_transfers(call) if row.transfer.quantity < ZERO)
    page = take_page(call, withdrawals, call.limit(50, 50))
    rows = [
        {
            "coin": row.transfer.asset,
            "chain": "SIM",
            "amount": plain(-row.transfer.quantity),
            "txID": row.transfer.transfer_id,
            "status": WITHDRAWAL_DONE,
            "toAddress": "simulated",
            "tag": "",
            "withdrawFee": plain(row.transfer.fee),
            "createTime": str(row.transfer.at_ms),
            "updateTime": str(row.transfer.at_ms),
            "withdrawId": row.transfer.transfer_id,
            "withdrawType": 0,
            "tax": "0",
            "taxRate": "0",
            "taxType": "",
        }
        for row in page
    ]
    return {"rows": rows, "nextPageCursor": cursor_after(page)}
