"""Binance's account endpoints: balances, rates, unfilled orders, the key's rights, deposits and withdrawals."""

from __future__ import annotations

from simulator.binance.auth import READING, TRADING
from simulator.binance.call import Answer, BinanceCall
from simulator.binance.errors import BinanceWireRefusal
from simulator.binance.profile import RATE
from simulator.binance.shapes import (
    account_shape,
    commission_shape,
    deposit_shape,
    fixed,
    withdrawal_shape,
)
from simulator.core.accounts import SimTransfer

TRANSFERS_LOOK_BACK_MS = 90 * 86_400_000
# Rights that a key has only if its list names them; every other one is told as absent.
FURTHER_RIGHTS = (
    "enableWithdrawals",
    "enableInternalTransfer",
    "enableMargin",
    "enableFutures",
    "permitsUniversalTransfer",
    "enableVanillaOptions",
    "enableFixApiTrade",
    "enableFixReadOnly",
    "enablePortfolioMarginTrading",
)


def _list_assets(call: BinanceCall) -> list[str]:
    listed = {asset for one in call.venue.listings.values() for asset in (one.base, one.quote)}
    return sorted(listed | set(call.user.balances))


def get_account(call: BinanceCall) -> Answer:
    orders, omits_zero = (
        call.venue.orders_of.get(call.user.name),
        call.find_flag("omitZeroBalances", usual=False),
    )
    changed_ms = orders[-1].updated_ms if orders else call.user.created_ms
    return account_shape(call.user, _list_assets(call), (RATE, RATE), changed_ms, omits_zero=omits_zero)


def get_commission(call: BinanceCall) -> Answer:
    profile = call.venue.profile
    is_discounted = call.venue.settings.fee_asset == "third"
    return commission_shape(
        call.listing(), profile.third_discount, profile.third_asset, is_discounted=is_discounted
    )


def get_order_counts(call: BinanceCall) -> Answer:
    return list(call.quotas.order_rows(call.user))


# -- the wallet's endpoints ----------------------------------------------------------------------------------------


def get_key_rights(call: BinanceCall) -> Answer:
    user = call.user
    rights = {name: name in user.permissions for name in (READING, TRADING, *FURTHER_RIGHTS)}
    return {"ipRestrict": bool(user.addresses), "createTime": user.created_ms, **rights}


def get_trade_fees(call: BinanceCall) -> Answer:
    listings = call.find_listings()
    return [
        {
            "symbol": listing.symbol,
            "makerCommission": fixed(listing.maker_rate),
            "takerCommission": fixed(listing.taker_rate),
        }
        for listing in (call.venue.listings.values() if listings is None else listings)
    ]


def get_currencies(call: BinanceCall) -> Answer:
    """Every asset of the listings, without networks: nothing can be withdrawn from a simulation."""
    return [
        {
            "coin": asset,
            "name": asset.title(),
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "free": fixed(call.user.find_free(asset)),
            "locked": fixed(call.user.find_total(asset) - call.user.find_free(asset)),
            "isLegalMoney": False,
            "trading": True,
            "networkList": [],
        }
        for asset in _list_assets(call)
    ]


def get_deposits(call: BinanceCall) -> Answer:
    return [deposit_shape(one) for one in _select_transfers(call, is_deposit=True)]


def get_withdrawals(call: BinanceCall) -> Answer:
    return [withdrawal_shape(one) for one in _select_transfers(call, is_deposit=False)]


def _select_transfers(call: BinanceCall, *, is_deposit: bool) -> list[SimTransfer]:
    """Newest first."""
    end = call.find_time("endTime") or call.now_ms
    start = call.find_time("startTime") or end - TRANSFERS_LOOK_BACK_MS
    if end - start > TRANSFERS_LOOK_BACK_MS:
        raise BinanceWireRefusal(400, -1127, "More than 2160 hours between startTime and endTime.")
    coin, skipped = call.find("coin"), call.find_whole("offset") or 0
    found = [
        one
        for one in reversed(call.user.transfers)
        if (one.quantity > 0) is is_deposit and start <= one.at_ms <= end and coin in (None, one.asset)
    ]
    return found[skipped:][: call.limit(1_000, 1_000)]
