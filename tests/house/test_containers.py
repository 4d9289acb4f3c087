"""docker-compose.yml and the Dockerfile: valid, pinned, checked for health, not root, without secrets."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from streams.cli import COMMANDS
from streams.worker import GONE_WITHIN_S
from tests.house.tree import PROJECT, ROOT

COMPOSE = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_the_compose_file_is_one_by_the_compose_specification():
    judged = subprocess.run(
        [
            Path(sys.executable).with_name("check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            ROOT / "docker-compose.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_every_image_is_pinned():
    assert SERVICES["worker"]["image"] == f"agent-oversight:{PROJECT['project']['version']}"
    images = [service["image"] for service in SERVICES.values()] + re.findall(
        r"^FROM (\S+)", DOCKERFILE, re.MULTILINE
    )
    assert all(re.search(r":\d", image) for image in images)


def test_what_goes_on_running_is_restarted_and_checked_for_health():
    for name in ("kafka", "worker"):
        assert SERVICES[name]["restart"] == "unless-stopped"
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES["topics"]["restart"] == "no"


def test_a_worker_that_is_told_to_stop_has_the_time_to_end_itself():
    assert float(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > GONE_WITHIN_S


def test_each_waits_for_what_it_needs():
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert SERVICES["worker"]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}


def test_only_loopback_is_open_to_the_outside():
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_secrets_come_from_the_environment_alone():
    environment = SERVICES["worker"]["environment"]
    secret = {name: text for name, text in environment.items() if re.search("TOKEN|KEY|SECRET|URL", name)}
    assert secret
    assert set(secret.values()) == {None}, (
        "a name without a value is passed on, and is not set where it is unset"
    )


def test_the_data_of_the_broker_outlives_its_container():
    [volume] = SERVICES["kafka"]["volumes"]
    name, _, path = volume.partition(":")
    assert name in COMPOSE["volumes"]
    assert SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"] == path


@pytest.mark.parametrize("service", ["topics", "worker"])
def test_the_workers_commands_exist(service):
    assert SERVICES[service]["command"][0] in COMMANDS


def test_the_image_runs_as_nobody_in_particular_and_installs_from_the_lock():
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["oversight"]
    assert DOCKERFILE.rindex("USER oversight") < DOCKERFILE.rindex("ENTRYPOINT")
    assert "HEALTHCHECK" in DOCKERFILE
    for line in re.findall(r"pip install ([^\n\\]+)", DOCKERFILE):
        assert "--require-hashes" in line or line.startswith("--no-deps wheels/")


def test_the_image_is_built_from_what_the_build_needs_and_from_nothing_else():
    allowed = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    copied = " ".join(re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)).split()
    assert sorted(copied) == sorted(allowed)
    assert all((ROOT / name).exists() for name in copied)
