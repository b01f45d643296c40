"""Adds to every operation of the schema what is true of all of them: the error answers and the request id."""

from __future__ import annotations

from typing import Any

_ERRORS = {
    "400": "The request is wrong; `context.field` names what.",
    "401": "No or no valid token.",
    "403": "The role does not carry the right.",
    "404": "The path names nothing that exists.",
    "405": "Another method is needed; see `Allow`.",
    "409": "In progress, final, or changed meanwhile.",
    "411": "No Content-Length.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The idempotency key was used with another body.",
    "429": "Too many requests; see `Retry-After`.",
    "502": "The venue gave an answer that cannot be used.",
    "503": "The database or the venue does not answer.",
}
_SCHEMA = {
    "type": "object",
    "description": "Every answer that is not 2xx.",
    "required": ["code", "message", "context"],
    "properties": {
        "code": {"type": "string", "description": "Stable and machine-readable."},
        "message": {"type": "string", "description": "What is wrong and what to do."},
        "context": {
            "type": "object",
            "required": ["request_id"],
            "properties": {"request_id": {"type": "string"}},
            "additionalProperties": True,
        },
    },
}
_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_BODY_ONLY = frozenset({"411", "413", "415"})
_METHODS = ("get", "post", "put")


def add_errors(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """drf-spectacular's hook (SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"])."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = _SCHEMA
    for path in result.get("paths", {}).values():
        for method in _METHODS:
            if method in path:
                _complete(path[method], method)
    return result


def _complete(operation: dict[str, Any], method: str) -> None:
    """A list's own sentence serves as its summary."""
    if operation.get("description"):
        operation.setdefault("summary", operation["description"].splitlines()[0].rstrip("."))
    for status, description in _ERRORS.items():
        if not (method == "get" and status in _BODY_ONLY):
            operation["responses"].setdefault(status, {"description": description, "content": _CONTENT})
