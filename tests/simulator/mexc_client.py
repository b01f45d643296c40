"""A minimal signed MEXC client for these tests: signs by the documented rule and sends what it signed."""

from __future__ import annotations

import hmac
import time
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import httpx


class SignedClient:
    def __init__(self, base_url: str, key: str, secret: str) -> None:
        self.base_url, self.key, self.secret = base_url, key, secret
        self.http = httpx.Client(timeout=10, trust_env=False)

    def close(self) -> None:
        self.http.close()

    def public(self, path: str, **parameters: Any) -> httpx.Response:
        return self.http.get(self.base_url + path, params=parameters)

    def signed_url(self, path: str, parameters: dict[str, Any]) -> str:
        pairs = {"timestamp": int(time.time() * 1000), **parameters}
        query = urlencode(pairs, quote_via=quote, safe="")
        signature = hmac.new(self.secret.encode(), query.encode(), sha256).hexdigest()
        return f"{self.base_url}{path}?{query}&signature={signature}"

    def call(self, method: str, path: str, **parameters: Any) -> httpx.Response:
        headers = {"X-MEXC-APIKEY": self.key, "Content-Type": "application/json"}
        return self.http.request(method, self.signed_url(path, parameters), headers=headers)

    def place(
        self, symbol: str = "BTCUSDT", side: str = "BUY", type: str = "LIMIT", **more: Any
    ) -> httpx.Response:
        return self.call("POST", "/api/v3/order", symbol=symbol, side=side, type=type, **more)

    def query(self, client_order_id: str, symbol: str = "BTCUSDT") -> dict[str, Any]:
        return self.call("GET", "/api/v3/order", symbol=symbol, origClientOrderId=client_order_id).json()

    def cancel(self, client_order_id: str, symbol: str = "BTCUSDT") -> httpx.Response:
        return self.call("DELETE", "/api/v3/order", symbol=symbol, origClientOrderId=client_order_id)

    def fills(self, symbol: str = "BTCUSDT", **more: Any) -> list[dict[str, Any]]:
        return self.call("GET", "/api/v3/myTrades", symbol=symbol, **more).json()

    def free(self, asset: str) -> str:
        rows = self.call("GET", "/api/v3/account").json()["balances"]
        return next((row["free"] for row in rows if row["asset"] == asset), "0")


def refusal(answer: httpx.Response) -> tuple[int, int]:
    """HTTP status and MEXC's code of a refused request."""
    return answer.status_code, answer.json()["code"]
