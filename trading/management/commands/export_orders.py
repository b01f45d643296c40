"""Exports orders with their fills' sums, oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from trading.domain.enums import OrderStatus
from trading.management.export_command import ExportCommand
from trading.models import Order
from trading.queries.order_export import export_orders


class Command(ExportCommand):
    help = "Export orders."
    what = "orders"
    default_format = "csv"
    time_field = "created_at"

    def add_filters(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="only this account")
        parser.add_argument("--symbol", help="only this symbol, such as BTC/USDT")
        parser.add_argument("--status", choices=[status.value for status in OrderStatus])

    def choose_rows(self, options: Mapping[str, Any]) -> Any:
        fields = {"account": "account__name", "symbol": "instrument__symbol", "status": "status"}
        wanted = {field: options[name] for name, field in fields.items() if options[name]}
        return Order.objects.filter(**wanted)

    def write_rows(self, rows: Any, format_name: str) -> Any:
        return export_orders(rows, format_name)
