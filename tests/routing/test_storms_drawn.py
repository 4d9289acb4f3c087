"""Storms as they are drawn: limits hold, nothing is hidden, and restarts change nothing."""

from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.router import KEY, Router
from schemas.record import Record
from schemas.wire import encode
from tests.routing.bursts import UNLIMITED, burst, to
from tests.routing.scenario import (
    ESCALATED,
    HOUR,
    MINUTE,
    SECOND,
    Scenario,
)

steps = st.lists(
    st.tuples(
        st.sampled_from(["open", "critical", "recover", "ack", "wait", "long", "worse"]),
        st.integers(0, 15),
    ),
    max_size=60,
)


def act(t, what, number):
    if what in ("open", "critical") and f"s{number}" not in t.firing:
        t.signal(f"s{number}", agent=f"a{number}", detector="silence" if what == "critical" else "error_rate")
    elif what == "worse" and f"s{number}" in t.firing and f"w{number}" not in t.firing:
        t.signal(f"w{number}", agent=f"a{number}", detector="silence")
    elif what == "recover" and f"s{number}" in t.firing:
        t.recover(f"s{number}")
    elif what == "ack" and t.pages:
        t.acknowledge(t.pages[number % len(t.pages)].incident)
    t.fast_forward({"wait": number * SECOND, "long": number * MINUTE}.get(what, SECOND))


def too_many(t):
    """Pages beyond two an hour of a person at a severity that are not the first of a critical incident."""
    seen, found = set(), []
    given_out = defaultdict(list)
    for page in t.pages:
        if page.attempt > 1 or page.to not in ("ana", "bo"):
            continue
        mine = given_out[page.to, page.severity]
        recent = [at for at in mine if at > page.time - HOUR]
        is_first = page.severity == "critical" and page.incident not in seen
        if len(recent) >= 2 and not is_first:
            found.append((page.to, page.severity, page.time, page.reason))
        mine.append(page.time)
        if page.severity == "critical":
            seen.add(page.incident)
    return found


@settings(max_examples=25)
@given(steps)
def test_in_no_storm_does_anybody_get_more_than_the_limit_and_nothing_is_hidden(story):
    t = Scenario(ESCALATED)
    for what, number in story:
        act(t, what, number)
    t.fast_forward(3 * HOUR)
    assert too_many(t) == []
    told = {page.incident for page in t.pages} | {
        each
        for case in t.router._state.cases.values()
        for page in case.pages.values()
        for each in page.speaks
    }
    for each in t.incidents:
        assert each.id in told or each.status != "triggered"
        assert each.held == () or each.status == "triggered"


@settings(max_examples=25)
@given(steps)
def test_what_is_acknowledged_in_a_storm_climbs_no_further(story):
    t = Scenario(ESCALATED)
    for what, number in story:
        act(t, what, number)
    for each in t.incidents:
        t.acknowledge(each.id)
    before = len(t.pages)
    t.fast_forward(29 * MINUTE)
    assert t.pages[before:] == []


def test_without_a_limit_the_measure_of_a_storm_finds_too_many():
    t = Scenario(UNLIMITED)
    burst(t, 5)
    assert len(too_many(t)) == 3


@settings(max_examples=25)
@given(steps, st.integers(0, 400))
def test_a_storm_that_is_restored_anywhere_goes_on_the_same(story, at):
    t = Scenario(ESCALATED)
    for what, number in story:
        act(t, what, number)
    t.fast_forward(2 * HOUR)
    whole, parts = Router(), Router()
    outputs = ([], [])
    for offset, value in enumerate(t.log):
        if offset == at % max(1, len(t.log)):
            saved = parts.save(KEY)
            parts = Router()
            parts.load(KEY, saved)
        for router, found in zip((whole, parts), outputs, strict=True):
            found += [encode(each.value) for each in router.apply(Record(offset, value))]
    assert outputs[0] == outputs[1]
    assert whole.save(KEY).body == parts.save(KEY).body


@pytest.mark.parametrize("every", [None, timedelta(seconds=7), timedelta(minutes=9)])
def test_storms_come_at_their_own_time_whenever_the_router_wakes(every):
    t = Scenario(ESCALATED, every=every)
    burst(t, 12)
    t.fast_forward(2 * HOUR)
    assert to(t, "ana")[:2] == [(0, "opened"), (60, "storm")]
