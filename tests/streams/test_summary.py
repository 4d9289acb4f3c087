"""The figures of a run."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from streams.cli.figures import bars
from streams.demonstration.summary import EXAMPLES, Summary
from streams.files import Line
from streams.history import Step
from streams.records import DeadLetter
from tests.streams.words import NOON, incident, page, signal, update

HOUR = timedelta(hours=1)


def told(*words):
    summary = Summary()
    for word in words:
        summary.tell(word)
    return summary


def test_signals_are_counted_when_they_begin_incidents_once_pages_by_person():
    summary = told(
        signal(),
        signal(state="resolved"),
        incident(),
        incident(status="resolved"),
        page(),
        page(id="page-2", to="bo"),
        page(id="page-3"),
        update(),
    )
    assert dict(summary.signals) == {"cost/spike": 1}
    assert len(summary.incidents) == 1
    assert dict(summary.people()) == {"ana": 2, "bo": 1}


def test_dead_letters_are_counted_and_the_first_few_kept():
    letters = [DeadLetter(Line(b"?", "a", n), "no event") for n in range(9)]
    summary = told(*letters)
    assert summary.malformed == 9
    assert summary.examples == letters[:EXAMPLES]


def test_ticks_are_no_events():
    summary = Summary()
    summary.step(Step(0, b"tick", at_s=1.0))
    assert summary.events == 0


@given(
    st.lists(st.integers(0, 500), max_size=30), st.lists(st.integers(0, 500), max_size=5), st.integers(1, 20)
)
def test_every_event_and_page_has_its_place_in_time(events, pages, spans):
    summary = told(*(page(time=NOON + hour * HOUR) for hour in pages))
    for hour in events:
        summary.step(Step(0, b"", line=Line(b""), at_s=(NOON + hour * HOUR).timestamp()))
    profile = summary.profile(spans)
    assert (sum(profile.events), sum(profile.pages)) == (len(events), len(pages))
    assert len(profile.events) == len(profile.pages) <= spans


def test_an_event_of_the_far_future_costs_no_memory():
    summary = Summary()
    for at_s in (0.0, 253_000_000_000.0):
        summary.step(Step(0, b"", line=Line(b""), at_s=at_s))
    assert summary.profile(72).events[-1] == 1


def test_an_event_ahead_of_its_writing_is_counted_but_has_no_place_in_time():
    summary = Summary()
    for at_s in (0.0, 301.0):
        summary.step(Step(0, b"", line=Line(b""), at_s=at_s, written_s=0.0))
    assert (summary.events, summary.ahead, summary.profile(72).events) == (2, 1, [1])


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_a_bar_stands_for_each_count_and_only_nothing_is_a_dot(counts):
    drawn = bars(counts)
    assert len(drawn) == len(counts)
    assert [bar == "·" for bar in drawn] == [count == 0 for count in counts]
    if max(counts):
        assert drawn[counts.index(max(counts))] == "█"
