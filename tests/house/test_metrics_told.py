"""What is told of metrics: the page, the rules and the dashboard know their names."""

import json
import re
import shutil
import subprocess

import pytest
from ruamel.yaml import YAML

from streams.watching.figures import Figures, Sample, exposition
from streams.watching.names import BUILD, COUNTERS, METRICS
from streams.watching.waiting import Limits
from tests.conftest import IN_CI
from tests.house.tree import ROOT

DOCS = ROOT / "docs"
RULES = DOCS / "prometheus" / "agent-oversight.rules.yml"
DASHBOARD = DOCS / "grafana" / "agent-oversight.json"
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


def promtool(*said, told=""):
    """What Prometheus says of it. Its absence is told, and is a failure in CI."""
    command = shutil.which("promtool")
    if command is None:
        reason = "PROMTOOL ABSENT: install prometheus; the rules for it were NOT tested"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    judged = subprocess.run([command, *said], input=told, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    return judged.stdout


def test_prometheus_takes_the_rules():
    assert "SUCCESS" in promtool("check", "rules", RULES)


def test_who_is_behind_is_alerted_after_five_minutes_and_who_has_read_all_is_not(tmp_path):
    behind, read = (f'{{topic="agent.events",partition="{number}"}}' for number in (0, 1))
    expected = {
        "exp_labels": {"severity": "critical", "topic": "agent.events", "partition": "0"},
        "exp_annotations": {"summary": "agent.events/0 is more than two minutes behind: pages come late."},
    }
    series = {
        f"oversight_newest_record_timestamp_seconds{behind}": "0+0x20",
        f"oversight_lag_records{behind}": "1000+1000x20",
        f"oversight_newest_record_timestamp_seconds{read}": "0+0x20",
        f"oversight_lag_records{read}": "0+0x20",
    }
    asked = [("4m", []), ("10m", [expected])]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": at, "alertname": "OversightBehind", "exp_alerts": alerts} for at, alerts in asked
        ],
    }
    path = tmp_path / "behind.test.yml"
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    assert "SUCCESS" in promtool("test", "rules", path)


def test_the_alert_and_the_signal_call_the_same_behind():
    rules = YAML(typ="safe").load(RULES)["groups"][0]["rules"]
    (rule,) = [each for each in rules if each["alert"] == "OversightBehind"]
    limits = Limits()
    assert f" > {limits.late.seconds}\n" in rule["expr"]
    assert rule["for"] == f"{limits.lasting.seconds // 60}m"


def test_prometheus_takes_what_the_dashboard_asks_for(tmp_path):
    asked = [each.replace("$__rate_interval", "5m") for each in expressions()]
    rules = [{"record": f"asked:{n}", "expr": each} for n, each in enumerate(asked)]
    path = tmp_path / "dashboard.rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", path)


def test_prometheus_takes_what_a_worker_tells():
    figures = Figures()
    for metric in COUNTERS:
        figures.count(metric, *metric.labels)
    promtool("check", "metrics", told=exposition([*figures.samples(), Sample(BUILD, 1.0, ("1",))]))
