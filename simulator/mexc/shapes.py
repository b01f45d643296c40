"""MEXC's JSON shapes of listings, orders, fills and balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulator.core.accounts import SimTransfer, SimUser
from simulator.core.money import plain
from simulator.core.rows import Listing, SimFill, SimOrder, SimSide

Shape = dict[str, Any]


def listing_shape(listing: Listing) -> Shape:
    return {
        "symbol": listing.symbol,
        "status": "1" if listing.online else "2",
        "baseAsset": listing.base,
        "baseAssetPrecision": listing.quantity_decimals,
        "quoteAsset": listing.quote,
        "quotePrecision": listing.price_decimals,
        "quoteAssetPrecision": listing.price_decimals,
        "baseCommissionPrecision": listing.fee_decimals,
        "quoteCommissionPrecision": listing.fee_decimals,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"]
        if listing.allows_market
        else ["LIMIT", "LIMIT_MAKER"],
        "isSpotTradingAllowed": listing.api_trading,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": plain(listing.min_notional),
        "baseSizePrecision": plain(listing.lot_step),
        "permissions": ["SPOT"],
        "filters": [
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": plain(listing.bid_multiplier_up),
                "askMultiplierDown": plain(listing.ask_multiplier_down),
            }
        ],
        "maxQuoteAmount": plain(listing.max_notional),
        "makerCommission": plain(listing.maker_rate),
        "takerCommission": plain(listing.taker_rate),
        "quoteAmountPrecisionMarket": plain(listing.min_notional_market),
        "maxQuoteAmountMarket": plain(listing.max_notional_market),
        "fullName": listing.full_name,
        "tradeSideType": listing.side_type,
        "contractAddress": "",
        "st": False,
    }


def ack_shape(order: SimOrder) -> Shape:
    """Acknowledgement of a placement: no status, no client id, no fills."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "price": plain(order.price),
        "origQty": plain(order.quantity),
        "type": order.type.value,
        "side": order.side.value,
        "stpMode": "",
        "transactTime": order.received_ms,
    }


def order_shape(order: SimOrder) -> Shape:
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "price": plain(order.price),
        "origQty": plain(order.quantity),
        "executedQty": plain(order.filled),
        "cummulativeQuoteQty": plain(order.filled_quote),
        "status": order.status.value,
        "timeInForce": None,
        "type": order.type.value,
        "side": order.side.value,
        "stopPrice": None,
        "icebergQty": None,
        "time": order.received_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.status.is_open,
        "stpMode": "",
        "cancelReason": None,
        "origQuoteOrderQty": plain(order.quote_quantity),
    }


def canceled_shape(order: SimOrder, status: str) -> Shape:
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.client_order_id,
        "orderId": order.order_id,
        "clientOrderId": order.client_order_id,
        "price": plain(order.price),
        "origQty": plain(order.quantity),
        "executedQty": plain(order.filled),
        "cummulativeQuoteQty": plain(order.filled_quote),
        "status": status,
        "timeInForce": None,
        "type": order.type.value,
        "side": order.side.value,
    }


def fill_shape(fill: SimFill) -> Shape:
    return {
        "symbol": fill.symbol,
        "id": fill.fill_id,
        "orderId": fill.order_id,
        "orderListId": "-1",
        "price": plain(fill.price),
        "qty": plain(fill.quantity),
        "quoteQty": plain(fill.notional),
        "commission": plain(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.at_ms,
        "isBuyer": fill.side is SimSide.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
        "isSelfTrade": fill.is_self_trade,
        "clientOrderId": fill.client_order_id,
    }


def account_shape(user: SimUser) -> Shape:
    rows = [
        {
            "asset": asset,
            "free": plain(balance.free),
            "locked": plain(balance.locked),
            "available": plain(balance.free),
        }
        for asset, balance in sorted(user.balances.items())
        if balance.total
    ]
    return {
        "makerCommission": None,
        "takerCommission": None,
        "buyerCommission": None,
        "sellerCommission": None,
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "updateTime": None,
        "accountType": "SPOT",
        "balances": rows,
        "permissions": ["SPOT"],
    }


def rate_literal(rate: Decimal) -> str:
    """A bare JSON number with 18 decimals, which for zero is `0E-18`, as the venue prints it."""
    return "0E-18" if not rate else f"{rate:.18f}"


def deposit_shape(transfer: SimTransfer, status: int) -> Shape:
    return {
        "amount": plain(transfer.quantity),
        "coin": transfer.asset,
        "network": "SIM",
        "status": status,
        "address": "simulated",
        "txId": transfer.transfer_id,
        "insertTime": transfer.at_ms,
        "unlockConfirm": "1",
        "confirmTimes": "1",
        "memo": "",
    }


def withdrawal_shape(transfer: SimTransfer, status: int) -> Shape:
    return {
        "id": transfer.transfer_id,
        "txId": transfer.transfer_id,
        "coin": transfer.asset,
        "network": "SIM",
        "address": "simulated",
        "amount": plain(-transfer.quantity),
        "transferType": 0,
        "status": status,
        "transactionFee": plain(transfer.fee),
        "confirmNo": None,
        "applyTime": transfer.at_ms,
        "remark": "",
        "memo": "",
    }
