"""One series of numbers: what is told of, what is not, and what a detector makes of bad input."""

import random
from datetime import UTC, datetime, timedelta, timezone
from math import inf, isfinite, nan, pi, sin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.metric import LARGEST, MetricAnomaly
from detectors.registry import discover

START = datetime(2026, 1, 5, tzinfo=UTC)
FIVE = timedelta(minutes=5)
DAY = 288


def wave(rows, seed=1, size=10.0):
    draw = random.Random(seed)
    return [100 + size * sin(2 * pi * row / DAY) + draw.gauss(0, 1) for row in range(rows)]


def alarms(values, step=FIVE, watch=None, start=START):
    watch = watch or MetricAnomaly()
    scores = [watch.score_one(start + row * step, value) for row, value in enumerate(values)]
    return [row for row, score in enumerate(scores) if score >= watch.threshold]


def with_incident(values, at, size=8.0, rows=6):
    return [value + size * (at <= row < at + rows) for row, value in enumerate(values)]


def within(found, at, rows=8):
    return [row for row in found if at <= row < at + rows]


def test_it_is_no_detector_of_events():
    assert "metric" not in discover()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_incident_is_found_on_each_of_three_days_and_little_else(seed):
    values = wave(10 * DAY, seed)
    starts = [5 * DAY + 100, 6 * DAY + 100, 7 * DAY + 100]
    for at in starts:
        values = with_incident(values, at)
    found = alarms(values)
    assert all(within(found, at) for at in starts)
    assert len([row for row in found if not any(within([row], at) for at in starts)]) <= 1


def test_a_spike_a_hundred_times_too_high_is_told_in_its_first_value():
    values = wave(3 * DAY)
    assert 2 * DAY in alarms(with_incident(values, 2 * DAY, 10_000.0, 1))


def test_only_the_side_that_matters_is_told_of():
    values = wave(8 * DAY)
    up, down = 5 * DAY + 50, 6 * DAY + 50
    values = with_incident(with_incident(values, up, 25.0), down, -25.0)
    told = {side: alarms(values, watch=MetricAnomaly(direction=side)) for side in ("up", "down", "both")}
    assert within(told["up"], up)
    assert not within(told["up"], down)
    assert within(told["down"], down)
    assert not within(told["down"], up)
    assert within(told["both"], up)
    assert within(told["both"], down)


def test_a_level_that_moved_for_good_is_told_once():
    values = [value + 8.0 * (row >= 6 * DAY) for row, value in enumerate(wave(14 * DAY, 4))]
    assert len(alarms(values)) - len(alarms(wave(14 * DAY, 4))) == 1


def test_what_lies_at_the_new_level_is_known_there_and_the_way_back_is_told_no_more():
    values = [value + 8.0 * (6 * DAY <= row < 7 * DAY) for row, value in enumerate(wave(9 * DAY, 5))]
    assert not within(alarms(values), 6 * DAY + 20, 2 * DAY)


def test_an_incident_is_found_a_day_after_an_outlier_a_thousand_times_too_high():
    values = wave(8 * DAY, 6)
    values[5 * DAY] *= 1000
    assert within(alarms(with_incident(values, 6 * DAY)), 6 * DAY)


def test_what_grows_while_it_lasts_is_told_again():
    values = with_incident(wave(7 * DAY, 7), 5 * DAY, 8.0, 70)
    worse = with_incident(values, 5 * DAY + 55, 200.0, 10)
    assert len(within(alarms(values), 5 * DAY, 70)) == 1
    assert within(alarms(worse), 5 * DAY + 55, 10)


def test_a_series_that_never_moved_is_told_of_once_when_it_does():
    values = [0.0] * (10 * DAY)
    assert alarms(values) == []
    values[5 * DAY] = 1.0
    assert alarms(values) == [5 * DAY]


@pytest.mark.parametrize("mean", [0.02, 0.2, 2.0])
def test_low_counts_are_left_in_peace_and_a_flood_of_them_is_told(mean):
    draw = random.Random(8)
    values = [float(sum(draw.random() < mean / 20 for _ in range(20))) for _ in range(10 * DAY)]
    assert len(alarms(values)) <= 4
    assert within(alarms(with_incident(values, 9 * DAY, 40.0)), 9 * DAY)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_what_is_no_number_scores_nothing_and_changes_nothing(bad):
    values, watch = wave(400), MetricAnomaly()
    clean = MetricAnomaly()
    for row, value in enumerate(values):
        time = START + row * FIVE
        assert watch.score_one(time, bad) == 0.0
        assert watch.score_one(time, value) == clean.score_one(time, value)
    assert watch.save() == clean.save()


def test_the_largest_numbers_there_are_do_no_harm():
    watch = MetricAnomaly()
    for row, value in enumerate(wave(2 * DAY)):
        watch.score_one(START + row * FIVE, value if row % 100 else (-1) ** row * 1.7e308)
    assert isfinite(watch.score_one(START + 2 * DAY * FIVE, -1.7e308))
    assert max(MetricAnomaly.load(watch.save())._memory.level.known.values) <= LARGEST


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_a_day_either_way_neither_alarms_nor_blinds(days):
    values, watch = wave(12 * DAY, 9), MetricAnomaly()
    before = alarms(values[: 6 * DAY], watch=watch)
    set_to = START + (6 + days) * timedelta(days=1)
    after = alarms(with_incident(values[6 * DAY :], 2 * DAY), watch=watch, start=set_to)
    assert len(before) <= 1
    assert within(after, 2 * DAY)
    assert len(after) <= 3


def test_late_values_count_as_now():
    values, watch = wave(3 * DAY), MetricAnomaly()
    for row, value in enumerate(values):
        late = timedelta(minutes=7) if row % 10 == 0 else timedelta(0)
        assert watch.score_one(START + row * FIVE - late, value) < 1


def test_a_time_without_a_zone_is_utc_and_the_hour_of_day_is_the_times_own():
    naive, aware, tokyo = MetricAnomaly(), MetricAnomaly(), MetricAnomaly()
    for row, value in enumerate(wave(3 * DAY)):
        time = START + row * FIVE
        assert naive.score_one(time.replace(tzinfo=None), value) == aware.score_one(time, value)
        tokyo.score_one(time.astimezone(timezone(timedelta(hours=9))), value)
    assert naive.save() == aware.save() != tokyo.save()


def test_a_second_a_value_and_a_week_a_value_are_both_taken():
    draw = random.Random(10)
    for step in (timedelta(seconds=1), timedelta(days=7), timedelta(0)):
        assert len(alarms([draw.gauss(50, 1) for _ in range(2000)], step)) <= 8


def test_the_state_is_bounded_whatever_comes():
    draw, watch = random.Random(11), MetricAnomaly()
    sizes = []
    for row in range(12_000):
        watch.score_one(START + row * timedelta(seconds=2), draw.lognormvariate(0, 6) * (-1) ** row)
        if row % 1000 == 999:
            sizes.append(len(watch.save()))
    assert max(sizes) <= 60_000
    few = MetricAnomaly(remembered=64)
    alarms(wave(5 * DAY), watch=few)
    assert len(few.save()) < 4_000


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(st.sampled_from([1.0, 60.0, 300.0, 5000.0, -4000.0, -30.0]), st.floats(-1e6, 1e6)),
        max_size=80,
    ),
    st.integers(0, 80),
)
def test_a_restart_anywhere_changes_no_score_and_no_byte(rows, cut):
    whole, broken = MetricAnomaly(), MetricAnomaly()
    at = START
    for row, (gap, value) in enumerate(rows):
        at += timedelta(seconds=gap)
        if row == cut:
            broken = MetricAnomaly.load(broken.save())
        score = whole.score_one(at, value)
        assert broken.score_one(at, value) == score >= 0
    assert whole.save() == broken.save()


def test_a_restart_in_a_departure_keeps_its_side_and_its_memory():
    values, watch = with_incident(wave(7 * DAY), 6 * DAY, 9.0, 40), MetricAnomaly("up", 256)
    told = []
    for row, value in enumerate(values):
        if row == 6 * DAY + 10:
            watch = MetricAnomaly.load(watch.save(), "up", 256)
        if watch.score_one(START + row * FIVE, value) >= watch.threshold:
            told.append(row)
    assert told == alarms(values, watch=MetricAnomaly("up", 256))


def test_a_state_of_another_format_is_refused():
    saved = bytearray(MetricAnomaly().save())
    saved[1] = 9
    with pytest.raises(ValueError, match="format 9, expected 1"):
        MetricAnomaly.load(bytes(saved))
