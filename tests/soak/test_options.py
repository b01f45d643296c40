"""Wrong use ends with exit code 2 and the remedy, before anything is started."""

from __future__ import annotations

import pytest

from soak import command
from soak.kinds import KINDS_OF_FAULTS
from soak.options import parse_options


def test_nothing_said_is_48_hours_in_24_minutes_with_every_fault():
    options = parse_options([])
    assert options.seconds == 24 * 60
    assert options.faults == tuple(KINDS_OF_FAULTS)
    assert parse_options(["--faults", "none"]).faults == ()
    assert parse_options(["--faults", "halt, redis"]).faults == ("halt", "redis")
    assert parse_options(["--speed", "1"]).seconds == 48 * 3600


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["--hours", "0"], "above 0"),
        (["--speed", "nan"], "above 0"),
        (["--hours", "0.01"], "give more hours or less speed"),
        (["--faults", "earthquake"], "some of: halt"),
        (["--days", "2"], "unrecognized"),
    ],
)
def test_wrong_use_is_refused_with_the_remedy(words, remedy, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_options(words)
    assert ended.value.code == 2
    assert remedy in capsys.readouterr().err


def test_a_folder_with_something_in_it_is_not_touched(tmp_path, capsys):
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(SystemExit) as ended:
        parse_options(["--home", str(tmp_path)])
    assert ended.value.code == 2 and "is not empty" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "keep"


def test_a_checkout_whose_env_file_names_an_installation_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "simulator").mkdir()
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://somebody@example.com/live\nPORT=8123\n")
    monkeypatch.setattr(command, "REPO_DIR", tmp_path)
    monkeypatch.setattr(command, "SoakStack", lambda *_arguments: pytest.fail("a stack was made"))
    assert command.run_soak([]) == 2
    said = capsys.readouterr().err
    assert "DATABASE_URL" in said and "another checkout" in said and "example.com" not in said
