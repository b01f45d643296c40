"""Answers as Bybit documents them, for parsing and classifying."""

from __future__ import annotations

import json
from typing import Any

CLIENT_ID = "spot-test-postonly"
ACKNOWLEDGED: dict[str, Any] = {
    "retCode": 0,
    "retMsg": "OK",
    "result": {"orderId": "1321003749386327552", "orderLinkId": CLIENT_ID},
    "retExtInfo": {},
    "time": 1672211918471,
}
CANCELED_ALL: dict[str, Any] = {
    "retCode": 0,
    "retMsg": "OK",
    "result": {
        "list": [{"orderId": "1616024329462743808", "orderLinkId": "1616024329462743809"}],
        "success": "1",
    },
    "retExtInfo": {},
    "time": 1707381118116,
}
ORDER: dict[str, Any] = {
    "orderId": "14bad3a1-6454-43d8-bcf2-5345896cf74d",
    "orderLinkId": "YLxaWKMiHU",
    "blockTradeId": "",
    "symbol": "BTCUSDT",
    "price": "26864.40",
    "qty": "0.003",
    "side": "Buy",
    "isLeverage": "",
    "orderStatus": "Cancelled",
    "cancelType": "UNKNOWN",
    "rejectReason": "EC_PostOnlyWillTakeLiquidity",
    "avgPrice": "0",
    "leavesQty": "0.000",
    "cumExecQty": "0.000",
    "cumExecValue": "0",
    "cumExecFee": "0",
    "timeInForce": "PostOnly",
    "orderType": "Limit",
    "marketUnit": "",
    "triggerPrice": "0.00",
    "createdTime": "1684476068369",
    "updatedTime": "1684476068372",
    "cumFeeDetail": {"MNT": "0.00242968"},
}
EXECUTION: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "orderType": "Market",
    "orderLinkId": "lv-1",
    "side": "Buy",
    "orderId": "1321003749386327552",
    "leavesQty": "0",
    "execTime": "1672282722429",
    "feeCurrency": "ETH",
    "isMaker": False,
    "execFee": "0.0001",
    "feeRate": "0.001",
    "execId": "2290000000012345678",
    "execPrice": "1190.15",
    "orderQty": "0.1",
    "execValue": "119.015",
    "execType": "Trade",
    "execQty": "0.1",
    "extraFees": "",
    "seq": 4688002127,
}
INSTRUMENT: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "status": "Trading",
    "marginTrading": "utaOnly",
    "stTag": "0",
    "lotSizeFilter": {
        "basePrecision": "0.000001",
        "quotePrecision": "0.0000001",
        "minOrderQty": "0.000011",
        "maxOrderQty": "83",
        "minOrderAmt": "5",
        "maxOrderAmt": "8000000",
        "maxLimitOrderQty": "83",
        "maxMarketOrderQty": "41.5",
        "postOnlyMaxLimitOrderSize": "60000",
    },
    "priceFilter": {"tickSize": "0.1"},
    "riskParameters": {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"},
}
KEY: dict[str, Any] = {
    "id": "2208369",
    "apiKey": "canary-key",
    "readOnly": 0,
    "permissions": {
        "ContractTrade": [],
        "Spot": ["SpotTrade"],
        "Wallet": [],
        "Exchange": ["ExchangeHistory"],
        "NFT": [],
    },
    "ips": ["18.181.170.164"],
    "type": 1,
    "deadlineDay": -2,
    "expiredAt": "1970-01-01T00:00:00Z",
    "uta": 1,
    "userID": 1448939,
    "isMaster": True,
}
COIN: dict[str, Any] = {
    "coin": "USDT",
    "equity": "1000.5",
    "usdValue": "1000.4",
    "walletBalance": "1000.5",
    "locked": "200",
    "spotBorrow": "0",
    "availableToWithdraw": "",
    "totalOrderIM": "",
}
DEPOSIT: dict[str, Any] = {
    "coin": "USDT",
    "chain": "TRX",
    "amount": "999.0496",
    "txID": "04bf3fbad2fc85b107a42cfdc5ff8311",
    "status": 3,
    "depositFee": "",
    "successAt": "1742728163000",
    "id": "160237231",
}
WITHDRAWAL: dict[str, Any] = {
    "coin": "USDC",
    "chain": "ETH",
    "amount": "41.43008",
    "txID": "0x3d7bddb797f0e86420c982c072365",
    "status": "success",
    "withdrawFee": "5",
    "createTime": "1742738305000",
    "updateTime": "1742738340000",
    "withdrawId": "131629076",
    "withdrawType": 0,
}


def envelope(result: Any) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": 1672211918471}


def listed(*rows: Any, cursor: str = "") -> dict[str, Any]:
    return envelope({"list": list(rows), "nextPageCursor": cursor, "category": "spot"})


def as_body(value: Any) -> bytes:
    return json.dumps(value).encode()


def complaint(code: Any, message: Any = "text") -> bytes:
    return as_body({"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": 1})
