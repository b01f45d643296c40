"""GET /api/v1/stream: what changes, as server-sent events. The ordinary door: who may see what, and what was missed.

This view answers once and briefly, with everything since `Last-Event-ID`. Where the server can hold a connection open
(levi_site/asgi.py), it keeps the connection and the grant in the header below, and asks this view again from time to
time: rights that were taken away end the stream, and hints that Redis lost are found. Events are hints, at least once;
the state is read from the other endpoints.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from trading.domain.errors import InvalidInput
from trading.live import TOPICS
from trading.queries.hints import newest_entry, read_missed

from .endpoint import Endpoint

GRANT_HEADER = "X-Levi-Stream"
RETRY_MS = 1000
_MOST_DIGITS = 18


def event_text(topic: str, hint: dict[str, Any]) -> str:
    return f"event: {topic}\nid: {hint['entry']}\ndata: {json.dumps(hint)}\n\n"


def reset_text(newest: int) -> str:
    """Too much was missed: whoever watches reads anew what it shows."""
    return f"event: reset\nid: {newest}\ndata: {{}}\n\n"


def read_topics(text: str | None) -> list[str]:
    wanted = [word for word in (text or "").split(",") if word] or list(TOPICS)
    unknown = sorted(set(wanted) - set(TOPICS))
    if unknown:
        raise InvalidInput(
            f"There is no topic {', '.join(unknown)}.",
            remedy=f"Use some of {', '.join(TOPICS)}.",
            field="topics",
        )
    return wanted


def read_last_id(request: Request) -> int | None:
    text = request.headers.get("Last-Event-ID") or request.query_params.get("after") or ""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise InvalidInput("Last-Event-ID must be the id of an event.", remedy="Leave it out.", field="after")
    return int(text)


def tell_missed(after: int | None, topics: Iterable[str]) -> tuple[str, int]:
    """The events since that id, and the newest id there is."""
    if after is None:
        newest = newest_entry()
        return f"event: hello\nid: {newest}\ndata: {{}}\n\n", newest
    missed = read_missed(after)
    if missed.is_cut:
        return reset_text(missed.newest), missed.newest
    wanted = set(topics)
    told = [event_text(topic, hint) for of, hint in missed.hints for topic in of if topic in wanted]
    return "".join(told), missed.newest


class SentEvent(serializers.Serializer[Any]):
    event = serializers.CharField(help_text="A topic, hello or reset.", required=False)
    id = serializers.CharField(help_text="Send it back as Last-Event-ID.", required=False)
    data = serializers.CharField(help_text="JSON: entry, kind, id, at, and a few words.", required=False)
    retry = serializers.CharField(required=False)


class StreamView(Endpoint):
    needs = {"GET": "trading.view_order"}
    buckets = {"GET": "read"}
    known_parameters = ("topics", "after")

    @extend_schema(
        operation_id="stream",
        summary="What changes, as server-sent events",
        parameters=[
            OpenApiParameter(
                "topics", str, description=f"Some of {', '.join(TOPICS)}, by comma. Default: all."
            ),
            OpenApiParameter(
                "after", int, description="Like the header Last-Event-ID: resume behind this event."
            ),
            OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER, description="Resume behind it."),
        ],
        responses={
            (200, "text/event-stream"): OpenApiResponse(SentEvent, description="Events, see docs/api.md.")
        },
    )
    def get(self, request: Request) -> HttpResponse:
        topics = [
            t for t in read_topics(request.query_params.get("topics")) if request.user.has_perm(TOPICS[t])
        ]
        text, newest = tell_missed(read_last_id(request), topics)
        answer = HttpResponse(f"retry: {RETRY_MS}\n\n{text}", content_type="text/event-stream; charset=utf-8")
        answer["Cache-Control"] = "no-store"
        answer["X-Accel-Buffering"] = "no"  # a proxy must not wait for more
        answer[GRANT_HEADER] = json.dumps({"topics": topics, "newest": newest})
        return answer
