"""Where settings come from: variables, files, .env, a running stack; secrets and the database address."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from levi_site.database_url import SESSION_OPTIONS, parse_database_url
from levi_site.env import EnvironmentVariables, SettingError, parse_env_file
from levi_site.secret_files import generate_secret, get_instance_id, get_secret, read_or_create


def environment(home: Path, **process: str) -> EnvironmentVariables:
    return EnvironmentVariables({"HOME_DIR": str(home), **process}, {"FROM_DOTENV": "yes", "BOTH": "dotenv"})


def test_the_process_goes_before_the_env_file(tmp_path: Path) -> None:
    env = environment(tmp_path, BOTH="process")
    assert env.text("BOTH") == "process"
    assert env.text("FROM_DOTENV") == "yes"
    assert env.text("NOWHERE", "default") == "default"


def test_an_env_file_may_hold_comments_quotes_and_export() -> None:
    text = "# c\nA=1\nexport B='two words'\n\nC=\"x=y\"\nnonsense\n"
    assert parse_env_file(text) == {"A": "1", "B": "two words", "C": "x=y"}


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    assert environment(tmp_path, MEXC_KEY_FILE=str(tmp_path / "key")).text("MEXC_KEY") == "from-a-file"


def test_an_unreadable_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"MEXC_KEY_FILE=.*missing.*readable file"):
        environment(tmp_path, MEXC_KEY_FILE=str(tmp_path / "missing")).text("MEXC_KEY")


def test_a_running_stack_announces_its_servers(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "services.json").write_text(json.dumps({"REDIS_URL": "redis://announced"}))
    assert environment(tmp_path).text("REDIS_URL") == "redis://announced"
    assert environment(tmp_path, REDIS_URL="redis://mine").text("REDIS_URL") == "redis://mine"


@pytest.mark.parametrize("word", ["maybe", "2"])
def test_a_flag_is_true_or_false(tmp_path: Path, word: str) -> None:
    with pytest.raises(SettingError, match="write 1 or 0"):
        environment(tmp_path, DEBUG=word).flag("DEBUG")


@pytest.mark.parametrize("text", ["0", "70000", "-1", "eight", "8.5"])
def test_a_port_is_a_number_in_range(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingError, match="from 1 to 65535"):
        environment(tmp_path, PORT=text).integer("PORT", 8000, low=1, high=65_535)


def test_paper_mode_generates_secrets_once_and_privately(tmp_path: Path) -> None:
    env = environment(tmp_path)
    first = get_secret(env, "SECRET_KEY", mode="paper")
    assert get_secret(env, "SECRET_KEY", mode="paper") == first
    assert stat.S_IMODE((tmp_path / "secrets" / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", ["testnet", "production"])
def test_other_modes_must_be_given_their_secrets(tmp_path: Path, mode: str) -> None:
    with pytest.raises(SettingError, match="SECRET_KEY is not set"):
        get_secret(environment(tmp_path), "SECRET_KEY", mode=mode)
    assert not (tmp_path / "secrets").exists()


def test_a_short_secret_is_refused_where_money_moves(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="5 characters"):
        get_secret(environment(tmp_path, SECRET_KEY="short"), "SECRET_KEY", mode="production")


def test_racing_processes_agree_on_one_secret(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "x"

    def generate_while_another_wins() -> str:
        read_or_create(file, lambda: "the winner")
        return generate_secret()

    assert read_or_create(file, generate_while_another_wins) == "the winner"
    assert os.listdir(file.parent) == ["x"]


def test_the_instance_id_is_made_once(tmp_path: Path) -> None:
    first = get_instance_id(tmp_path)
    assert len(first) == 4 and get_instance_id(tmp_path) == first


def test_a_damaged_instance_id_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "instance-id").write_text("way too long")
    with pytest.raises(SettingError, match="restore it"):
        get_instance_id(tmp_path)


def test_a_database_url_is_taken_apart() -> None:
    found = parse_database_url(
        "postgresql://u:p%40ss@db:6432/levi?sslmode=require", application_name="levi-web"
    )
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        *("u", "p@ss", "db", "6432", "levi"),
    )
    assert found["OPTIONS"]["sslmode"] == "require"
    assert found["ATOMIC_REQUESTS"] is False and found["CONN_MAX_AGE"] is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "not set"),
        ("sqlite:///db.sqlite3", "only PostgreSQL"),
        ("mysql://h/d", "only PostgreSQL"),
        ("postgresql://h", "names no database"),
        ("postgresql://h:port/d", "no usable port"),
    ],
)
def test_a_database_that_will_not_do_is_refused_with_a_remedy(url: str, words: str) -> None:
    with pytest.raises(SettingError, match=words) as refused:
        parse_database_url(url, application_name="x")
    assert "postgresql://user:password@host" in str(refused.value)


@pytest.mark.django_db
def test_every_wait_in_a_session_is_bounded() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for name, value in {
            "default_transaction_isolation": "read committed",
            "statement_timeout": "5s",
            "lock_timeout": "2s",
        }.items():
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone()[0] == value
    # Longer in the tests' own process only (tests/conftest.py).
    assert SESSION_OPTIONS["idle_in_transaction_session_timeout"] == "5s"
