"""Request bodies with a fixed shape: unknown keys are refused, since a misspelt word must not be a default."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from trading.domain.errors import InvalidInput


class StrictSerializer(serializers.Serializer[Any]):
    """Also the shape of an empty body."""

    def to_internal_value(self, data: Any) -> Any:
        refuse_unknown_keys(data, tuple(self.fields))
        return super().to_internal_value(data)


def refuse_unknown_keys(data: Any, known: tuple[str, ...]) -> None:
    unknown = sorted(str(key) for key in data if key not in known)
    if unknown:
        remedy = f"Known fields: {', '.join(known)}." if known else "Send no body."
        raise InvalidInput(f"Unknown field {unknown[0][:60]!r}.", remedy=remedy, field=unknown[0][:60])


def body_of(request: Request) -> dict[str, Any]:
    """The parsed object; empty where no body came (the parsers let nothing else pass)."""
    return dict(request.data)


def check_body(shape: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """The validated body. Raises a validation error that names every wrong field."""
    serializer = shape(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
