"""`render`: what a page will look like, before anybody is paged with it."""

import json

import pytest
from click.testing import CliRunner

from routing.notifiers.registry import discover
from schemas.wire import encode
from streams.cli import main
from tests.fakes import page, update

RULES = """\
route: {receiver: all}
receivers: [{name: all, notify: [{slack: '#all', template: own}]}]
messages:
  own: "{{ labels.agent }}: {{ n }} signal, {{ severity }}"
  loops: "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
  broken: "{{ 1 / 0 }}"
"""


@pytest.fixture(name="rules")
def _rules(tmp_path):
    path = tmp_path / "oversight.yml"
    path.write_text(RULES)
    return path


def run(*arguments: object):
    return CliRunner().invoke(main, ["render", *map(str, arguments)])


def looks(*arguments: object) -> list[dict]:
    return [json.loads(line) for line in run(*arguments, "--json").stdout.splitlines()]


def test_without_a_word_every_channel_is_shown_in_built_in_words():
    ran = run()
    assert ran.exit_code == 0
    for kind in discover():
        assert f"\n{kind} ───" in f"\n{ran.stdout}"
    assert "POST https://slack.com/api/chat.postMessage" in ran.stdout
    assert "MAIL smtp.example.com:587 (starttls) to oncall@example.com" in ran.stdout


def test_a_template_of_the_configuration_is_filled(rules):
    (slack,) = looks(rules, "--template", "own", "--channel", "slack")
    assert slack["body"] == "refund-agent: 1 signal, critical"
    assert "refund-agent: 1 signal, critical" in slack["sent"][0]
    assert (slack["fault"], slack["warnings"]) == ("", [])


@pytest.mark.parametrize(
    ("name", "why"), [("broken", "ZeroDivisionError: division by zero"), ("loops", "no answer within 1 s")]
)
def test_a_template_that_fails_says_why_and_shows_the_built_in_words(rules, name, why):
    ran = run(rules, "--template", name, "--channel", "terminal")
    assert ran.exit_code == 1
    assert f"terminal: the team's message template failed: {why}" in ran.stdout
    assert "Failures began with a release" in ran.stdout


def test_a_page_of_a_replay_may_be_the_incident(tmp_path):
    path = tmp_path / "told.jsonl"
    told = [b"nonsense", encode(update(page())), encode(page())]
    path.write_bytes(b"\n".join(told))
    (look,) = looks("--incident", path, "--channel", "webhook")
    assert look["title"] == "CRITICAL: retail: 35 of 35 sessions fail"


@pytest.mark.parametrize(
    ("reason", "head"), [("acknowledged", "ACKNOWLEDGED"), ("resolved", "RESOLVED"), ("updated", "CRITICAL")]
)
def test_what_follows_a_page_is_shown_too(reason, head):
    (email,) = looks("--reason", reason, "--channel", "email")
    assert email["title"].startswith(head)
    assert "In-Reply-To: <pag-sample@example.com>" in email["sent"][0]
    assert "nothing is sent" in run("--reason", "updated", "--channel", "teams").stdout


def test_what_a_channel_would_cut_is_a_warning(tmp_path):
    path = tmp_path / "page.json"
    content = page().content.__class__(
        **{name: getattr(page().content, name) for name in page().content.__struct_fields__}
        | {"title": "x" * 200}
    )
    path.write_bytes(encode(page(content=content)))
    ran = run("--incident", path, "--channel", "opsgenie")
    assert ran.exit_code == 0
    assert "opsgenie: the title has 150 characters, 130 are shown" in ran.stdout


def test_wrong_usage_is_told(rules, tmp_path):
    def told(*arguments: object) -> str:
        ran = run(*arguments)
        assert ran.exit_code == 2
        return ran.stderr

    empty = tmp_path / "empty"
    empty.write_text("")
    assert "--template needs the configuration that has it" in told("--template", "own")
    assert "known are: own, loops, broken" in told(rules, "--template", "other")
    assert "No such file" in told("--incident", tmp_path / "nowhere")
    assert "holds no page" in told("--incident", empty)
    assert "'pigeon' is not one of" in told("--channel", "pigeon")
