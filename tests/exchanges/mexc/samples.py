"""Answers as MEXC documents them or as they were recorded, for parsing and classifying."""

from __future__ import annotations

import json
from typing import Any

ACKNOWLEDGED: dict[str, Any] = {
    "symbol": "MXUSDT",
    "orderId": "C02__342252993005723644225",
    "orderListId": -1,
    "price": "0.1",
    "origQty": "50",
    "type": "LIMIT",
    "side": "BUY",
    "stpMode": "",
    "transactTime": 1666676533741,
}

ORDER: dict[str, Any] = {
    "symbol": "LTCBTC",
    "orderId": "C02__385413065019117569043",
    "orderListId": -1,
    "clientOrderId": "myOrder1",
    "price": "0.1",
    "origQty": "1.0",
    "executedQty": "0.0",
    "cummulativeQuoteQty": "0.0",
    "status": "NEW",
    "timeInForce": "GTC",
    "type": "LIMIT",
    "side": "BUY",
    "stopPrice": None,
    "icebergQty": None,
    "time": 1499827319559,
    "updateTime": None,
    "isWorking": True,
    "origQuoteOrderQty": "0.000000",
}

TRADE: dict[str, Any] = {
    "symbol": "ATLASUSDT",
    "id": "dd44e9d1e4f54e5fa0c4d9b8a1d3d5b1",
    "orderId": "C02__385413065019117569043",
    "orderListId": "-1",
    "price": "0.004542",
    "qty": "1220",
    "quoteQty": "5.54124",
    "commission": "0",
    "commissionAsset": "USDT",
    "time": 1707671871000,
    "isBuyer": False,
    "isMaker": False,
    "isBestMatch": True,
    "isSelfTrade": False,
    "clientOrderId": None,
}

SYMBOL: dict[str, Any] = {
    "symbol": "METALUSDT",
    "status": "1",
    "baseAsset": "METAL",
    "baseAssetPrecision": 2,
    "quoteAsset": "USDT",
    "quotePrecision": 5,
    "quoteAssetPrecision": 5,
    "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
    "isSpotTradingAllowed": True,
    "quoteAmountPrecision": "1",
    "baseSizePrecision": "0.1",
    "permissions": ["SPOT"],
    "filters": [{"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "askMultiplierDown": "0.2"}],
    "maxQuoteAmount": "2000000",
    "quoteAmountPrecisionMarket": "1",
    "maxQuoteAmountMarket": "100000",
    "tradeSideType": "1",
    "st": False,
}

KEY_INFO: dict[str, Any] = {
    "note": "note2",
    "accessKey": "mx0npKfh57kEEVmyLa",
    "createTime": "2026-09-14T18:53:36.000+00:00",
    "permissions": "CONTRACT_ACCOUNT_READ,CONTRACT_DEAL_READ,SPOT_ACCOUNT_READ,SPOT_DEAL_WRITE,SPOT_DEAL_READ",
    "remainingValidity": 82,
    "ipWhiteList": "",
    "status": "VALID",
}


def as_body(value: Any) -> bytes:
    return json.dumps(value).encode()


def complaint(code: Any, message: Any = "text") -> bytes:
    return as_body({"code": code, "msg": message})
