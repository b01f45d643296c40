"""MEXC's account endpoints: balances, fee rates, the key's rights and symbols, transfers, listen keys."""

from __future__ import annotations

from datetime import UTC, datetime

from simulator.core.accounts import SimTransfer
from simulator.http.messages import HttpAnswer
from simulator.mexc.call import MexcCall
from simulator.mexc.errors import bad_parameter
from simulator.mexc.listen_keys import KEYS_PER_USER, ListenKey
from simulator.mexc.shapes import Shape, account_shape, deposit_shape, rate_literal, withdrawal_shape

PERMANENT = -999


def get_account(call: MexcCall) -> Shape:
    return account_shape(call.user)


def get_self_symbols(call: MexcCall) -> Shape:
    tradable = [listing.symbol for listing in call.venue.listings.values() if listing.api_trading]
    allowed = call.user.symbols
    return {
        "code": 200,
        "data": [symbol for symbol in tradable if allowed is None or symbol in allowed],
        "msg": None,
    }


def get_trade_fee(call: MexcCall) -> HttpAnswer:
    """Rates are bare JSON numbers with 18 decimals, so the body is written by hand."""
    listing = call.listing()
    maker, taker = rate_literal(listing.maker_rate), rate_literal(listing.taker_rate)
    rates = f'{{"makerCommission":{maker},"takerCommission":{taker}}}'
    return HttpAnswer(200, f'{{"data":{rates},"code":0,"msg":"success","timestamp":{call.now_ms}}}'.encode())


def get_uid(call: MexcCall) -> Shape:
    return {"uid": call.user.uid}


def get_kyc_status(call: MexcCall) -> Shape:
    return {"status": "1"}


def get_third_asset_deduction(call: MexcCall) -> Shape:
    return {
        "data": {"mxDeductEnable": call.venue.settings.fee_asset == "third"},
        "code": 0,
        "msg": "success",
        "timestamp": call.now_ms,
    }


def get_api_key_info(call: MexcCall) -> Shape:
    if call.need("accessKey") != call.user.key:
        raise bad_parameter("accessKey")
    created = datetime.fromtimestamp(call.user.created_ms / 1000, UTC)
    return {
        "note": call.user.name,
        "accessKey": call.user.key,
        "createTime": created.strftime("%Y-%m-%dT%H:%M:%S.000+00:00"),
        "permissions": ",".join(call.user.permissions),
        "remainingValidity": PERMANENT,
        "ipWhiteList": ",".join(call.user.addresses),
        "status": "VALID",
    }


def get_currencies(call: MexcCall) -> list[Shape]:
    """Every asset of the listings, without networks: nothing can be withdrawn from a simulation."""
    assets = sorted(
        {asset for listing in call.venue.listings.values() for asset in (listing.base, listing.quote)}
        | {call.venue.third_asset}
    )
    return [
        {"coin": asset, "name": asset.title(), "Name": asset.title(), "networkList": []} for asset in assets
    ]


# Both lists go back this far when the caller names no start.
_TRANSFERS_LOOK_BACK_MS = 90 * 86_400_000
_DEPOSITED, _WITHDRAWN = 5, 7


def get_deposits(call: MexcCall) -> list[Shape]:
    return [deposit_shape(one, _DEPOSITED) for one in _select_transfers(call) if one.quantity > 0]


def get_withdrawals(call: MexcCall) -> list[Shape]:
    return [withdrawal_shape(one, _WITHDRAWN) for one in _select_transfers(call) if one.quantity < 0]


def _select_transfers(call: MexcCall) -> list[SimTransfer]:
    """Newest first."""
    start = call.find_whole("startTime") or call.now_ms - _TRANSFERS_LOOK_BACK_MS
    end, coin = call.find_whole("endTime") or call.now_ms, call.find("coin")
    found = [
        one
        for one in reversed(call.user.transfers)
        if start <= one.at_ms <= end and coin in (None, one.asset)
    ]
    return found[: call.limit(1000, 1000)]


# -- listen keys ---------------------------------------------------------------------------------------------------


def post_listen_key(call: MexcCall) -> Shape:
    return {"listenKey": call.listen_keys.create(call.user).text}


def get_listen_keys(call: MexcCall) -> Shape:
    keys = [key.text for key in call.listen_keys.list_of(call.user)]
    return {"listenKey": keys, "total": len(keys), "available": KEYS_PER_USER - len(keys)}


def put_listen_key(call: MexcCall) -> Shape:
    key = _named_key(call)
    call.listen_keys.extend(key)
    return {"listenKey": key.text}


def delete_listen_key(call: MexcCall) -> Shape:
    key = _named_key(call)
    call.listen_keys.delete(key)
    return {"listenKey": key.text}


def _named_key(call: MexcCall) -> ListenKey:
    return call.listen_keys.get(call.user, call.need("listenKey"))
