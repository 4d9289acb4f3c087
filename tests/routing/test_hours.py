"""Time intervals hold as in Alertmanager, also over changes of clocks, and are looked at again in time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from routing.hours import holds, next_look, silence_holds, span_holds, spell
from routing.policy import PlannedSilence
from routing.rules.intervals import MinuteRange, Range, Span, TimeInterval
from tests.routing.configs import policy

MINUTE = timedelta(minutes=1)
OFFICE = "[{times: [{start_time: '09:00', end_time: '17:00'}]}]"
EVENING = "[{times: [{start_time: '22:00', end_time: '24:00'}]}]"
MAY_MONDAYS = "[{months: [may], weekdays: [monday]}, {years: ['2030']}]"


def interval(text):
    rules = policy(
        "route: {receiver: a}\nreceivers: [{name: a}]\n"
        f"time_intervals: [{{name: n, time_intervals: {text}}}]\n"
    )
    return rules.time_intervals["n"]


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (OFFICE, "2026-01-05T09:00Z", "2026-01-05T08:59:59Z"),
        (OFFICE, "2026-01-05T16:59:59Z", "2026-01-05T17:00Z"),
        (EVENING, "2026-01-05T23:59:59Z", "2026-01-06T00:00Z"),
        ("[{weekdays: ['monday:friday', sunday]}]", "2026-01-04T12:00Z", "2026-01-03T12:00Z"),
        ("[{weekdays: ['Monday']}]", "2026-01-05T00:00Z", "2026-01-06T00:00Z"),
        ("[{days_of_month: ['1:5']}]", "2026-01-05T00:00Z", "2026-01-06T00:00Z"),
        ("[{days_of_month: ['-1']}]", "2026-02-28T00:00Z", "2026-02-27T00:00Z"),
        ("[{days_of_month: ['-1']}]", "2028-02-29T00:00Z", "2028-02-28T00:00Z"),
        ("[{days_of_month: ['-3:-1']}]", "2026-04-28T00:00Z", "2026-04-27T23:59Z"),
        ("[{days_of_month: ['25:-1']}]", "2026-02-28T00:00Z", "2026-02-24T00:00Z"),
        # Clamped at the month's ends; a begin beyond the end never holds.
        ("[{days_of_month: ['-31:-28']}]", "2026-02-01T00:00Z", "2026-02-02T00:00Z"),
        ("[{days_of_month: ['28:31']}]", "2026-02-28T00:00Z", "2026-03-01T00:00Z"),
        ("[{days_of_month: ['30:31']}]", "2026-03-30T00:00Z", "2026-02-28T00:00Z"),
        ("[{months: ['january:march', '12']}]", "2026-12-01T00:00Z", "2026-04-01T00:00Z"),
        ("[{months: ['1']}, {months: ['13']}]", "2026-01-31T23:59Z", "2026-02-01T00:00Z"),
        ("[{years: ['2026:2027']}]", "2027-12-31T23:59Z", "2028-01-01T00:00Z"),
        # Fields and, entries or.
        (MAY_MONDAYS, "2026-05-04T00:00Z", "2026-05-05T00:00Z"),
        (MAY_MONDAYS, "2030-01-01T00:00Z", "2026-01-05T00:00Z"),
        # In UTC unless a location says otherwise; the day is the location's.
        ("[{weekdays: [monday], location: Asia/Tokyo}]", "2026-01-04T15:00Z", "2026-01-05T15:00Z"),
        ("[{weekdays: [monday]}]", "2026-01-05T15:00Z", "2026-01-04T15:00Z"),
    ],
)  # fmt: skip
def test_an_interval_holds_within_its_fields(text, inside, outside):
    found = interval(text)
    assert holds(found, at(inside))
    assert not holds(found, at(outside))


@pytest.mark.parametrize("field", ["times", "weekdays", "days_of_month", "months", "years"])
def test_an_empty_list_never_holds_and_an_absent_one_always_does(field):
    when = at("2026-01-05T12:00Z")
    assert not holds(interval(f"[{{{field}: []}}]"), when)
    assert holds(interval("[{}]"), when)
    assert not holds(interval("[]"), when)


SKIPPED = "[{times: [{start_time: '02:15', end_time: '02:45'}], location: America/New_York}]"
REPEATED = "[{times: [{start_time: '01:15', end_time: '01:45'}], location: America/New_York}]"
INTO_GAP = "[{times: [{start_time: '01:00', end_time: '02:30'}], location: America/New_York}]"
OVER_FOLD = "[{times: [{start_time: '01:30', end_time: '02:00'}], location: America/New_York}]"


@pytest.mark.parametrize(
    ("text", "day", "spans"),
    [
        (SKIPPED, "2026-03-08", []),
        (SKIPPED, "2026-03-09", [("06:15", "06:45")]),
        (REPEATED, "2026-11-01", [("05:15", "05:45"), ("06:15", "06:45")]),
        (INTO_GAP, "2026-03-08", [("06:00", "07:00")]),
        (OVER_FOLD, "2026-11-01", [("05:30", "06:00"), ("06:30", "07:00")]),
    ],
)
def test_wall_times_that_are_skipped_never_hold_and_repeated_ones_hold_twice(text, day, spans):
    found, begin = interval(text), at(f"{day}T00:00Z")
    minutes = [begin + n * MINUTE for n in range(24 * 60)]
    held = [f"{each:%H:%M}" for each in minutes if holds(found, each)]
    expected = [
        f"{each:%H:%M}" for each in minutes if any(first <= f"{each:%H:%M}" < last for first, last in spans)
    ]
    assert held == expected


ranges = st.tuples(st.integers(1, 12), st.integers(0, 3)).map(lambda pair: Range(pair[0], sum(pair)))
times = st.tuples(st.integers(0, 1439), st.integers(1, 600)).map(
    lambda pair: MinuteRange(pair[0], min(1440, sum(pair)))
)
spans = st.builds(
    Span,
    times=st.none() | st.lists(times, max_size=2).map(tuple),
    weekdays=st.none() | st.just((Range(1, 4),)),
    days_of_month=st.none() | st.sampled_from([(Range(1, 8),), (Range(-3, -1),)]),
    months=st.none() | st.just((Range(3, 11),)),
    location=st.sampled_from(
        ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Chatham", "Asia/Beirut"]
    ),
)
instants = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - hypothesis takes naive bounds
    st.sampled_from(
        ["2026-03-08 06", "2026-11-01 05", "2026-10-03 15", "2026-04-04 14", "2026-03-28 21"]
    ).map(lambda text: datetime.fromisoformat(f"{text}:00")),
).map(lambda naive: naive.replace(tzinfo=UTC))


@given(st.lists(spans, min_size=1, max_size=3), instants)
def test_between_two_looks_nothing_changes(some, begin):
    found = TimeInterval("n", tuple(some))
    look = next_look([found], begin)
    assert begin < look <= begin + timedelta(minutes=30)
    minutes = range(1, int((look - begin) / MINUTE) + 1)
    whole = begin.replace(second=0, microsecond=0)
    states = {
        holds(found, each) for each in (begin, *(whole + n * MINUTE for n in minutes)) if begin <= each < look
    }
    assert len(states) == 1


def test_a_day_ends_when_it_does_where_clocks_differ_by_quarters_of_an_hour():
    mondays = Span(weekdays=(Range(1, 1),), location="Pacific/Chatham")
    sunday = datetime(2026, 3, 8, 10, 1, tzinfo=UTC)
    midnight = datetime(2026, 3, 8, 10, 15, tzinfo=UTC)
    assert next_look([TimeInterval("n", (mondays,))], sunday) == midnight
    silence = PlannedSilence(name="s", matchers=(), span=mondays)
    assert spell(silence, sunday, timedelta(days=1)) == (midnight, sunday + timedelta(days=1))


def test_a_silence_that_begins_too_late_or_never_has_no_spell():
    monday = at("2026-01-05T09:00Z")
    tomorrow = PlannedSilence(name="s", matchers=(), start=monday + timedelta(days=1))
    assert spell(tomorrow, monday, timedelta(days=1)) is None
    past = PlannedSilence(name="s", matchers=(), end=monday - MINUTE)
    assert spell(past, monday, timedelta(days=1)) is None
    assert spell(tomorrow, monday, timedelta(days=2)) == (
        monday + timedelta(days=1),
        monday + timedelta(days=2),
    )


@given(st.lists(spans, max_size=3), instants)
def test_an_interval_holds_where_one_of_its_spans_does(some, when):
    assert holds(TimeInterval("n", tuple(some)), when) is any(span_holds(each, when) for each in some)


SILENCES = st.builds(
    PlannedSilence,
    name=st.just("s"),
    matchers=st.just(()),
    start=st.none() | instants,
    end=st.none() | instants,
    span=st.none() | spans,
)


@given(SILENCES, instants, st.integers(1, 300))
def test_the_next_spell_of_a_silence_is_what_a_clock_that_goes_by_minutes_meets_first(silence, after, hours):
    after = after.replace(second=0, microsecond=0)
    edges = {
        name: value.replace(second=0, microsecond=0)
        for name in ("start", "end")
        if (value := getattr(silence, name)) is not None
    }
    silence = structs.replace(silence, **edges)
    minutes = [after + n * MINUTE for n in range(60 * hours)]
    held = [silence_holds(silence, each) for each in minutes]
    found = spell(silence, after, timedelta(hours=hours))
    if True not in held:
        assert found is None
        return
    begin = held.index(True)
    end = held.index(False, begin) if False in held[begin:] else len(held)
    assert found == (minutes[begin], after + end * MINUTE)
