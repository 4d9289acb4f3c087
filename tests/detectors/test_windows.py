"""Counts over sliding windows, against counting the events themselves."""

from hypothesis import given
from hypothesis import strategies as st

from detectors.failures.windows import HOURS, MINUTES, TENS, Windows

START_S = 1_767_225_600.0

steps = st.lists(
    st.tuples(st.floats(0, 20_000, allow_nan=False), st.integers(0, 9), st.integers(0, 9)), max_size=60
)


def filled(gaps):
    windows, at, seen = Windows(), START_S, []
    for gap, one, two in gaps:
        at += gap
        windows.add(at, (one, two))
        seen.append((at, one, two))
    return windows, at, seen


def counted(seen, at, minutes, bucket):
    oldest = int(at // 60) // bucket - minutes // bucket
    rows = [row for row in seen if int(row[0] // 60) // bucket > oldest]
    return [sum(row[1] for row in rows), sum(row[2] for row in rows)] if rows else []


@given(steps, st.floats(0, 90_000, allow_nan=False))
def test_each_window_sums_what_lies_in_its_whole_buckets(gaps, later):
    windows, at, seen = filled(gaps)
    now = at + later
    for minutes in (1, 5, 30, 60):
        assert windows.last(now, minutes) == counted(seen, now, minutes, 1)
    assert windows.last(now, 360) == counted(seen, now, 360, 10)
    assert windows.last(now, 4320) == counted(seen, now, 4320, 60)


@given(steps)
def test_the_rings_stay_within_their_bounds(gaps):
    windows, _, _ = filled(gaps)
    assert len(windows.minutes) <= MINUTES
    assert len(windows.tens) <= TENS
    assert len(windows.hours) <= HOURS


def test_a_week_of_steady_minutes_stays_within_the_bounds_too():
    windows = Windows()
    for minute in range(7 * 24 * 60):
        windows.add(START_S + 60 * minute, (1,))
    sizes = [len(ring) for ring in (windows.minutes, windows.tens, windows.hours)]
    assert sizes == [MINUTES, TENS, HOURS]
    assert windows.last(START_S + 60 * (7 * 24 * 60 - 1), 4320) == [4320]


def test_a_series_shows_each_minute_and_idle_ones_as_empty_rows():
    windows = Windows()
    windows.add(START_S, (3, 1))
    windows.add(START_S + 125, (4, 0))
    assert windows.series(START_S + 130, 4) == [[], [3, 1], [], [4, 0]]


def test_a_closed_ten_minute_bucket_is_found_by_its_number():
    windows = Windows()
    windows.add(START_S, (3, 1))
    windows.add(START_S + 60, (2, 0))
    assert windows.ten(int(START_S // 600)) == [3, 1]
    assert windows.ten(int(START_S // 600) + 1) == []
