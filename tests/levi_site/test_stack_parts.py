"""The parts of the stack, each alone: ports, the lock, log files, the process table, what a wrong start says."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from levi_site.env import EnvironmentVariables, SettingError
from levi_site.stack.command import check_environment, run_up
from levi_site.stack.embedded_postgres import EmbeddedPostgres
from levi_site.stack.installation import Installation, build_installation
from levi_site.stack.instance_lock import AlreadyRunning, hold_instance, lock_file
from levi_site.stack.nursery_link import can_nurse
from levi_site.stack.options import PROCESS_NAMES, parse_options
from levi_site.stack.output import MAX_BYTES, LogFile
from levi_site.stack.ports import choose_ports, find_free_port, hold_port, is_port_free
from levi_site.stack.postgres_binaries import copy_package, find_wheel_root
from levi_site.stack.processes import BUILDERS, build_specs


def environment(home: Path, **process: str) -> EnvironmentVariables:
    return EnvironmentVariables({"HOME_DIR": str(home), **process}, {})


def install(home: Path, *words: str, **process: str) -> Installation:
    env = environment(home, **process)
    return build_installation(env, parse_options(words, env), "paper")


def test_a_port_is_remembered(tmp_path: Path) -> None:
    first = choose_ports(tmp_path / "ports.json", ("postgres", "redis"))
    assert first["postgres"] != first["redis"]
    assert choose_ports(tmp_path / "ports.json", ("postgres", "redis")) == first


def test_a_remembered_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        (tmp_path / "ports.json").write_text(json.dumps({"redis": taken}))
        assert choose_ports(tmp_path / "ports.json", ("redis",))["redis"] != taken
        assert not is_port_free(taken)


@pytest.mark.skipif(sys.platform != "linux", reason="the claim is a name in Linux's abstract namespace")
def test_a_panel_port_belongs_to_one_stack() -> None:
    port = find_free_port()
    first = hold_port(port)
    assert first and hold_port(port) is None
    first.close()
    again = hold_port(port)
    assert again
    again.close()


def test_a_home_is_held_once_and_given_back(tmp_path: Path) -> None:
    with hold_instance(tmp_path, "up"):
        with (
            pytest.raises(AlreadyRunning, match=rf"pid {os.getpid()}.*PORT=8123"),
            hold_instance(tmp_path, "up"),
        ):
            pass
        with hold_instance(tmp_path, "up-web"):
            pass
    assert not lock_file(tmp_path, "up").exists()
    with hold_instance(tmp_path, "up"):
        pass


def test_a_log_file_is_private_and_rotates(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "web.log")
    for _line in range(2):
        file.write(b"x" * (MAX_BYTES // 2 + 10))
    file.write(b"newest")
    file.close()
    assert (tmp_path / "web.log").read_bytes() == b"newest\n"
    assert (tmp_path / "web.log.1").stat().st_size > MAX_BYTES
    assert stat.S_IMODE((tmp_path / "web.log").stat().st_mode) == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_costs_lines_of_a_log_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.symlink_to("/dev/full")
    file = LogFile(path)
    for _line in range(3):
        file.write(b"lost")
    file.close()
    path.unlink()
    file.write(b"kept")
    file.close()
    assert path.read_bytes() == b"(3 lines could not be written)\nkept\n"


def test_the_table_and_the_command_line_know_the_same_processes() -> None:
    assert tuple(BUILDERS) == PROCESS_NAMES


@pytest.mark.skipif(not can_nurse(), reason="needs pidfds: Linux")
def test_the_whole_stack_brings_its_own_servers_and_venue(open_home: Path) -> None:
    home = install(open_home)
    assert [spec.name for spec in build_specs(home)] == ["nursery", *PROCESS_NAMES]
    assert home.addresses["SIMULATOR_URL"].startswith("http://127.0.0.1:")
    assert home.addresses["LEVI_EMBEDDED_SERVERS"] == "postgres,redis"


def test_servers_of_the_operator_replace_the_embedded_ones(open_home: Path) -> None:
    home = install(open_home, DATABASE_URL="postgresql://u@db/levi", REDIS_URL="redis://r/0")
    assert "postgres" not in [spec.name for spec in build_specs(home)]
    assert home.addresses["DATABASE_URL"] == "postgresql://u@db/levi"


@pytest.mark.skipif(not can_nurse(), reason="needs pidfds: Linux")
def test_roles_can_be_split_over_hosts(open_home: Path) -> None:
    addresses = {"DATABASE_URL": "postgresql://u@db/levi", "REDIS_URL": "redis://r/0"}
    home = install(open_home, "--only", "orders,web", "--orders-workers", "8", **addresses)
    specs = {spec.name: spec for spec in build_specs(home)}
    assert sorted(specs) == ["nursery", "orders", "web"]
    assert specs["orders"].argv[specs["orders"].argv.index("-c") + 1] == "8"
    assert not home.options.is_whole


@pytest.mark.parametrize("words", [("--only", "orders"), ("--no-nursery",)])
def test_there_is_no_nursery_where_it_is_of_no_use_or_not_wanted(open_home: Path, words) -> None:
    addresses = {"DATABASE_URL": "postgresql://u@db/levi", "REDIS_URL": "redis://r/0"}
    specs = build_specs(install(open_home, *words, **addresses))
    assert [spec for spec in specs if spec.name == "nursery" or spec.nursery] == []


def test_no_secret_stands_on_a_command_line(open_home: Path) -> None:
    home = install(open_home)
    secrets = [file.read_text() for file in (open_home / "secrets").iterdir()]
    lines = [" ".join(spec.argv) for spec in build_specs(home)]
    assert secrets and not [line for line in lines for secret in secrets if secret in line]


@pytest.mark.parametrize(
    ("words", "process", "message"),
    [
        (["--only", "web"], {}, "DATABASE_URL is not set and postgres is left out"),
        ([], {"LEVI_MODE": "testnet"}, "SECRET_KEY is not set"),
        ([], {"LEVI_MODE": "live"}, "LEVI_MODE=live"),
        ([], {"PORT": "eighty"}, "PORT='eighty'"),
        ([], {"LEVI_CONFIG": "/nowhere.yaml"}, "LEVI_CONFIG=/nowhere.yaml"),
    ],
)
def test_a_wrong_start_says_what_and_why(tmp_path: Path, words, process, message) -> None:
    env = environment(tmp_path, **process)
    with pytest.raises(SettingError, match=message):
        check_environment(env, parse_options(words, env))


def test_production_does_not_run_on_embedded_servers(tmp_path: Path) -> None:
    secrets = dict.fromkeys(("SECRET_KEY", "LEVI_ENCRYPTION_KEY", "LEVI_AUDIT_KEY"), "k" * 40)
    env = environment(tmp_path, LEVI_MODE="production", **secrets)
    with pytest.raises(SettingError, match="production needs servers that are backed up"):
        check_environment(env, parse_options([], env))


def test_an_unknown_process_is_wrong_use() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "up", "--only", "wbe"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unknown process wbe" in done.stderr


def test_a_port_in_use_is_wrong_use(tmp_path: Path, monkeypatch, capsys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("HOME_DIR", str(tmp_path))
        monkeypatch.setenv("PORT", str(other.getsockname()[1]))
        assert run_up([]) == 2
    assert "is in use" in capsys.readouterr().err
    assert list((tmp_path / "run").iterdir()) == []


def test_a_copy_of_the_database_server_is_complete(open_home: Path) -> None:
    """Where the server's user cannot reach the environment (as root, below /root) it runs from a copy."""
    root = find_wheel_root()
    if root is None:
        pytest.skip("the wheel is not installed; a system's PostgreSQL is reachable for everybody")
    folder = copy_package(root, open_home)
    server = EmbeddedPostgres(open_home, find_free_port(), "secret-of-this-test")
    server.bin = folder
    server.prepare()
    assert (server.data_dir / "PG_VERSION").read_text().strip() == "18"
