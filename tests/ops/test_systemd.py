"""The systemd units are valid, confined, and serve every queue."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ops.metric_names import REPO

FOLDER = REPO / "ops" / "systemd"
SECRETS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LEVI_ENCRYPTION_KEY", "LEVI_AUDIT_KEY")
SERVICES = sorted(FOLDER.glob("*.service"))
CONFINED = (
    "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "CapabilityBoundingSet=",
    "LimitCORE=0", "User=levi",
)  # fmt: skip


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_confined_and_gets_its_secrets_as_files(unit):
    lines = unit.read_text().splitlines()
    assert set(CONFINED) <= set(lines)
    families = "AF_UNIX" if unit.name == "levi-hold.service" else "AF_INET AF_INET6 AF_UNIX"
    assert f"RestrictAddressFamilies={families}" in lines
    for name in SECRETS:
        given = any(line.startswith(f"Environment={name}_FILE=%d/") for line in lines)
        assert given is not (unit.name == "levi-hold.service"), name  # that one needs none, and gets none
        assert not any(line.startswith(f"Environment={name}=") for line in lines)


def test_only_set_up_connects_as_the_owner_of_the_tables():
    for unit in SERVICES:
        loaded = dict(
            re.findall(r"^LoadCredential=(\w+):/etc/levi/secrets/(\w+)$", unit.read_text(), re.MULTILINE)
        )
        expected = {"levi-setup.service": "owner_database_url", "levi-hold.service": None}
        assert loaded.get("database_url") == expected.get(unit.name, "database_url"), unit.name
    setup = (FOLDER / "levi-setup.service").read_text()
    assert "manage.py seed_first_run --migrate" in setup and "\nType=oneshot\n" in setup
    assert "levi-setup" not in (FOLDER / "levi.target").read_text()  # by hand, once for each version
    assert "owner" not in re.sub(r"#.*", "", (FOLDER / "levi-manage").read_text())


def test_every_worker_waits_until_its_start_is_halted():
    workers = [
        unit
        for unit in SERVICES
        if re.search(r"^ExecStart=.*celery.* worker ", unit.read_text(), re.MULTILINE)
    ]
    assert [unit.name for unit in workers] == ["levi-worker@.service"]
    lines = workers[0].read_text().splitlines()
    assert {"Requires=levi-hold.service", "After=levi-hold.service"} <= set(lines)
    hold = (FOLDER / "levi-hold.service").read_text().splitlines()
    assert "ExecStart=/opt/levi/venv/bin/python -m levi_site.start_hold" in hold
    # Halted at each start of the target, and of the first worker of all; not by one that comes back beside others.
    assert {"Type=oneshot", "RemainAfterExit=yes", "PartOf=levi.target", "StopWhenUnneeded=yes"} <= set(hold)


def test_a_command_gets_the_secrets_as_files_that_are_gone_afterwards(tmp_path):
    """By root, as a user of its own; here both are root. `python` is a stand-in that tells what it was given."""
    etc, python = tmp_path / "etc", tmp_path / "python"
    (etc / "secrets").mkdir(parents=True)
    for name in ("database_url", "encryption_key", "owner_database_url"):
        (etc / "secrets" / name).write_text(f"the {name}")
    (etc / "levi.env").write_text("# settings\nLEVI_MODE=testnet\n")
    python.write_text(
        "#!/bin/sh\n"
        'for file in "$DATABASE_URL_FILE" "$LEVI_ENCRYPTION_KEY_FILE"; do stat -c %a "$file"; cat "$file"; echo; done\n'
        'echo "$LEVI_MODE $HOME_DIR ${REDIS_URL_FILE:-none} $*"; dirname "$DATABASE_URL_FILE"; exit 7\n'
    )
    python.chmod(0o755)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LEVI_ETC": str(etc), "LEVI_PYTHON": str(python)}
    done = subprocess.run(
        ["sh", str(FOLDER / "levi-manage"), "halt", "--reason", "a reason"],
        env=environment | {"LEVI_USER": "root", "LEVI_CODE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if os.geteuid() != 0:
        assert done.returncode == 2 and "sudo" in done.stderr
        return
    assert done.returncode == 7, done.stderr
    *given, folder = done.stdout.splitlines()
    assert given == [
        *("400", "the database_url", "400", "the encryption_key"),
        "testnet /var/lib/levi none manage.py halt --reason a reason",
    ]
    assert folder.startswith("/run/levi-manage.") and not Path(folder).exists()


def test_the_target_starts_a_worker_for_every_queue():
    from levi_site.celery_settings import QUEUES

    target = (FOLDER / "levi.target").read_text()
    assert sorted(re.findall(r"levi-worker@(\w+)\.service", target)) == sorted(QUEUES)


def test_systemd_accepts_the_units():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed; the text checks ran instead")
    units = [
        str(FOLDER / name)
        for name in ("levi.target", *(unit.name.replace("@", "@orders") for unit in SERVICES))
    ]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    # The programs are installed on the operator's host, not here.
    complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert [line for line in complaints if "levi" in line] == []
