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


# The venue's documented sample events, encoded with its published message files.
ORDERS_FRAME = bytes.fromhex(
    "0a1d73706f7440707269766174652e6f72646572732e76332e6170692e70621a064d585553445430a98095d4c4"
    "328213540a1a4330325f5f3530353937393031373433393030323632343131351a06332e353132312201312a01"
    "303206332e36393632380540025201305a01306201316a01317206332e3639363278028001938095d4c432"
)
DEALS_FRAME = bytes.fromhex(
    "0a1c73706f7440707269766174652e6465616c732e76332e6170692e70621a064d585553445430dc8095d4c432"
    "9213690a06332e363936321201311a06332e3639363220023a1435303539373930313734333930303236323458"
    "314a1a4330325f5f3530353937393031373433393030323632343131355215302e303030333939383337373336"
    "393639383137315a024d5860a88095d4c432"
)
ACCOUNT_FRAME = bytes.fromhex(
    "0a1e73706f7440707269766174652e6163636f756e742e76332e6170692e706228c18095d4c43230c38095d4c4"
    "329a135f0a0455534454122031323866353839323731636234393531623033653731653633323365623762651a"
    "1132312e3934323130333536303034333834220231302a01303201303a11434f4e54524143545f5452414e5346"
    "455240b0b58dd4c432"
)
