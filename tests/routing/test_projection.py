"""The Alertmanager part, judged by Alertmanager's own tool where it is there."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.configuration import load
from routing.projection import project
from schemas.cause import ConfigFile
from tests.routing.configs import LEAST, example, policy
from tests.routing.judge.alertmanager import checked
from tests.routing.test_configuration import ALERTMANAGERS_OWN


def test_what_is_ours_is_left_out():
    text = project(load(example("complete")))
    assert "notify" not in text
    assert "severity:" not in text
    assert "PD_ANA" not in text
    assert text.startswith('global:\n  resolve_timeout: "15m"\nroute:\n  receiver: "triage"\n')
    assert (
        """    - receiver: "page-owner"\n      matchers:\n        - 'severity=~"critical|error"'\n""" in text
    )


def test_matchers_are_written_so_that_every_version_reads_the_same():
    text = project(
        policy(
            "route: {receiver: a, routes: [{matchers: ['{a=b, c=~\"\\d\"}', \"d='e'\"]}]}\n"
            "receivers: [{name: a}]\n"
        )
    )
    assert "- 'a=\"b\"'\n" in text
    assert "- 'c=~\"\\\\d\"'\n" in text
    assert '- "d=\\"\'e\'\\""\n' in text


def test_a_projection_is_a_configuration_of_the_same_routes():
    whole = load(example("complete"))
    again = load([ConfigFile("projection.yml", project(whole))])
    assert again.route == whole.route
    assert again.inhibit_rules == whole.inhibit_rules
    assert again.time_intervals == whole.time_intervals
    assert project(again) == project(whole)


def test_numbers_and_truth_values_are_plain_where_alertmanager_wants_them():
    text = project(policy(ALERTMANAGERS_OWN))
    assert "send_resolved: yes\n" in text
    assert 'start_time: "09:00"\n' in text
    assert 'smtp_smarthost: "localhost:25"\n' in text


def test_empty_lists_and_nulls_are_kept_as_they_are():
    text = project(
        policy(
            "route: {receiver: a, group_by: [], routes: []}\n"
            "receivers: [{name: a, slack_configs: [{x: [~]}]}]\n"
        )
    )
    assert "group_by: []\n" in text
    assert "- null\n" in text
    assert "webhook_configs:\n      - x: {}\n" in project(
        policy("route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{x: {}}]}]\n")
    )


@pytest.mark.parametrize("name", ["minimal.yml", "retail", "complete"])
def test_alertmanager_takes_the_projection_of_every_example(tmp_path, name):
    code, said = checked(tmp_path, project(load(example(name))))
    assert code == 0, said


def test_alertmanager_takes_its_own_kind_of_file_back(tmp_path):
    given_text = ALERTMANAGERS_OWN.replace("templates: ['/etc/alertmanager/template/*.tmpl']\n", "")
    code, said = checked(tmp_path, project(policy(given_text)))
    assert code == 0, said


def test_the_judge_refuses_what_is_ours(tmp_path):
    code, said = checked(tmp_path, LEAST.replace("{name: a}", "{name: a, notify: []}"))
    assert code != 0
    assert "notify" in said


NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
VALUES = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=8)
MATCHERS = st.builds(
    lambda name, op, value: f"{name}{op}" + '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"',
    NAMES, st.sampled_from(["=", "!="]), VALUES,
)  # fmt: skip


@given(st.lists(st.lists(MATCHERS, min_size=1, max_size=3), max_size=4))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_alertmanager_takes_whatever_matchers_are_projected(tmp_path, lists):
    quoted = [["'" + each.replace("'", "''") + "'" for each in matchers] for matchers in lists]
    routes = ", ".join(f"{{matchers: [{', '.join(matchers)}]}}" for matchers in quoted)
    code, said = checked(
        tmp_path,
        project(policy(f"route: {{receiver: a, routes: [{routes}]}}\nreceivers: [{{name: a}}]\n")),
    )
    assert code == 0, said
