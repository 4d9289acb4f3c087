"""What is told of metrics: the page, the rules, the dashboard and the manifests know their names."""

import json
import re
import shutil
import subprocess

import pytest
from ruamel.yaml import YAML

from streams.cli import COMMANDS
from streams.hosting.connection import security
from streams.watching.listening import read
from streams.watching.names import METRICS
from tests.house.tree import PROJECT, ROOT

DOCS = ROOT / "docs"
RULES = DOCS / "prometheus" / "agent-oversight.rules.yml"
DASHBOARD = DOCS / "grafana" / "agent-oversight.json"
WORKER, BUDGET, MONITOR = YAML(typ="safe").load_all(DOCS / "kubernetes" / "worker.yaml")
POD = WORKER["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
LABELS = {each.name: each.labels for each in METRICS}
SERIES = re.compile(r"(oversight_[a-z_]+)(?:\{([^}]*)\})?")


def expressions() -> list[str]:
    rules = YAML(typ="safe").load(RULES)["groups"][0]["rules"]
    board = json.loads(DASHBOARD.read_text())
    targets = [each["expr"] for panel in board["panels"] for each in panel["targets"]]
    notes = [each["expr"] for each in board["annotations"]["list"]]
    return [*(each["expr"] for each in rules), *targets, *notes]


def test_the_page_tells_every_metric_as_the_code_does():
    row = re.compile(r"^\| `(oversight_\w+)` \| (\w+) \| ([\w, ]*?) ?\| (.+) \|$", re.MULTILINE)
    rows = row.findall((DOCS / "metrics.md").read_text())
    assert rows == [(each.name, each.kind, ", ".join(each.labels), each.help) for each in METRICS]


@pytest.mark.parametrize("expression", expressions())
def test_rules_and_dashboard_ask_for_metrics_and_labels_that_there_are(expression):
    found = SERIES.findall(expression)
    assert found
    for name, chosen in found:
        assert set(re.findall(r"(\w+)\s*[=!]", chosen)) <= set(LABELS[name]), name
    known = {label for name, _ in found for label in LABELS[name]}
    for grouped in re.findall(r"by \(([^)]*)\)", expression):
        assert set(grouped.split(", ")) <= known


def test_the_dashboard_shows_every_metric():
    shown = {name for each in expressions() for name, _ in SERIES.findall(each)}
    assert set(LABELS) - shown == set()


def test_prometheus_takes_the_rules():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no `promtool` on the path")
    judged = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_manifests_probe_what_the_worker_answers_at_the_place_where_it_listens():
    told = {each["name"]: each.get("value", "") for each in CONTAINER["env"]}
    ports = {each["name"]: each["containerPort"] for each in CONTAINER["ports"]}
    listening = read({**told, "OVERSIGHT_METRICS_TOKEN_FILE": "", "OVERSIGHT_METRICS_TOKEN": "x" * 16})
    assert listening.port == ports["metrics"]
    paths = {kind: CONTAINER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {each["port"] for each in paths.values()} == {"metrics"}
    assert [each["path"] for each in paths.values()] == ["/healthz", "/healthz", "/readyz"]
    endpoint = MONITOR["spec"]["podMetricsEndpoints"][0]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")


def test_the_manifests_speak_to_kafka_as_the_worker_does_and_hold_no_secret():
    told = {each["name"]: each.get("value", "") for each in CONTAINER["env"]}
    files = {name: "" for name in told if name.endswith(("_FILE", "CAFILE"))}
    said = {**told, **files, "OVERSIGHT_KAFKA_SASL_PASSWORD": "x"}
    assert security(said)["security_protocol"] == "SASL_SSL"
    assert not {"OVERSIGHT_KAFKA_SASL_PASSWORD", "OVERSIGHT_METRICS_TOKEN"} & told.keys()


def test_the_manifests_run_the_image_as_it_is_made():
    assert CONTAINER["image"] == f"agent-oversight:{PROJECT['project']['version']}"
    assert CONTAINER["args"] == ["worker"]
    assert "worker" in COMMANDS
    assert POD["securityContext"]["runAsNonRoot"]
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"]
    labels = WORKER["spec"]["template"]["metadata"]["labels"]
    for each in (WORKER, BUDGET, MONITOR):
        assert each["spec"]["selector"]["matchLabels"] == labels
