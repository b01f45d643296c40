"""A minimal signed Binance client for these tests: signs by the documented rule and sends what it signed."""

from __future__ import annotations

import hmac
import ssl
import time
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from simulator.testing import SimulatedVenue

NO_TLS = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # loopback speaks none, and the usual context takes long to load


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()


def now_ms() -> int:
    return int(time.time() * 1000)


class BinanceClient:
    def __init__(self, venue: SimulatedVenue, key: str = "", secret: str = "") -> None:
        self.base_url, self.key, self.secret = venue.base_url, key or venue.key, secret or venue.secret
        self.http = httpx.Client(timeout=10, trust_env=False, verify=NO_TLS)

    def close(self) -> None:
        self.http.close()

    def public(self, path: str, **parameters: Any) -> httpx.Response:
        return self.http.get(self.base_url + path, params=parameters)

    def signed_query(self, parameters: dict[str, Any]) -> str:
        query = urlencode({"timestamp": now_ms(), **parameters}, quote_via=quote, safe="")
        return f"{query}&signature={sign(self.secret, query)}"

    def send(self, method: str, path: str, query: str, body: str = "") -> httpx.Response:
        headers = {"X-MBX-APIKEY": self.key}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.http.request(method, f"{self.base_url}{path}?{query}", headers=headers, content=body)

    def call(self, method: str, path: str, **parameters: Any) -> httpx.Response:
        return self.send(method, path, self.signed_query(parameters))

    def get(self, path: str, **parameters: Any) -> Any:
        return self.call("GET", path, **parameters).json()

    def place(
        self, type: str = "LIMIT", side: str = "BUY", symbol: str = "BTCUSDT", **more: Any
    ) -> httpx.Response:
        """A LIMIT order rests at 40000 unless something else is said."""
        usual = {"timeInForce": "GTC", "quantity": "0.01", "price": "40000"} if type == "LIMIT" else {}
        return self.call("POST", "/api/v3/order", symbol=symbol, side=side, type=type, **{**usual, **more})

    def rest(self, name: str, **more: Any) -> int:
        answer = self.place(newClientOrderId=name, **more)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["orderId"])

    def query(self, name: str, symbol: str = "BTCUSDT") -> dict[str, Any]:
        return self.get("/api/v3/order", symbol=symbol, origClientOrderId=name)

    def cancel(self, name: str, symbol: str = "BTCUSDT", **more: Any) -> httpx.Response:
        return self.call("DELETE", "/api/v3/order", symbol=symbol, origClientOrderId=name, **more)

    def fills(self, symbol: str = "BTCUSDT", **more: Any) -> Any:
        return self.get("/api/v3/myTrades", symbol=symbol, **more)

    def free(self, asset: str) -> str:
        rows = self.get("/api/v3/account")["balances"]
        return next(row["free"] for row in rows if row["asset"] == asset)


def refusal(answer: httpx.Response) -> tuple[int, int, str]:
    """HTTP status, code and message of a refused request."""
    document = answer.json()
    return answer.status_code, document["code"], document["msg"]


def code(answer: httpx.Response) -> tuple[int, int]:
    return refusal(answer)[:2]
