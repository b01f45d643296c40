"""A minimal signed Bybit client for these tests: signs by the documented rule and sends what it signed."""

from __future__ import annotations

import hmac
import json
import time
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx

WINDOW = "5000"


class BybitClient:
    def __init__(self, base_url: str, key: str, secret: str) -> None:
        self.base_url, self.key, self.secret = base_url, key, secret
        self.http = httpx.Client(timeout=10, trust_env=False)

    def close(self) -> None:
        self.http.close()

    def public(self, path: str, **parameters: Any) -> httpx.Response:
        return self.http.get(self.base_url + path, params=parameters)

    def headers(self, sent: bytes, *, ahead_ms: int = 0, window: str = WINDOW) -> dict[str, str]:
        stamp = str(int(time.time() * 1000) + ahead_ms)
        covered = f"{stamp}{self.key}{window}".encode() + sent
        return {
            "X-BAPI-API-KEY": self.key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": window,
            "X-BAPI-SIGN": hmac.new(self.secret.encode(), covered, sha256).hexdigest(),
            "Content-Type": "application/json",
        }

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        query = urlencode(parameters)
        return self.http.get(f"{self.base_url}{path}?{query}", headers=self.headers(query.encode()))

    def post(self, path: str, **document: Any) -> httpx.Response:
        body = json.dumps(document, separators=(", ", ": ")).encode()
        return self.http.post(self.base_url + path, content=body, headers=self.headers(body))

    # -- what most tests do ----------------------------------------------------------------------------------------

    def place(
        self, side: str = "Buy", order_type: str = "Limit", symbol: str = "BTCUSDT", **more: Any
    ) -> httpx.Response:
        named = {"category": "spot", "symbol": symbol, "side": side, "orderType": order_type}
        return self.post("/v5/order/create", **named, **more)

    def cancel(self, link: str, symbol: str = "BTCUSDT") -> httpx.Response:
        return self.post("/v5/order/cancel", category="spot", symbol=symbol, orderLinkId=link)

    def realtime(self, **more: Any) -> list[dict[str, Any]]:
        return result(self.get("/v5/order/realtime", category="spot", **more))["list"]

    def history(self, **more: Any) -> list[dict[str, Any]]:
        return result(self.get("/v5/order/history", category="spot", **more))["list"]

    def order(self, link: str) -> dict[str, Any]:
        (found,) = self.realtime(orderLinkId=link)
        return found

    def executions(self, **more: Any) -> list[dict[str, Any]]:
        return result(self.get("/v5/execution/list", category="spot", **more))["list"]

    def coin(self, asset: str) -> dict[str, Any]:
        answer = self.get("/v5/account/wallet-balance", accountType="UNIFIED", coin=asset)
        return result(answer)["list"][0]["coin"][0]


def result(answer: httpx.Response) -> dict[str, Any]:
    document = answer.json()
    assert (answer.status_code, document["retCode"]) == (200, 0), document
    return document["result"]


def code(answer: httpx.Response) -> int:
    """Of a refusal, which comes with HTTP 200."""
    assert answer.status_code == 200, answer.text
    return answer.json()["retCode"]
