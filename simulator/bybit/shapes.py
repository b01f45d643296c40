"""Bybit's JSON shapes of listings, orders, fills and balances: texts for all numbers, and "" for what there is not."""

from __future__ import annotations

from decimal import Decimal

from simulator.bybit.call import Shape
from simulator.core.money import ZERO, plain, round_down, step_of
from simulator.core.rows import (
    EndCause,
    Listing,
    SimFill,
    SimOrder,
    SimOrderStatus,
    SimOrderType,
    SimSide,
)
from simulator.core.trading import TradingVenue

SIDE_WORDS = {SimSide.BUY: "Buy", SimSide.SELL: "Sell"}
STATUS_WORDS = {
    SimOrderStatus.NEW: "New",
    SimOrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    SimOrderStatus.FILLED: "Filled",
    SimOrderStatus.CANCELED: "Cancelled",
    SimOrderStatus.PARTIALLY_CANCELED: "PartiallyFilledCanceled",
    SimOrderStatus.REJECTED: "Rejected",
}
# The order's type and its time in force.
TYPE_WORDS = {
    SimOrderType.LIMIT: ("Limit", "GTC"),
    SimOrderType.LIMIT_MAKER: ("Limit", "PostOnly"),
    SimOrderType.IMMEDIATE_OR_CANCEL: ("Limit", "IOC"),
    SimOrderType.FILL_OR_KILL: ("Limit", "FOK"),
    SimOrderType.MARKET: ("Market", "IOC"),
}
# cancelType and rejectReason.
END_WORDS: dict[EndCause | None, tuple[str, str]] = {
    None: ("UNKNOWN", "EC_NoError"),
    EndCause.ASKED: ("CancelByUser", "EC_PerCancelRequest"),
    EndCause.WOULD_TAKE: ("UNKNOWN", "EC_PostOnlyWillTakeLiquidity"),
    EndCause.NO_DEPTH: ("UNKNOWN", "EC_NoImmediateQtyToFill"),
    EndCause.NOT_WHOLE: ("UNKNOWN", "EC_CancelForNoFullFill"),
    EndCause.PRICE_LIMIT: ("UNKNOWN", "EC_ReachRiskPriceLimit"),
    EndCause.NO_FUNDS: ("UNKNOWN", "EC_Others"),
}
CANCEL_CAME_LATE = ("CancelByUser", "EC_OrigClOrdIDDoesNotExist")
DOLLARS = ("USDT", "USDC")
VALUE_STEP, AVERAGE_STEP = step_of(8), step_of(18)


def most_of(listing: Listing, *, is_market: bool) -> Decimal:
    """The largest quantity of one order."""
    most = listing.max_notional_market if is_market else listing.max_notional
    return round_down(most / listing.anchor_price, listing.step)


def listing_shape(listing: Listing) -> Shape:
    limit_most, market_most = (plain(most_of(listing, is_market=choice)) for choice in (False, True))
    return {
        "symbol": listing.symbol,
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "innovation": "0",
        "status": "Trading" if listing.online else "PreLaunch",
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": plain(listing.step),
            "quotePrecision": plain(listing.budget_step),
            "minOrderQty": plain(listing.step),
            "maxOrderQty": limit_most,
            "minOrderAmt": plain(listing.min_notional),
            "maxOrderAmt": plain(listing.max_notional),
            "maxLimitOrderQty": limit_most,
            "maxMarketOrderQty": market_most,
            "postOnlyMaxLimitOrderSize": limit_most,
        },
        "priceFilter": {"tickSize": plain(listing.tick)},
        "riskParameters": {
            "priceLimitRatioX": plain(listing.bid_multiplier_up / 2),
            "priceLimitRatioY": plain(listing.bid_multiplier_up),
        },
    }


def ids_shape(order: SimOrder) -> Shape:
    """All that an acknowledgement says."""
    return {"orderId": order.order_id, "orderLinkId": order.client_order_id or ""}


# -- orders --------------------------------------------------------------------------------------------------------


def order_shape(venue: TradingVenue, order: SimOrder) -> Shape:
    """An average and the rest are "" or 0 where there are none, as the venue has it now so, now so."""
    order_type, time_in_force = TYPE_WORDS[order.type]
    cancel_type, reject_reason = (
        CANCEL_CAME_LATE
        if order.status is SimOrderStatus.FILLED and order.end_cause is EndCause.ASKED
        else END_WORDS[order.end_cause]
    )
    is_market, is_open = order.type is SimOrderType.MARKET, order.status.is_open
    left = order.remaining if is_open else ZERO
    return {
        "orderId": order.order_id,
        "orderLinkId": order.client_order_id or "",
        "blockTradeId": "",
        "symbol": order.symbol,
        "price": "0" if is_market else plain(order.price),
        "qty": plain(order.quote_quantity or order.quantity),
        "side": SIDE_WORDS[order.side],
        "isLeverage": "0",
        "positionIdx": 0,
        "orderStatus": STATUS_WORDS[order.status],
        "cancelType": cancel_type,
        "rejectReason": reject_reason,
        "avgPrice": _average(order),
        "leavesQty": plain(left),
        "leavesValue": plain(left * order.price),
        "cumExecQty": plain(order.filled),
        "cumExecValue": plain(order.filled_quote),
        "cumExecFee": "",
        "timeInForce": time_in_force,
        "orderType": order_type,
        "stopOrderType": "",
        "orderIv": "",
        "marketUnit": ("quoteCoin" if order.quote_quantity else "baseCoin") if is_market else "",
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        "triggerPrice": "0",
        "takeProfit": "",
        "stopLoss": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "basePrice": "",
        "reduceOnly": False,
        "closeOnTrigger": False,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(order.received_ms),
        "updatedTime": str(order.updated_ms),
        "extraFees": "",
        "cumFeeDetail": {asset: plain(fee) for asset, fee in _fees_of(venue, order).items()},
    }


def _average(order: SimOrder) -> str:
    if order.filled:
        return plain(round_down(order.filled_quote / order.filled, AVERAGE_STEP))
    return "" if order.status.is_open else "0"


def _fees_of(venue: TradingVenue, order: SimOrder) -> dict[str, Decimal]:
    fees: dict[str, Decimal] = {}
    for fill in venue.iter_fills(order):
        fees[fill.fee_asset] = fees.get(fill.fee_asset, ZERO) + fill.fee
    return fees


def fill_shape(venue: TradingVenue, fill: SimFill) -> Shape:
    order, listing = venue.orders[fill.order_id], venue.listings[fill.symbol]
    order_type, _ = TYPE_WORDS[order.type]
    filled_by_then = sum(
        (one.quantity for one in venue.iter_fills(order) if one.sequence <= fill.sequence), ZERO
    )
    is_market = order.type is SimOrderType.MARKET
    return {
        "symbol": fill.symbol,
        "orderId": fill.order_id,
        "orderLinkId": fill.client_order_id or "",
        "side": SIDE_WORDS[fill.side],
        "orderPrice": plain(order.price),
        "orderQty": plain(order.quote_quantity or order.quantity),
        "leavesQty": plain(max(ZERO, order.quantity - filled_by_then)),
        "orderType": order_type,
        "stopOrderType": "",
        "execFee": plain(fill.fee),
        "feeCurrency": fill.fee_asset,
        "feeRate": plain(listing.maker_rate if fill.is_maker else listing.taker_rate),
        "execId": fill.fill_id,
        "execPrice": plain(fill.price),
        "execQty": plain(fill.quantity),
        "execType": "Trade",
        "execValue": plain(fill.notional),
        "execTime": str(fill.at_ms),
        "isMaker": fill.is_maker,
        "isLeverage": "0",
        "marketUnit": ("quoteCoin" if order.quote_quantity else "baseCoin") if is_market else "",
        "blockTradeId": "",
        "closedSize": "",
        "seq": fill.sequence,
        "extraFees": "",
    }


# -- balances ------------------------------------------------------------------------------------------------------


def dollars_of(venue: TradingVenue, asset: str) -> Decimal | None:
    """What one unit is worth; None if nothing here tells."""
    if asset in DOLLARS:
        return Decimal(1)
    return venue.last_price(asset + "USDT") if asset + "USDT" in venue.listings else None


def coin_shape(venue: TradingVenue, asset: str, total: Decimal, locked: Decimal) -> Shape:
    worth = dollars_of(venue, asset) or ZERO
    return {
        "coin": asset,
        "equity": plain(total),
        "usdValue": plain(round_down(total * worth, VALUE_STEP)),
        "walletBalance": plain(total),
        "free": "",
        "locked": plain(locked),
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "spotBorrow": "0",
        "availableToWithdraw": "",
        "availableToBorrow": "",
        "accruedInterest": "0",
        "totalOrderIM": "0",
        "totalPositionIM": "0",
        "totalPositionMM": "0",
        "unrealisedPnl": "0",
        "cumRealisedPnl": "0",
        "bonus": "0",
        "collateralSwitch": False,
        "marginCollateral": True,
    }


def account_shape(coins: list[Shape], dollars: Decimal) -> Shape:
    worth = plain(round_down(dollars, VALUE_STEP))
    return {
        "accountType": "UNIFIED",
        "totalEquity": worth,
        "totalWalletBalance": worth,
        "totalMarginBalance": worth,
        "totalAvailableBalance": worth,
        "totalPerpUPL": "0",
        "totalInitialMargin": "0",
        "totalMaintenanceMargin": "0",
        "accountIMRate": "0",
        "accountMMRate": "0",
        "accountLTV": "0",
        "coin": coins,
    }
