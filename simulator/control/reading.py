"""Reading control requests: JSON fields with clear refusals, and the pages of long lists."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulator.core.money import parse_plain
from simulator.http.messages import HttpRequest

LONGEST_PAGE = 200_000


class ControlRefused(ValueError):
    """The control request changes nothing; the message names what, why and the remedy."""


def read_object(request: HttpRequest) -> dict[str, Any]:
    document = read_json(request)
    if not isinstance(document, dict):
        raise ControlRefused("the body must be a JSON object")
    return document


def read_json(request: HttpRequest) -> Any:
    try:
        return request.json_body()
    except ValueError as error:
        raise ControlRefused(f"the body is not JSON: {error}") from error


def need_text(document: dict[str, Any], name: str) -> str:
    content = document.get(name)
    if not isinstance(content, str) or not content:
        raise ControlRefused(f"{name} is {content!r}; give a text")
    return content


def read_money(name: str, content: object, *, least: Decimal | None = None) -> Decimal:
    number = (
        parse_plain(str(content))
        if isinstance(content, (str, int)) and not isinstance(content, bool)
        else None
    )
    if number is None or (least is not None and number < least):
        at_least = "" if least is None else f", at least {least}"
        raise ControlRefused(f"{name} is {content!r}; give a plain decimal as a text{at_least}")
    return number


def read_page(request: HttpRequest) -> tuple[int, int]:
    """`since` (a sequence number, exclusive) and `limit`."""
    pairs = request.query_pairs()
    page = []
    for name, usual in (("since", 0), ("limit", LONGEST_PAGE)):
        content = pairs.get(name, str(usual))
        if not content.isascii() or not content.isdigit():
            raise ControlRefused(f"{name} is {content!r}; give a whole number")
        page.append(int(content))
    return page[0], page[1]
