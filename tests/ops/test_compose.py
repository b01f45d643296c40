"""The compose files run everything as ordinary users on read-only file systems, pinned, without a default password."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from levi_site.database_roles import RIGHTS
from tests.ops.metric_names import REPO
from trading.audit.bundle import VERIFIER

MONITORING = REPO / "ops" / "docker-compose.yml"
PRODUCT = REPO / "ops" / "compose" / "docker-compose.yml"
PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9]+)?|levi:local")
KNOWN_KEYS = {
    "image", "build", "command", "user", "pid", "init", "restart", "read_only", "cap_drop", "security_opt", "ulimits",
    "logging", "tmpfs", "mem_limit", "pids_limit", "shm_size", "volumes", "secrets", "environment", "networks",
    "network_mode", "ports", "depends_on", "healthcheck", "stop_signal", "stop_grace_period",
}  # fmt: skip


def read_services() -> list[tuple[str, dict]]:
    found = []
    for file in (MONITORING, PRODUCT):
        for name, service in yaml.safe_load(file.read_text(encoding="utf-8"))["services"].items():
            found.append((name, service))
    return found


SERVICES = pytest.mark.parametrize(("name", "service"), read_services(), ids=lambda value: str(value)[:12])


@SERVICES
def test_a_service_uses_only_keys_of_the_compose_specification(name, service):
    assert set(service) <= KNOWN_KEYS, name


@SERVICES
def test_a_service_is_confined(name, service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert "privileged" not in service
    assert "mem_limit" in service


@SERVICES
def test_an_image_is_pinned_to_a_release(name, service):
    assert PINNED.fullmatch(service["image"]), service["image"]


@SERVICES
def test_what_is_published_listens_on_loopback_only(name, service):
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert not (service.get("network_mode") == "host" and service.get("ports"))


@SERVICES
def test_secrets_come_as_files_or_are_demanded(name, service):
    for key, value in service.get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|_KEY|DATABASE_URL|REDIS_URL", key):
            assert str(value).startswith(("/run/secrets/", "${")), key
            assert ":-" not in str(value), f"{key} has a default"


def test_dependencies_networks_volumes_and_secrets_exist():
    for file in (MONITORING, PRODUCT):
        compose = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, service in compose["services"].items():
            assert set(service.get("depends_on", {})) <= set(compose["services"]), name
            assert set(service.get("networks", [])) <= set(compose.get("networks", {})), name
            assert set(service.get("secrets", [])) <= set(compose.get("secrets", {})), name
            named = {v.split(":")[0] for v in service.get("volumes", []) if v[0] not in "./$"}
            assert named <= set(compose["volumes"]), name


def test_the_panel_is_healthy_only_when_it_is_ready_and_workers_may_finish():
    services = yaml.safe_load(PRODUCT.read_text(encoding="utf-8"))["services"]
    assert "/healthz/ready" in services["web"]["healthcheck"]["test"][-1]
    for name in ("orders", "background"):
        assert services[name]["stop_grace_period"] == "60s"


def test_every_queue_has_a_worker():
    from levi_site.celery_settings import QUEUES

    services = yaml.safe_load(PRODUCT.read_text(encoding="utf-8"))["services"]
    served = [
        queue
        for service in services.values()
        if "-Q" in service.get("command", [])
        for queue in service["command"][service["command"].index("-Q") + 1].split(",")
    ]
    assert sorted(served) == sorted(QUEUES)


def product_services() -> dict[str, dict]:
    return yaml.safe_load(PRODUCT.read_text(encoding="utf-8"))["services"]


def readers_of(secret: str) -> set[str]:
    return {name for name, service in product_services().items() if secret in service.get("secrets", [])}


def test_only_set_up_connects_as_the_owner_of_the_tables():
    services = product_services()
    assert readers_of("owner_database_url") == {"migrate"}
    assert readers_of("database_url") == {"web", "orders", "background", "supervisor", "streams", "beat"}
    for name in ("postgres_password", "postgres_owner_password", "postgres_app_password"):
        assert readers_of(name) == {"postgres"}
    for name, service in services.items():
        address = service.get("environment", {}).get("DATABASE_URL_FILE", "/run/secrets/none")
        assert (
            address == "/run/secrets/none" or address.removeprefix("/run/secrets/") in service["secrets"]
        ), name
    assert "seed_first_run" in services["migrate"]["command"]
    # The role that the image makes is the server's administrator: nothing of Levi signs in as that.
    assert services["postgres"]["environment"]["POSTGRES_USER"] == "postgres"
    script = "../sql/create_database.sql:/docker-entrypoint-initdb.d/10-levi.sql:ro"
    assert script in services["postgres"]["volumes"]
    assert (PRODUCT.parent / script.split(":")[0]).is_file()


def test_every_worker_waits_until_its_start_is_halted():
    services = product_services()
    workers = [name for name, service in services.items() if "worker" in service.get("command", [])]
    assert sorted(workers) == ["background", "orders"]
    for name in workers:
        assert services[name]["depends_on"]["hold"] == {"condition": "service_completed_successfully"}
    hold = services["hold"]
    assert hold["command"] == ["python", "-m", "levi_site.start_hold"]
    assert hold["restart"] == "no" and "secrets" not in hold
    shared = {"state:/var/lib/levi", *(v for v in services["orders"]["volumes"] if ":/etc/levi/" in v)}
    assert set(hold["volumes"]) == shared == set(services["orders"]["volumes"])
    assert set(hold["environment"]) == {"LEVI_CONFIG", "LEVI_MODE"}


def test_generated_secrets_are_kept_when_asked_for_again(tmp_path):
    script = tmp_path / "make-secrets.sh"
    script.write_text((PRODUCT.parent / "make-secrets.sh").read_text())

    def generate() -> dict[str, str]:
        subprocess.run(["sh", str(script)], check=True, capture_output=True)
        return {file.name: file.read_text().strip() for file in (tmp_path / "secrets").iterdir()}

    first = generate()
    assert generate() == first
    needed = yaml.safe_load(PRODUCT.read_text(encoding="utf-8"))["secrets"]
    assert set(first) == set(needed)
    assert f"//levi:{first['postgres_owner_password']}@" in first["owner_database_url"]
    assert f"//levi_app:{first['postgres_app_password']}@" in first["database_url"]
    assert len(set(first.values())) == len(first)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_image_holds_only_what_it_is_given():
    ignored = (PRODUCT.parent / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    dockerfile = (PRODUCT.parent / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.MULTILINE)
    assert set(copied) == {line[1:] for line in ignored if line.startswith("!")}
    assert all((REPO / path).exists() for path in copied)
    assert {str(RIGHTS.relative_to(REPO).parent), str(VERIFIER.relative_to(REPO).parent)} <= set(copied)
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    assert "--require-hashes" in dockerfile
