"""A client program of a running stack, over HTTP with a token, as a strategy would be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
from prometheus_client.parser import text_string_to_metric_families

UNFINISHED = "approved,submitting,open,partially_filled,in_doubt,quarantined"
ANSWER_SECONDS = 60
Row = dict[str, Any]


class PanelClient:
    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=ANSWER_SECONDS,
            trust_env=False,
        )

    def __enter__(self) -> PanelClient:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Any:
        return self.http.get(path, params=query or None).raise_for_status().json()

    def get_all(self, path: str, **query: Any) -> list[Row]:
        """Every row of a list."""
        page = self.get(path, limit=500, **query)
        rows = list(page["results"])
        while page["next"]:
            page = self.get(page["next"])
            rows += page["results"]
        return rows

    def post_signal(self, key: str | None = None, quantity: str = "0.001", **body: Any) -> httpx.Response:
        return self.http.post(
            "/api/v1/signals",
            headers={"Idempotency-Key": key or str(uuid4())},
            json={"symbol": "BTC/USDT", "side": "BUY", "quantity": quantity, **body},
        )

    def get_order(self, order_id: str) -> Row:
        return dict(self.get(f"/api/v1/orders/{order_id}"))

    def unfinished_orders(self) -> list[Row]:
        return self.get_all("/api/v1/orders", status=UNFINISHED)

    def position(self, symbol: str = "BTC/USDT") -> Decimal:
        rows = [row for row in self.get_all("/api/v1/positions") if row["symbol"] == symbol]
        return sum((Decimal(row["quantity"]) for row in rows), Decimal(0))

    def status(self) -> Row:
        return dict(self.get("/live/status"))

    def kill(self, reason: str = "manual") -> Row:
        answer = self.http.post("/live/kill", params={"on": "true", "reason": reason})
        return dict(answer.raise_for_status().json())

    def release(self, reason: str = "looked at") -> Row:
        answer = self.http.post("/live/kill", params={"on": "false", "reason": reason})
        return dict(answer.raise_for_status().json())

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels."""
        text = self.http.get("/metrics").raise_for_status().text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
