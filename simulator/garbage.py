"""Broken answers: what a malformed body looks like, for each variant.

Every variant starts from the honest answer, because the dangerous garbage is the one that nearly looks right.
"""

from __future__ import annotations

import json

from simulator.http.messages import HttpAnswer

HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
HUGE_BYTES = 3 << 20


def garble(variant: str, honest: HttpAnswer) -> tuple[HttpAnswer, int | None]:
    """The broken answer and, for a body that stops in the middle, after how many bytes the connection closes."""
    if variant == "partial":
        return honest, len(honest.body) // 2
    bodies = {
        "html": (HTML, "text/html"),
        "truncated": (honest.body[: max(1, len(honest.body) // 2)], honest.content_type),
        "wrong_types": (_with_wrong_types(honest.body), honest.content_type),
        "nan": (_with_nan(honest.body), honest.content_type),
        "huge": (b'{"padding":"' + b"x" * HUGE_BYTES + b'"}', honest.content_type),
    }
    body, content_type = bodies[variant]
    return HttpAnswer(200, body, content_type), None


def _with_wrong_types(body: bytes) -> bytes:
    return json.dumps(_map_leaves(_read(body), lambda leaf: {"unexpected": [leaf]})).encode()


def _with_nan(body: bytes) -> bytes:
    return json.dumps(_map_leaves(_read(body), lambda leaf: float("nan"))).encode()  # NaN is the point here


def _read(body: bytes) -> object:
    """The honest answer; one that is a plain text counts as a single leaf."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _map_leaves(document: object, change: object) -> object:
    if isinstance(document, dict):
        return {name: _map_leaves(held, change) for name, held in document.items()}
    if isinstance(document, list):
        return [_map_leaves(held, change) for held in document]
    return change(document)  # type: ignore[operator]
