"""Pages by cursor: nothing twice, nothing missing, forward and backward, also while rows are added."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from trading.api.halts import HaltHistoryView
from trading.models import HaltChange
from trading.queries import key_walk

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
    assert viewer.get(HISTORY).json() == {"results": [], "next": None, "previous": None, "looked_until": None}
    add(2)
    body = viewer.get(HISTORY).json()
    assert body["previous"] is None and body["next"] is None


def test_links_keep_the_filters(viewer):
    add(6)
    link = viewer.get(HISTORY, limit=2, trigger="t", after="halted").json()["next"]
    assert "trigger=t" in link and "after=halted" in link and "limit=2" in link


@pytest.fixture
def slow_table(monkeypatch):
    """Every look at a row takes longer than a filtered list may take for all of them."""
    slow = HaltHistoryView.queryset.extra(where=["(SELECT pg_sleep(0.02 + 0 * epoch)) IS NOT NULL"])
    monkeypatch.setattr(HaltHistoryView, "queryset", slow)
    monkeypatch.setattr(key_walk, "PATIENCE_MS", 5)
    monkeypatch.setattr(key_walk, "WINDOW", 3)


def test_filters_that_match_hardly_anything_are_answered_in_parts_that_lead_on(viewer, slow_table):
    now = timezone.now()
    rows = [
        HaltChange.objects.create(
            scope="everything",
            before="active",
            after="halted",
            trigger="rare" if n in (5, 9) else "t",
            actor="a",
            epoch=n,
            at=now - timedelta(minutes=n),
        )
        for n in range(10)
    ]
    wanted = [str(rows[n].pk) for n in (5, 9)]
    body, found, parts, empty = viewer.get(HISTORY, trigger="rare").json(), [], 0, 0
    while True:
        found, parts = found + [row["id"] for row in body["results"]], parts + 1
        empty += not body["results"]
        assert (body["looked_until"] is None) == (body["next"] is None), (
            "who stops here knows what was not looked at"
        )
        if body["next"] is None:
            break
        body = viewer.get(body["next"]).json()
    assert found == wanted and parts == 4 and empty == 2
    back = []
    while body["previous"] is not None:
        body = viewer.get(body["previous"]).json()
        back = [row["id"] for row in body["results"]] + back
    assert back == wanted[:1]


def test_a_moment_for_a_filter_is_taken_from_nothing_else(viewer, db):
    add(2)

    def patience_of_the_connection() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    before = patience_of_the_connection()
    assert len(viewer.get(HISTORY, trigger="t").json()["results"]) == 2
    assert patience_of_the_connection() == before


@pytest.mark.parametrize("list_of", ["orders", "fills", "decisions", "signals"])
def test_a_strategy_that_nobody_has_is_not_looked_for_among_the_rows(viewer, list_of):
    with CaptureQueriesContext(connection) as asked:
        answer = viewer.get(f"/api/v1/{list_of}", strategy="nobody")
    assert answer.json()["results"] == []
    table = {"orders": "order", "fills": "fill", "decisions": "decision", "signals": "signal"}[list_of]
    assert not [q["sql"] for q in asked if f'FROM "trading_{table}"' in q["sql"]]


@pytest.mark.parametrize("cursor", ["", "x", "e30", "WzBd", "WzAsIm5vdCBhIGRhdGUiLCJ4Il0", "A" * 501, "[]"])
def test_a_forged_cursor_is_400(viewer, cursor):
    answer = viewer.get(HISTORY, cursor=cursor)
    assert answer.status_code == (200 if cursor == "" else 400)
