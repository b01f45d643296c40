"""How numbers and rows look in answers: plain strings for decimals, ISO-8601 with Z for times, everything read-only.

`AskedNumber` describes, for the schema, what requests may carry: a string or a JSON number, always read exactly.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from trading.domain.money import plain

NUMBER = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["0.01"]}


@extend_schema_field(NUMBER)
class PlainNumber(serializers.Field[Any, Any, Any, Any]):
    """A decimal as text without exponent or trailing zeros."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"read_only": True, **options})

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


@extend_schema_field({"anyOf": [NUMBER, {"type": "number"}]})
class AskedNumber(serializers.Field[Any, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class RowSerializer(serializers.ModelSerializer[Any]):
    """One row of a table, read-only."""

    def build_standard_field(
        self, field_name: str, model_field: models.Field[Any, Any]
    ) -> tuple[Any, dict[str, Any]]:
        field_class, options = super().build_standard_field(field_name, model_field)
        about: dict[str, Any] = {"read_only": True, "allow_null": model_field.null}
        if model_field.help_text:
            about["help_text"] = str(model_field.help_text)
        if isinstance(model_field, models.DecimalField):
            return PlainNumber, about
        if "choices" in options:
            about["choices"] = options["choices"]
        return field_class, about


def name_field(source: str, **options: Any) -> serializers.CharField:
    """The name of a related row."""
    return serializers.CharField(source=source, read_only=True, **options)
