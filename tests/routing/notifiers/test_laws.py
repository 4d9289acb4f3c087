"""Laws that every notifier obeys; each one is found by looking."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.content import built_in
from routing.notifiers.notifier import Answer, Call, Print
from routing.notifiers.registry import discover, only_class
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from tests.fakes import NOW, driven, page, update

NOTIFIERS = discover()
TARGET = "https://sink.example/TARGET-SECRET"
SECRETS = {
    "env:TARGET": TARGET,
    "env:TOKEN": "TOKEN-SECRET",
    "env:SLACK_BOT_TOKEN": "BOT-SECRET",
    "#triage": "#triage",
}
every = pytest.mark.parametrize("kind", sorted(NOTIFIERS))


def secrets(reference: str) -> str:
    return SECRETS[reference]


def attempt(kind: str, *answers: Answer, message=None, resolver=secrets):
    options = {"token": "env:TOKEN", "secret": "env:TOKEN"}
    message = message or page(kind, "env:TARGET", options=options)
    return driven(NOTIFIERS[kind](), message, built_in(message), resolver, *answers)


def test_the_four_channels_are_found():
    assert list(NOTIFIERS) == ["pagerduty", "slack", "terminal", "webhook"]


def test_a_module_that_defines_no_channel_is_named():
    with pytest.raises(
        TypeError, match=r"routing\.words\.answers must define one public class of kind 'answers'.*none"
    ):
        only_class("routing.words.answers", "answers")
    with pytest.raises(TypeError, match=r"kind 'pager'.*found Slack \(kind 'slack'\)"):
        only_class("routing.notifiers.slack", "pager")


@every
def test_the_kind_is_the_files_name(kind):
    assert (
        NOTIFIERS[kind].kind
        == kind
        == Path(__import__(NOTIFIERS[kind].__module__, fromlist="x").__file__).stem
    )


@every
def test_a_notifier_does_nothing_until_it_is_driven(kind):
    NOTIFIERS[kind]().deliver(page(kind), built_in(page(kind)), {}.__getitem__, NOW)


@every
@given(
    status=st.integers(min_value=0, max_value=599),
    body=st.binary(max_size=40)
    | st.sampled_from([b'{"ok": true}', b'{"ok": false, "error": {}}', b"[]", b'{"ok":1}']),
    after=st.text(max_size=20),
)
def test_whatever_is_answered_there_is_an_outcome(kind, status, body, after):
    answer = Answer(status=status, body=body, headers={"retry-after": after}, fault="x")
    _, outcome = attempt(kind, *[answer] * 20)
    assert isinstance(outcome, Outcome)


@every
@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_trouble_of_the_channel_is_tried_again(kind, status):
    steps, outcome = attempt(kind, Answer(status=status, headers={"retry-after": "7"}))
    if isinstance(steps[0], Print):
        assert isinstance(outcome, Delivered)
    else:
        assert isinstance(outcome, Deferred)
        assert outcome.retry_at is None or (outcome.retry_at - NOW).total_seconds() == 7


@every
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_a_refusal_is_final(kind, status):
    steps, outcome = attempt(kind, Answer(status=status))
    assert isinstance(outcome, Delivered if isinstance(steps[0], Print) else Undeliverable)


@every
def test_the_same_attempt_makes_the_same_steps(kind):
    assert attempt(kind, Answer(status=500)) == attempt(kind, Answer(status=500))


@every
def test_a_secret_is_told_in_the_place_for_it_and_nowhere_else(kind):
    steps, outcome = attempt(kind, Answer(status=400, body=b'{"message": "no"}'))
    assert "SECRET" not in str(outcome)
    for step in steps:
        told = str(step.markup if isinstance(step, Print) else step.body)
        assert "TOKEN-SECRET" not in told


@every
def test_a_missing_variable_is_said_by_its_name(kind):
    def nothing(reference: str) -> str:
        raise KeyError(reference.removeprefix("env:"))

    if kind == "terminal":
        return
    with pytest.raises(KeyError, match=r"TARGET|TOKEN"):
        attempt(kind, resolver=nothing)


hostile = st.sampled_from(
    ["<!channel> & <@U1>", "[/] [red]", "\\", "\x00\u202e", "x" * 10_000, "", " ", ":fire:"]
)


@every
@given(title=hostile, label=hostile)
def test_words_of_others_never_stop_a_page(kind, title, label):
    original = page(kind, "env:TARGET")
    content = original.content.__class__(
        **{name: getattr(original.content, name) for name in original.content.__struct_fields__}
        | {"title": title, "labels": {"agent": label, label: label}, "team": label, "runbook": label}
    )
    steps, _ = attempt(kind, Answer(status=200), message=page(kind, "env:TARGET", content=content))
    assert steps


@every
def test_updates_are_taken_too(kind):
    for reason in ("updated", "acknowledged", "resolved"):
        message = update(page(kind, "env:TARGET"), reason, reference="C1:2.3")
        steps, outcome = attempt(kind, *[Answer(status=202, body=b'{"ok": true}')] * 3, message=message)
        assert isinstance(outcome, Delivered)
        assert all(isinstance(step, Call | Print) for step in steps)
