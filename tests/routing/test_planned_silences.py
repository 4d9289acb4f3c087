"""Silences of the configuration: planned once, or coming again."""

from datetime import UTC, datetime

import pytest

from routing.hours import silence_holds
from routing.matchers import parse_matchers
from tests.routing.configs import LEAST, faults, policy
from tests.routing.scenario import HOUR, MINUTE, ONE_CHANNEL, START, Scenario

LOAD_TEST = """
silences:
- name: load-test
  matchers: ['env="staging"']
  every: {months_day: 5, times: [{start_time: '08:00', end_time: '10:00'}]}
  author: ana
  comment: monthly
"""
EARLY = "every: {times: [{start_time: '02:00', end_time: '04:00'}]}"
MOVE = """
silences:
- name: move
  matchers: ['agent="refund-agent"']
  start: '2026-01-05T11:00'
  end: '2026-01-05T12:00'
  location: Europe/Paris
"""


def planned(text):
    (found,) = policy(LEAST + f"silences: [{{name: s, matchers: ['a=b'], {text}}}]\n").silences
    return found


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("every: {months_day: 1}", "2026-02-01T23:59Z", "2026-02-02T00:00Z"),
        ("every: {months_day: 31}", "2026-01-31T00:00Z", "2026-02-28T00:00Z"),
        ("every: {weekday: sunday}", "2026-01-04T12:00Z", "2026-01-05T12:00Z"),
        ("every: {weekday: tuesday}, location: Asia/Tokyo", "2026-01-05T15:00Z", "2026-01-06T15:00Z"),
        (EARLY, "2026-01-05T02:00Z", "2026-01-05T04:00Z"),
        ("every: {weekday: monday}, end: '2026-02-01T00:00Z'", "2026-01-26T12:00Z", "2026-02-02T12:00Z"),
        ("every: {weekday: monday}, start: '2026-02-01T00:00Z'", "2026-02-02T12:00Z", "2026-01-26T12:00Z"),
        ("end: '2026-01-05T10:00Z'", "2020-01-01T00:00Z", "2026-01-05T10:00Z"),
        ("start: '2026-01-05T09:00', end: '2026-01-05T10:00'", "2026-01-05T09:00Z", "2026-01-05T08:59:59Z"),
    ],
)  # fmt: skip
def test_a_silence_holds_when_it_is_planned(text, inside, outside):
    assert silence_holds(planned(text), at(inside))
    assert not silence_holds(planned(text), at(outside))


def test_wall_time_is_that_of_the_silences_location():
    assert planned("end: '2026-07-01T10:00', location: America/New_York").end == at("2026-07-01T14:00Z")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "a silence must end: expected end, or every"),
        ("every: {weekday: monday, time: '10:00'}", "expected times with start_time and end_time, not time"),
        ("start: '2026-01-02T00:00', end: '2026-01-02T00:00'", "the silence ends before it starts"),
        ("end: tomorrow", "expected a time such as 2026-01-05T09:00"),
        ("every: {weekday: mon}", "monday"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused_at_its_place(text, fault):
    (line,) = faults(LEAST + f"silences: [{{name: s, matchers: ['a=b'], {text}}}]\n")
    assert fault in line
    assert line.startswith("3:")


def test_matchers_of_a_silence_are_read_as_those_of_a_route():
    (found,) = policy(
        LEAST + "silences: [{name: s, matchers: ['{\"ü\"=\"1\"}', 'b=~c'], every: {}}]\n"
    ).silences
    assert found.matchers == (*parse_matchers('{"ü"="1"}'), *parse_matchers("b=~c"))
    assert silence_holds(found, START)


def test_what_a_planned_silence_hides_is_paged_when_it_ends_if_it_still_fires():
    t = Scenario(ONE_CHANNEL + LOAD_TEST)
    t.signal("s1", env="staging")
    t.signal("s2", env="prod", agent="another")
    t.fast_forward(30 * MINUTE)
    assert t.incidents[0].muted_by == ("silence load-test",)
    assert [page.summary for page in t.pages] == ["s2 of another fails"]
    t.fast_forward(HOUR)
    assert t.told == [(10, "oncall", "opened"), (3610, "oncall", "opened")]


def test_a_resolution_follows_a_page_that_a_planned_silence_hides_by_then():
    t = Scenario(ONE_CHANNEL + MOVE)
    t.signal()
    t.fast_forward(HOUR + 10 * MINUTE)
    t.recover()
    assert t.updated[-1] == (4200, "#oncall", "resolved")


def test_a_reload_brings_a_silence_and_takes_it_away():
    t = Scenario()
    t.configure(ONE_CHANNEL + LOAD_TEST)
    t.signal(env="staging")
    t.fast_forward(10 * MINUTE)
    assert t.pages == []
    t.configure(ONE_CHANNEL)
    t.fast_forward(2 * MINUTE)
    assert t.told == [(600, "oncall", "opened")]
