"""Secrets stay out of the text of a configuration, and out of what is said of it."""

import pytest

from routing.configuration import examine
from tests.routing.configs import LEAST, faults, files

KEPT = "the text of the configuration is kept in the log, and project prints it; put it into a file"
KEY = "0123456789abcdef0123456789abcdef"
TOKEN = f"xoxb-{123456789012}-abcdefghijkl"  # in pieces, so that no scanner takes it for a real one


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (f"users: {{u: {{pagerduty: {KEY}}}}}", "a PagerDuty key"),
        (f"users: {{u: {{slack: {TOKEN}}}}}", "a Slack token"),
        (f"messages: {{m: 'token {TOKEN}'}}", "a Slack token"),
        ("messages: {m: 'https://hooks.slack.com/services/T0/B0/abcdefgh'}", "a Slack webhook's address"),
        ("messages: {m: '-----BEGIN RSA PRIVATE KEY-----'}", "a private key"),
        (f"messages: {{m: 'ghp_{KEY}'}}", "a GitHub token"),
        ("messages: {m: 'AKIAABCDEFGHIJKLMNOP'}", "an AWS key"),
        (f"messages: {{m: 'sk-proj-{KEY}'}}", "an API key"),
        ("agents: [{name: x, runbook: 'https://me:word@host/'}]", "an address with a password"),
    ],
)
def test_a_literal_secret_is_a_fault_that_does_not_repeat_it(text, what):
    (found,) = faults(LEAST + text)
    assert f"looks like {what}: write env:NAME" in found
    assert KEY not in found
    assert TOKEN not in found


def test_a_secret_of_a_channel_must_be_a_reference():
    text = "route: {receiver: a}\nreceivers: [{name: a, notify: [{webhook: 'https://x', secret: hunter2}]}]\n"
    assert faults(text) == ["2:63: looks like a secret: write env:NAME, and put it into that variable"]
    assert faults(text.replace("hunter2", "'env:HOOK'")) == []


def test_in_alertmanagers_own_parts_it_is_a_warning():
    text = (
        "global: {slack_api_url: 'https://hooks.slack.com/services/T0/B0/abcdefgh'}\n"
        "route: {receiver: a}\n"
        f"receivers: [{{name: a, pagerduty_configs: [{{routing_key: {KEY}}}]}}]\n"
    )
    found = examine(files(text))
    assert found.policy is not None
    assert [str(each) for each in found.warnings] == [
        f"1.yml:1:25: looks like a Slack webhook's address: {KEPT}: slack_api_url_file",
        f"1.yml:3:57: looks like a PagerDuty key: {KEPT}: routing_key_file",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("global: {smtp_auth_password: hunter2}", "1:30: looks like a secret: %s: smtp_auth_password_file"),
        ("receivers: [{name: a, slack_configs: [{api_url: 'https://chat.example/x'}]}]",
         "1:49: looks like a secret: %s: api_url_file"),
        ("receivers: [{name: a, victorops_configs: [{api_key: x}]}]",
         "1:53: looks like a secret: %s: api_key_file"),
        ("receivers: [{name: a, pagerduty_configs: [{routing_key: short}]}]",
         "1:57: looks like a secret: %s: routing_key_file"),
        ("receivers: [{name: a, webhook_configs: [{http_config: {basic_auth: {username: u, password: x}}}]}]",
         "1:92: looks like a secret: %s: password_file"),
        ("receivers: [{name: a, pagerduty_configs: [{routing_key: 'env:KEY', url: 'https://x.example'}]}]",
         ""),
        ("global: {smtp_auth_username: u, smtp_auth_password_file: /run/x}", ""),
    ],
)  # fmt: skip
def test_what_alertmanager_itself_masks_is_a_secret(text, said):
    rest = "" if "receivers" in text else "receivers: [{name: a}]\n"
    found = examine(files(f"{text}\nroute: {{receiver: a}}\n{rest}"))
    assert [str(each) for each in found.warnings] == [f"1.yml:{said % KEPT}" for _ in [said] if said]


@pytest.mark.parametrize("text", ["users: {u: {pagerduty: 'env:PD'}}", "users: {u: {slack: U0123456789}}",
                                  "agents: [{name: x, runbook: 'https://host:8080/a@b'}]"])  # fmt: skip
def test_what_is_no_secret_is_no_fault(text):
    assert faults(LEAST + text) == []


def test_references_are_listed_each_time_they_occur():
    found = examine(files(LEAST + "users: {u: {slack: 'env:A', pagerduty: 'env:B'}, v: {slack: 'env:A'}}\n"))
    assert [(each.name, each.place.line, each.place.column) for each in found.variables] == [
        ("A", 3, 20), ("B", 3, 40), ("A", 3, 61),
    ]  # fmt: skip
