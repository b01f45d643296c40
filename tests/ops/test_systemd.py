"""The systemd units are valid, confined, and serve every queue."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.ops.metric_names import REPO

FOLDER = REPO / "ops" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
CONFINED = (
    "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "CapabilityBoundingSet=",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "LimitCORE=0", "User=levi",
)  # fmt: skip


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_confined_and_gets_its_secrets_as_files(unit):
    lines = unit.read_text().splitlines()
    assert set(CONFINED) <= set(lines)
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LEVI_ENCRYPTION_KEY", "LEVI_AUDIT_KEY"):
        assert any(line.startswith(f"Environment={name}_FILE=%d/") for line in lines), name
        assert not any(line.startswith(f"Environment={name}=") for line in lines)


def test_the_target_starts_a_worker_for_every_queue():
    from levi_site.celery_settings import QUEUES

    target = (FOLDER / "levi.target").read_text()
    assert sorted(re.findall(r"levi-worker@(\w+)\.service", target)) == sorted(QUEUES)


def test_systemd_accepts_the_units():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed; the text checks ran instead")
    units = [
        str(FOLDER / name)
        for name in ("levi-web.service", "levi-beat.service", "levi-supervisor.service", "levi.target")
    ]
    units.append(str(FOLDER / "levi-worker@orders.service"))
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
