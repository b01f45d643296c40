"""Pages by cursor: nothing twice, nothing missing, forward and backward, also while rows are added."""

from __future__ import annotations

import pytest
from django.utils import timezone

from trading.models import HaltChange

HISTORY = "/api/v1/halts/history"


def add(count: int, at=None) -> list[str]:
    """Changes, half of them at the same instant, so that ties are met."""
    instant = at or timezone.now()
    rows = [
        HaltChange.objects.create(
            scope="everything",
            before="active",
            after="halted",
            reason=str(n),
            trigger="t",
            actor="a",
            epoch=n,
            at=instant if n % 2 else timezone.now(),
        )
        for n in range(count)
    ]
    return [str(row.pk) for row in rows]


def walk(caller, url: str, link: str, limit: int = 3) -> list[list[str]]:
    pages, answer = [], caller.get(url, limit=limit) if "?" not in url else caller.get(url)
    while True:
        body = answer.json()
        pages.append([row["id"] for row in body["results"]])
        if body[link] is None:
            return pages
        answer = caller.get(body[link])


def test_all_pages_together_are_the_list(viewer):
    made = add(10)
    pages = walk(viewer, HISTORY, "next")
    flat = [pk for page in pages for pk in page]
    assert sorted(flat) == sorted(made) and len(set(flat)) == 10
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    whole = [row["id"] for row in viewer.get(HISTORY, limit=500).json()["results"]]
    assert flat == whole


def test_previous_leads_back_over_the_same_pages(viewer):
    add(10)
    forward = walk(viewer, HISTORY, "next")
    body = viewer.get(HISTORY, limit=3).json()
    while body["next"]:
        last = body["next"]
        body = viewer.get(last).json()
    back = walk(viewer, last, "previous")
    assert back[0] == forward[-1]
    assert [pk for page in reversed(back) for pk in page] == [pk for page in forward for pk in page]


def test_rows_added_meanwhile_do_not_shift_the_pages(viewer):
    add(6)
    first = viewer.get(HISTORY, limit=3).json()
    second_then = viewer.get(first["next"]).json()["results"]
    add(4)
    assert viewer.get(first["next"]).json()["results"] == second_then


def test_the_first_page_has_no_previous_and_an_empty_list_no_links(viewer):
    assert viewer.get(HISTORY).json() == {"results": [], "next": None, "previous": None}
    add(2)
    body = viewer.get(HISTORY).json()
    assert body["previous"] is None and body["next"] is None


def test_links_keep_the_filters(viewer):
    add(6)
    link = viewer.get(HISTORY, limit=2, trigger="t", after="halted").json()["next"]
    assert "trigger=t" in link and "after=halted" in link and "limit=2" in link


@pytest.mark.parametrize("cursor", ["", "x", "e30", "WzBd", "WzAsIm5vdCBhIGRhdGUiLCJ4Il0", "A" * 501, "[]"])
def test_a_forged_cursor_is_400(viewer, cursor):
    answer = viewer.get(HISTORY, cursor=cursor)
    assert answer.status_code == (200 if cursor == "" else 400)
