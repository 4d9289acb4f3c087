"""The Kubernetes manifests: by Kubernetes' own schemas, and by what the worker reads, answers and needs."""

import copy
from pathlib import PurePosixPath

import pytest
from kubernetes_validate import ValidationError, validate
from kubernetes_validate.utils import all_versions
from ruamel.yaml import YAML

from streams.cli import COMMANDS
from streams.hosting.environment import read as read_environment
from streams.watching.listening import read as read_listening
from streams.worker import GONE_WITHIN_S
from tests.house.tree import PROJECT, ROOT

FOLDER = ROOT / "docs" / "kubernetes"
VERSIONS = all_versions()[-3:]
"""Those that Kubernetes supports: the newest three."""
OPERATORS = {"PodMonitor"}
"""What operators bring: its kind is in no schema of Kubernetes itself."""


def manifests(path):
    """As kubectl reads them: YAML 1.1, where 0440 is octal."""
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    return [each for each in yaml.load_all(path) if each]


WORKER, BUDGET, MONITOR = manifests(FOLDER / "worker.yaml")
POD = WORKER["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
TOLD = {each["name"]: each.get("value", "") for each in CONTAINER["env"]}
OURS = [each for path in sorted(FOLDER.iterdir()) for each in manifests(path)]


class Asked(dict):
    """Variables that remember which of them were asked for."""

    def __init__(self, told):
        super().__init__(told)
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name):
        self.names.add(name)
        return super().__getitem__(name)


def without_files():
    """What the manifests tell the worker, with the secrets in place of the files that are not here."""
    files = {name: "" for name in TOLD if name.endswith(("_FILE", "CAFILE"))}
    secrets = {"OVERSIGHT_KAFKA_SASL_PASSWORD": "x", "OVERSIGHT_METRICS_TOKEN": "x" * 16}
    return Asked({**TOLD, **files, **secrets})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "manifest", [each for each in OURS if each["kind"] not in OPERATORS], ids=lambda each: each["kind"]
)
def test_a_manifest_is_one_by_the_schemas_of_kubernetes(manifest, version):
    assert version.startswith(validate(manifest, version, strict=True))


def test_a_field_that_kubernetes_does_not_know_is_found():
    wrong = copy.deepcopy(WORKER)
    wrong["spec"]["template"]["spec"]["terminationGraceSeconds"] = 40
    with pytest.raises(ValidationError, match="terminationGraceSeconds"):
        validate(wrong, VERSIONS[-1], strict=True)


def test_each_manifest_chooses_the_pods_of_the_worker():
    labels = WORKER["spec"]["template"]["metadata"]["labels"]
    for each in (WORKER, BUDGET, MONITOR):
        assert each["spec"]["selector"]["matchLabels"] == labels
    for each in POD["topologySpreadConstraints"]:
        assert each["labelSelector"]["matchLabels"] == labels


def test_probes_ask_what_the_worker_answers_at_the_place_where_it_listens():
    ports = {each["name"]: each["containerPort"] for each in CONTAINER["ports"]}
    assert read_listening(without_files()).port == ports["metrics"]
    asked = {kind: CONTAINER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {each["port"] for each in asked.values()} == {"metrics"}
    assert [each["path"] for each in asked.values()] == ["/healthz", "/healthz", "/readyz"]
    endpoint = MONITOR["spec"]["podMetricsEndpoints"][0]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")


def test_the_worker_reads_every_variable_that_the_manifests_set_and_reaches_kafka_by_them():
    variables = without_files()
    environment = read_environment(variables)
    assert environment.security["security_protocol"] == "SASL_SSL"
    ours = {name for name in TOLD if name.startswith("OVERSIGHT_")}
    assert ours - variables.names == set()


def test_no_manifest_holds_a_secret():
    assert not {"OVERSIGHT_KAFKA_SASL_PASSWORD", "OVERSIGHT_METRICS_TOKEN"} & TOLD.keys()
    assert [each["kind"] for each in OURS if each["kind"] == "Secret"] == []


def test_files_lie_in_volumes_that_there_are():
    mounted = {each["name"]: PurePosixPath(each["mountPath"]) for each in CONTAINER["volumeMounts"]}
    assert mounted.keys() == {each["name"] for each in POD["volumes"]}
    for path in (PurePosixPath(value) for value in TOLD.values() if value.startswith("/")):
        assert any(path.is_relative_to(each) for each in mounted.values()), path


def test_the_manifests_say_whatever_is_to_be_there_before_them():
    said = " ".join(
        line for line in (FOLDER / "worker.yaml").read_text().splitlines() if line.startswith("# ")
    )
    volumes = [each.get("secret") or each.get("configMap") or {} for each in POD["volumes"]]
    sources = [each["valueFrom"]["secretKeyRef"] for each in CONTAINER["env"] if "valueFrom" in each]
    endpoint = MONITOR["spec"]["podMetricsEndpoints"][0]["authorization"]["credentials"]
    names = {each.get("secretName") or each.get("name") for each in volumes} - {None}
    names |= {each["name"] for each in (*sources, endpoint)}
    keys = {each["key"] for each in (*sources, endpoint)}
    keys |= {PurePosixPath(value).name for value in TOLD.values() if value.startswith("/run/secrets/")}
    assert [each for each in names if f"`{each}`" not in said] == []
    assert [each for each in keys if each not in said] == []


def test_kubernetes_waits_until_a_worker_has_ended_itself():
    assert POD["terminationGracePeriodSeconds"] > GONE_WITHIN_S


def test_the_manifests_run_the_image_as_it_is_made():
    assert CONTAINER["image"] == f"agent-oversight:{PROJECT['project']['version']}"
    assert CONTAINER["args"] == ["worker"]
    assert "worker" in COMMANDS
    assert POD["securityContext"]["runAsNonRoot"]
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"]
