"""What the HTTP API and the command line ask for becomes a cause, or is refused at its place."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from routing.callbacks.refused import Refused
from routing.callbacks.requests import Delivery, cause, read
from schemas.cause import (
    Acknowledged,
    Approved,
    Commented,
    Judged,
    Reassigned,
    Resolved,
    Silenced,
    Snoozed,
)

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KNOWN = {"at": NOW, "id": "d1", "incident": "inc-1", "by": "ana", "via": "api"}


def made(action, body, incident="inc-1"):
    return cause(action, read(body), Delivery(id="d1", incident=incident, now=NOW, via="api"))


@pytest.mark.parametrize(
    ("action", "body", "expected"),
    [
        ("acknowledge", b'{"by": " ana "}', Acknowledged(**KNOWN)),
        ("resolve", b'{"by": "ana"}', Resolved(**KNOWN)),
        ("snooze", b'{"by": "ana"}', Snoozed(**KNOWN, until=NOW + HOUR)),
        ("snooze", b'{"by": "ana", "for": "2h"}', Snoozed(**KNOWN, until=NOW + 2 * HOUR)),
        (
            "snooze",
            b'{"by": "ana", "until": "2026-01-05T12:00:00+01:00"}',
            Snoozed(**KNOWN, until=NOW + 2 * HOUR),
        ),
        ("silence", b'{"by": "ana", "text": "known"}', Silenced(**KNOWN, until=NOW + HOUR, comment="known")),
        (
            "silence",
            b'{"by": "ana", "matchers": ["a=b"]}',
            Silenced(**KNOWN, until=NOW + HOUR, matchers=("a=b",)),
        ),
        ("reassign", b'{"by": "ana", "user": "bo"}', Reassigned(**KNOWN, user="bo")),
        ("reassign", b'{"by": "ana", "team": "shop"}', Reassigned(**KNOWN, team="shop")),
        ("comment", b'{"by": "ana", "text": " hm "}', Commented(**KNOWN, text="hm")),
        ("feedback", b'{"by": "ana", "verdict": "useful"}', Judged(**KNOWN, verdict="useful")),
        ("grant", b'{"by": "ana", "decision": "d"}', Approved(**KNOWN, decision="d", verdict="granted")),
        ("refuse", b'{"by": "ana", "decision": "d"}', Approved(**KNOWN, decision="d", verdict="refused")),
    ],
)
def test_each_action_is_its_cause(action, body, expected):
    assert made(action, body) == expected


@pytest.mark.parametrize(
    ("action", "body", "at", "reason"),
    [
        ("acknowledge", b"", "$.by", "expected who does this"),
        ("acknowledge", b'{"by": 1}', "$.by", "Expected `str`, got `int`"),
        ("acknowledge", b'{"by": "ana", "form": "x"}', "$", "Object contains unknown field `form`"),
        ("acknowledge", b"{", "$", "Input data was truncated"),
        ("acknowledge", b'{"by": "\xff"}', "$", "invalid start byte"),
        ("acknowledge", b"[" * 100_000, "$", "Expected `object`"),
        ("snooze", b'{"by": "ana", "for": "90"}', "$.for", "expected a duration"),
        ("snooze", b'{"by": "ana", "for": "0s"}', "$.for", "expected a time to come"),
        ("snooze", b'{"by": "ana", "for": "200y"}', "$.for", "at most 90 days"),
        ("snooze", b'{"by": "ana", "until": "2026-01-05T08:00:00Z"}', "$.until", "expected a time to come"),
        ("snooze", b'{"by": "ana", "until": "9999-12-31T23:00:00-02:00"}', "$.until", "at most 90 days"),
        ("snooze", b'{"by": "ana", "until": "2026-01-05T12:00:00"}', "$.until", "with its offset"),
        ("snooze", b'{"by": "ana", "for": "1h", "until": "2026-01-05T12:00:00Z"}', "$.until", "either"),
        ("silence", b'{"by": "ana", "matchers": ["a=b", "a=~\\"(\\""]}', "$.matchers[1]", "missing"),
        ("reassign", b'{"by": "ana"}', "$.user", "either a user or a team"),
        ("reassign", b'{"by": "ana", "user": "a", "team": "b"}', "$.user", "either a user or a team"),
        ("comment", b'{"by": "ana", "text": " "}', "$.text", "expected the text"),
        ("comment", b'{"by": "ana", "text": "%b"}' % (b"x" * 5000), "$.text", "at most 4,000"),
        ("feedback", b'{"by": "ana"}', "$.verdict", "expected useful or false_alarm"),
        ("feedback", b'{"by": "ana", "verdict": "so so"}', "$.verdict", "Invalid enum value 'so so'"),
        ("grant", b'{"by": "ana"}', "$.decision", "expected the id"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(action, body, at, reason):
    with pytest.raises(Refused, match=reason.replace("(", r"\(")) as raised:
        made(action, body)
    assert raised.value.at == at


def test_a_silence_of_nothing_is_refused():
    with pytest.raises(Refused, match="at least one matcher") as raised:
        made("silence", b'{"by": "ana"}', incident="")
    assert raised.value.at == "$.matchers"


@pytest.mark.parametrize("matcher", ["", "{}", 'nosuch=""'])
def test_a_silence_of_everything_is_refused(matcher):
    with pytest.raises(Refused, match="would silence everything") as raised:
        made("silence", msgspec.json.encode({"by": "ana", "matchers": [matcher]}), incident="")
    assert raised.value.at == "$.matchers"
