"""A web process says that it lives; whatever else imports the same code says nothing."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from trading import heart
from trading.api.health import Trouble, check_workers
from trading.models import Heartbeat
from trading.process_name import process_name


def test_only_a_process_of_the_role_beats(monkeypatch):
    beats: list[int] = []
    monkeypatch.setattr(heart, "_beat_for_ever", lambda: beats.append(1))
    monkeypatch.setenv("LEVI_ROLE", "levi-orders")
    assert heart.keep_beating("web") is None
    monkeypatch.setenv("LEVI_ROLE", "levi-web")
    thread = heart.keep_beating("web")
    assert thread is not None
    thread.join(15)
    assert beats == [1]


@pytest.mark.django_db(transaction=True)
def test_its_sign_of_life_does_not_stand_in_for_the_workers(monkeypatch):
    monkeypatch.setenv("LEVI_ROLE", "levi-web")
    heart.beat_once()
    assert Heartbeat.objects.get(process=process_name()).role == "web"
    with pytest.raises(Trouble, match="no process has reported"):
        check_workers()


def test_a_database_that_is_away_ends_nothing(monkeypatch, caplog):
    def away() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(heart, "beat_heart", away)
    heart.beat_once()
    assert "no sign of life" in caplog.text
