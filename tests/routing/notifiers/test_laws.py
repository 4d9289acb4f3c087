"""Laws that every notifier obeys; each one is found by looking."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.content import built_in
from routing.notifiers.notifier import Answer
from routing.notifiers.registry import discover, only_class
from schemas.outcome import Deferred, Delivered, Outcome, Undeliverable
from tests.fakes import NOW, STATUS, driven, page, update
from tests.routing.notifiers.monsters import MONSTER, over_the_limits, said
from tests.routing.notifiers.ways import LATER, NEVER, REFERENCES, SECRETS, TARGETS, options_of, secrets, well

NOTIFIERS = discover()
every = pytest.mark.parametrize("kind", sorted(NOTIFIERS))
LOCAL = frozenset({"terminal"})
"""Channels that call nobody, and so never fail."""


def written(kind: str, **changes):
    return page(kind, TARGETS.get(kind, "env:TARGET"), options=options_of(NOTIFIERS[kind]), **changes)


def attempt(kind: str, *answers: Answer, message=None, resolver=secrets):
    message = message or written(kind)
    return driven(NOTIFIERS[kind](), message, built_in(message), resolver, *answers)


def test_a_module_that_defines_no_channel_is_named():
    with pytest.raises(
        TypeError, match=r"routing\.words\.answers must define one public class of kind 'answers'.*none"
    ):
        only_class("routing.words.answers", "answers")
    with pytest.raises(TypeError, match=r"kind 'pager'.*found Slack \(kind 'slack'\)"):
        only_class("routing.notifiers.slack", "pager")


@every
def test_the_kind_is_the_files_name(kind):
    module = __import__(NOTIFIERS[kind].__module__, fromlist="x")
    assert NOTIFIERS[kind].kind == kind == Path(module.__file__).stem


@every
def test_every_option_is_read_and_no_other(kind):
    asked = []

    class Noted(dict):
        def __contains__(self, name):
            asked.append(name)
            return super().__contains__(name)

        def get(self, name, default=None):
            asked.append(name)
            return super().get(name, default)

    original = written(kind)
    channel = msgspec.structs.replace(original.channel, options=Noted(original.channel.options))
    attempt(kind, *[well(kind)] * 9, message=msgspec.structs.replace(original, channel=channel))
    assert set(asked) == set(NOTIFIERS[kind].options)


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
@pytest.mark.parametrize("number", range(4))
def test_trouble_of_the_channel_is_tried_again(kind, number):
    _, outcome = attempt(kind, LATER(kind)[number])
    if kind in LOCAL:
        assert isinstance(outcome, Delivered)
    else:
        assert isinstance(outcome, Deferred)
        assert outcome.retry_at is None or (outcome.retry_at - NOW).total_seconds() == 7


@every
@pytest.mark.parametrize("number", range(4))
def test_a_refusal_is_final(kind, number):
    _, outcome = attempt(kind, NEVER(kind)[number])
    assert isinstance(outcome, Delivered if kind in LOCAL else Undeliverable)


@every
def test_the_same_attempt_makes_the_same_steps(kind):
    assert attempt(kind, LATER(kind)[0]) == attempt(kind, LATER(kind)[0])


@every
def test_every_attempt_has_the_same_key(kind):
    """By what the receiver tells that it knows the page already; Teams and the terminal show the id."""
    for message in (written(kind), update(written(kind), reference=REFERENCES.get(kind, ""))):
        keys = set()
        for number in (1, 2, 3):
            steps, _ = attempt(
                kind, *[well(kind)] * 9, message=msgspec.structs.replace(message, attempt=number)
            )
            assert any(message.id in said(step) or message.incident in said(step) for step in steps)
            keys |= {step.headers.get("idempotency-key", "") for step in steps if hasattr(step, "headers")}
        assert len(keys) <= 1


@every
def test_a_secret_is_told_in_the_place_for_it_and_nowhere_else(kind):
    steps, outcome = attempt(kind, NEVER(kind)[0])
    assert "SECRET" not in str(outcome)
    assert "SECRET" not in repr(steps)
    for step in steps:
        assert "TOKEN-SECRET" not in said(step)


@every
def test_a_missing_variable_is_said_by_its_name(kind):
    def nothing(reference: str) -> str:
        if not reference.startswith("env:"):
            return reference
        raise KeyError(reference.removeprefix("env:"))

    if kind in LOCAL:
        return
    with pytest.raises(KeyError, match="|".join(name.removeprefix("env:") for name in SECRETS)):
        attempt(kind, resolver=nothing)


@every
def test_a_target_that_is_written_out_is_checked(kind):
    assert all(isinstance(NOTIFIERS[kind].fault(text), str) for text in ("", " ", "x y", "ftp://x", "\n"))


@pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured
@every
@pytest.mark.parametrize("reason", ["opened", "updated", "acknowledged", "resolved", "commented"])
@pytest.mark.parametrize("name", sorted(MONSTER))
def test_no_page_is_too_monstrous(kind, name, reason):
    """Labels of 100,000 characters, emoji, bidirectional text, line breaks, markup of every kind."""
    message = written(kind, summary=MONSTER[name].title, content=MONSTER[name])
    if reason != "opened":
        changed = msgspec.structs.replace(MONSTER[name], status=STATUS.get(reason, reason))
        message = update(message, reason, reference=REFERENCES.get(kind, ""), content=changed)
    steps, outcome = attempt(kind, *[well(kind)] * 9, message=message)
    assert isinstance(outcome, Delivered)
    assert [fault for step in steps for fault in over_the_limits(kind, step)] == []


@every
def test_updates_are_taken_too(kind):
    for reason in ("updated", "acknowledged", "resolved", "commented"):
        message = update(written(kind), reason, reference=REFERENCES.get(kind, ""))
        _, outcome = attempt(kind, *[well(kind)] * 9, message=message)
        assert isinstance(outcome, Delivered)
