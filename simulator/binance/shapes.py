"""Binance's JSON shapes of orders, fills, balances, rates and transfers; money is printed with eight decimals."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from simulator.core.accounts import SimBalance, SimTransfer, SimUser
from simulator.core.money import ZERO
from simulator.core.rows import EndCause, Listing, SimFill, SimOrder, SimOrderStatus, SimOrderType, SimSide

Shape = dict[str, Any]
NO_LIST = -1
TYPE_WORDS = {
    SimOrderType.LIMIT: ("LIMIT", "GTC"),
    SimOrderType.IMMEDIATE_OR_CANCEL: ("LIMIT", "IOC"),
    SimOrderType.FILL_OR_KILL: ("LIMIT", "FOK"),
    SimOrderType.LIMIT_MAKER: ("LIMIT_MAKER", "GTC"),
    SimOrderType.MARKET: ("MARKET", "GTC"),
}
EXPIRY_REASONS = {
    SimOrderType.IMMEDIATE_OR_CANCEL: "UNFILLED_IOC_QUANTITY_EXPIRED",
    SimOrderType.FILL_OR_KILL: "UNFILLED_FOK_ORDER_EXPIRED",
    SimOrderType.MARKET: "INSUFFICIENT_LIQUIDITY",
}
_CANCELED = (SimOrderStatus.CANCELED, SimOrderStatus.PARTIALLY_CANCELED)


def fixed(number: Decimal) -> str:
    return f"{number:.8f}"


def status_word(order: SimOrder) -> str:
    """What nobody asked to end has expired."""
    if order.status in _CANCELED:
        return "CANCELED" if order.end_cause is EndCause.ASKED else "EXPIRED"
    return order.status.value


def shown_price(order: SimOrder) -> Decimal:
    return ZERO if order.type is SimOrderType.MARKET else order.price


def _outline(order: SimOrder) -> Shape:
    kind, in_force = TYPE_WORDS[order.type]
    outline: Shape = {
        "price": fixed(shown_price(order)),
        "origQty": fixed(order.quantity),
        "executedQty": fixed(order.filled),
        "origQuoteOrderQty": fixed(order.quote_quantity),
        "cummulativeQuoteQty": fixed(order.filled_quote),
        "status": status_word(order),
        "timeInForce": in_force,
        "type": kind,
        "side": order.side.value,
    }
    if outline["status"] == "EXPIRED":
        outline["expiryReason"] = EXPIRY_REASONS[order.type]
    return outline


def ack_shape(order: SimOrder) -> Shape:
    return {
        "symbol": order.symbol,
        "orderId": int(order.order_id),
        "orderListId": NO_LIST,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_ms,
    }


def result_shape(order: SimOrder) -> Shape:
    more = {"workingTime": order.received_ms, "selfTradePreventionMode": "NONE"}
    return ack_shape(order) | _outline(order) | more


def full_shape(order: SimOrder, fills: list[SimFill]) -> Shape:
    rows = [
        {
            "price": fixed(fill.price),
            "qty": fixed(fill.quantity),
            "commission": fixed(fill.fee),
            "commissionAsset": fill.fee_asset,
            "tradeId": int(fill.fill_id),
        }
        for fill in fills
    ]
    return result_shape(order) | {"fills": rows}


def order_shape(order: SimOrder) -> Shape:
    outline = _outline(order)
    return {
        "symbol": order.symbol,
        "orderId": int(order.order_id),
        "orderListId": NO_LIST,
        "clientOrderId": order.client_order_id,
        **outline,
        "stopPrice": fixed(ZERO),
        "icebergQty": fixed(ZERO),
        "time": order.received_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.received_ms,
        "selfTradePreventionMode": "NONE",
    }


def canceled_shape(order: SimOrder) -> Shape:
    """The order's own id is the original one; `clientOrderId` names the cancel."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.client_order_id,
        "orderId": int(order.order_id),
        "orderListId": NO_LIST,
        "clientOrderId": order.cancel_id,
        "transactTime": order.updated_ms,
        **_outline(order),
        "selfTradePreventionMode": "NONE",
    }


def fill_shape(fill: SimFill) -> Shape:
    return {
        "symbol": fill.symbol,
        "id": int(fill.fill_id),
        "orderId": int(fill.order_id),
        "orderListId": NO_LIST,
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "quoteQty": fixed(fill.notional),
        "commission": fixed(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.at_ms,
        "isBuyer": fill.side is SimSide.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def account_shape(
    user: SimUser, assets: list[str], rates: tuple[Decimal, Decimal], changed_ms: int, *, omits_zero: bool
) -> Shape:
    maker, taker = rates
    balances = [
        {"asset": asset, "free": fixed(held.free), "locked": fixed(held.locked)}
        for asset in assets
        if (held := user.balances.get(asset, SimBalance())).total or not omits_zero
    ]
    return {
        "makerCommission": int(maker * 10_000),
        "takerCommission": int(taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(maker, taker) | {"buyer": fixed(ZERO), "seller": fixed(ZERO)},
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": changed_ms,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": int(user.uid),
    }


def _rates(maker: Decimal, taker: Decimal) -> Shape:
    return {"maker": fixed(maker), "taker": fixed(taker)}


def commission_shape(listing: Listing, discount: Decimal, third_asset: str, *, is_discounted: bool) -> Shape:
    nothing = _rates(ZERO, ZERO) | {"buyer": fixed(ZERO), "seller": fixed(ZERO)}
    return {
        "symbol": listing.symbol,
        "standardCommission": nothing | _rates(listing.maker_rate, listing.taker_rate),
        "specialCommission": nothing,
        "taxCommission": nothing,
        "discount": {
            "enabledForAccount": is_discounted,
            "enabledForSymbol": True,
            "discountAsset": third_asset,
            "discount": fixed(1 - discount),
        },
    }


def deposit_shape(transfer: SimTransfer) -> Shape:
    return {
        "id": transfer.transfer_id,
        "amount": fixed(transfer.quantity),
        "coin": transfer.asset,
        "network": "SIM",
        "status": 1,
        "address": "simulated",
        "addressTag": "",
        "txId": transfer.transfer_id,
        "insertTime": transfer.at_ms,
        "completeTime": transfer.at_ms,
        "transferType": 0,
        "confirmTimes": "1/1",
        "unlockConfirm": 0,
        "walletType": 0,
    }


def withdrawal_shape(transfer: SimTransfer) -> Shape:
    """Its times are texts without a zone, in UTC."""
    applied = datetime.fromtimestamp(transfer.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "id": transfer.transfer_id,
        "amount": fixed(-transfer.quantity),
        "transactionFee": fixed(transfer.fee),
        "coin": transfer.asset,
        "status": 6,
        "address": "simulated",
        "txId": transfer.transfer_id,
        "applyTime": applied,
        "completeTime": applied,
        "network": "SIM",
        "transferType": 0,
        "info": "",
        "confirmNo": 1,
        "walletType": 0,
        "txKey": "",
    }
