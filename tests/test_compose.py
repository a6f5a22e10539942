"""The containers agree with the code: services, settings, secrets, and pinned packages."""

import dataclasses
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import REQUIRED, Settings
from consumers.__main__ import CONSUMERS

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
SETTINGS = {field.name.upper() for field in dataclasses.fields(Settings)}
SECRETS = {"MASTER_KEY", "OPERATOR_KEY", "PGPASSWORD", "POSTGRES_PASSWORD"}
LIBPQ = {"PGPASSWORD"}
AWS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
SENDERS = {"transactional-sender", "campaign-sender"}


def test_what_there_is() -> None:
    assert SERVICES["postgres"]["image"].startswith("postgres:18")
    assert SERVICES["kafka"]["image"].startswith("apache/kafka:4.1.")
    assert set(SERVICES) == {"postgres", "kafka", "migrate", "api", *CONSUMERS}


@pytest.mark.parametrize("name", OURS)
def test_our_commands_run_modules_that_exist(name: str) -> None:
    python, flag, module, *arguments = SERVICES[name]["command"]
    assert (python, flag) == ("python", "-m")
    assert importlib.util.find_spec(module) is not None
    assert arguments == {"consumers": [name], "api.cli": ["migrate"], "api": []}[module]


@pytest.mark.parametrize("name", OURS)
def test_our_environment_is_of_real_settings_and_has_the_required_ones(name: str) -> None:
    names = set(SERVICES[name]["environment"])
    assert names <= SETTINGS | LIBPQ | (AWS if name in SENDERS else set())
    assert names >= {*REQUIRED, "KAFKA_BOOTSTRAP_SERVERS"}


def test_no_secret_has_a_value_or_a_default() -> None:
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items():
            if variable in SECRETS or re.search(r"KEY|SECRET|TOKEN|PASSWORD", variable):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", str(value)), (name, variable)
    assert "@" not in SERVICES["api"]["environment"]["DATABASE_URL"].partition("datamailer@")[2]
    assert not re.search(r"://[^/@\s]+:[^/@\s]+@", (ROOT / "docker-compose.yml").read_text())


def test_every_service_is_checked_or_starts_after_what_it_needs() -> None:
    for name, service in SERVICES.items():
        checked = "test" in service.get("healthcheck", {})
        needs = service.get("depends_on", {})
        assert checked or needs, name
        for other, how in needs.items():
            if how["condition"] == "service_healthy":
                assert "test" in SERVICES[other]["healthcheck"], (name, other)
            else:
                assert (how["condition"], SERVICES[other]["restart"]) == ("service_completed_successfully", "no")


def test_one_network_and_only_the_api_is_reached_from_outside_by_this_machine() -> None:
    assert len(COMPOSE["networks"]) == 1
    assert all(service["networks"] == list(COMPOSE["networks"]) for service in SERVICES.values())
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["api"]["ports"])


def test_every_volume_is_named_and_where_its_image_keeps_data() -> None:
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    kept = SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"]
    assert SERVICES["kafka"]["volumes"] == [f"kafka:{kept}"]
    assert set(COMPOSE["volumes"]) == {"postgres", "kafka"}


def test_the_image_installs_by_hash_runs_unprivileged_and_holds_no_local_stack() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert re.search(r"^USER datamailer$", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"python:3.11-slim"}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert "config/local" in ignored


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_have_a_hash_for_everything_and_name_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = re.findall(r"^([a-z0-9._-]+)==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[^\s#]", text, re.MULTILINE)) > 0
    assert not re.search(r"^--|https?://", text, re.MULTILINE)


def test_the_runtime_lock_agrees_with_the_one_that_tests_use() -> None:
    pins = [
        set(re.findall(r"^[a-z0-9._-]+==\S+", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] <= pins[1]
