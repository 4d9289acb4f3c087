"""Whom failures hit: exact counts up to a cap, samples without secrets."""

import msgspec

from detectors.failures.affected import LONGEST_TEXT, MOST_SESSIONS, Affected, mark_of, sample_of
from tests.detectors.agent_events import START_S, event


def failing(at=0.0, **data):
    return event(START_S + at, error={"type": "boom", **data.pop("error", {})}, **data)


def mark(session, **more):
    return mark_of(failing(conversation={"id": session}, **more), START_S, "exhausted", "boom")


def test_each_session_user_and_tenant_counts_once():
    affected = Affected()
    for session in ("a", "b", "a"):
        affected.take(mark(session, user={"id": "u"}, tenant={"id": "t"}))
    blast = affected.blast(0.25)
    assert (blast.sessions, blast.users, blast.tenants, blast.share) == (2, 1, 1, 0.25)
    assert not blast.capped
    assert affected.tally.by["error type"] == {"boom": 3.0}
    assert affected.tally.by["class"] == {"exhausted": 3.0}


def test_beyond_the_cap_the_count_says_at_least():
    affected = Affected()
    for at in range(MOST_SESSIONS):
        affected.take(mark(f"s{at}"))
    assert not affected.blast(1.0).capped
    affected.take(mark("one more"))
    assert affected.blast(1.0).capped
    assert affected.blast(1.0).sessions == MOST_SESSIONS


def test_what_an_event_does_not_say_is_not_counted():
    affected = Affected()
    affected.take(mark_of(failing(), START_S, "retried", "boom"))
    assert affected.blast(1.0).sessions == 0


def test_a_sample_shows_type_and_message_without_secrets():
    sample = sample_of(
        failing(error={"message": "token=t0ps3cretvalue refused"}, conversation={"id": "c"}), ()
    )
    assert sample.text == "boom: token=[secret] refused"
    assert sample.conversation == "c"
    assert sample.trace is None
    assert sample.event.startswith("made-up/")


def test_a_team_masks_its_own_patterns_too():
    assert (
        sample_of(failing(error={"message": "order ACME-1"}), (r"ACME-\d",)).text == "boom: order [redacted]"
    )


def test_a_sample_is_short_whatever_the_message():
    sample = sample_of(failing(error={"message": "many words " * 46}), ())
    assert len(sample.text) == LONGEST_TEXT


def test_a_sample_links_its_trace():
    traced = msgspec.structs.replace(failing(), traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    assert sample_of(traced, ()).trace == "a" * 32
    assert sample_of(event(START_S), ()).text == ""
