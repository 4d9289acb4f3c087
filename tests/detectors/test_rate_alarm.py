"""The e-detector: how long to a false alarm, how soon to a true one, and where the rise began."""

import random

from hypothesis import given
from hypothesis import strategies as st

from detectors.failures.rate_alarm import CATASTROPHE, MULTIPLES, Cell, RateAlarm

ALLOWED = 0.01


def cell(at, good, bad, first_bad):
    return Cell(at, good + bad, bad, first_bad)


def alarmed_after(draw, threshold_s, most_s):
    """Seconds to an alarm at the allowed rate, at most `most_s`: five trials every five seconds."""
    alarm, at = RateAlarm(at=1.0), 1.0
    while at < most_s:
        at += 5.0
        bad = sum(draw.random() < ALLOWED for _ in range(5))
        alarm.step(cell(at, 5 - bad, bad, at), ALLOWED)
        if alarm.level >= threshold_s:
            break
    return at


def test_at_the_allowed_rate_the_mean_time_to_a_false_alarm_is_at_least_the_threshold():
    draw, threshold_s = random.Random(5), 600.0
    times = [alarmed_after(draw, threshold_s, 6000.0) for _ in range(60)]
    assert sum(times) / len(times) >= 1.5 * threshold_s


def test_ten_requests_a_second_that_jump_to_five_percent_are_found_within_a_minute():
    draw, times = random.Random(7), []
    for _ in range(9):
        alarm, at = RateAlarm(at=1.0), 1.0
        for rate, cells in ((0.005, 200), (0.05, 60)):
            for _cell in range(cells):
                at += 5.0
                bad = sum(draw.random() < rate for _ in range(50))
                alarm.step(cell(at, 50 - bad, bad, at), ALLOWED)
                if alarm.level >= 30 * 86400:
                    break
        times.append(at - 1001.0)
    assert sorted(times)[4] <= 60


def test_four_failures_in_a_row_alarm_and_two_do_not():
    alarm = RateAlarm()
    for minute in range(60):
        alarm.step(cell(60.0 * minute, 6, 0, 0.0), ALLOWED)
    levels = []
    for failure in range(1, 5):
        alarm.step(cell(3540.0 + 5 * failure, 0, 1, 3540.0 + 5 * failure), ALLOWED)
        levels.append(alarm.level)
    assert levels[1] < 180 * 86400 < levels[3]


def test_silence_earns_ten_minutes_of_mass_and_no_more():
    short, long = RateAlarm(at=1.0), RateAlarm(at=1.0)
    short.step(cell(601.0, 1, 0, 0.0), ALLOWED)
    long.step(cell(60_001.0, 1, 0, 0.0), ALLOWED)
    assert short.level == long.level


def test_the_onset_is_the_first_failure_of_the_rise():
    alarm = RateAlarm()
    alarm.step(cell(100.0, 0, 1, 97.0), ALLOWED)
    alarm.step(cell(1000.0, 500, 0, 1000.0), ALLOWED)
    alarm.step(cell(1005.0, 0, 2, 1001.5), ALLOWED)
    alarm.step(cell(1010.0, 1, 3, 1006.0), ALLOWED)
    assert alarm.onset is not None
    assert (alarm.onset.at, alarm.onset.total, alarm.onset.bad) == (1001.5, 6, 5)


def test_where_nothing_rises_there_is_no_onset():
    alarm = RateAlarm()
    alarm.step(cell(10.0, 50, 0, 10.0), ALLOWED)
    assert alarm.onset is None


def test_failures_that_came_together_in_one_session_are_evidence_once_and_all_told():
    together, alone = RateAlarm(), RateAlarm()
    together.step(Cell(10.0, 6, 5, 7.0, 4), ALLOWED)
    alone.step(Cell(10.0, 2, 1, 7.0), ALLOWED)
    assert together.level == alone.level
    assert together.onset is not None
    assert (together.onset.total, together.onset.bad) == (6, 5)


def test_a_reset_forgets_everything():
    alarm = RateAlarm()
    alarm.step(cell(10.0, 0, 5, 7.0), ALLOWED)
    alarm.reset()
    assert alarm == RateAlarm()


@given(st.floats(0.0001, 0.99), st.integers(0, 10_000), st.integers(0, 10_000))
def test_no_rate_or_count_overflows(allowed, good, bad):
    alarm = RateAlarm(at=1.0)
    for at in range(2, 40):
        alarm.step(cell(float(at), good + (not bad), bad, float(at)), allowed)
    assert alarm.level >= 0
    assert len(alarm.mass) == len(MULTIPLES) + 1


@given(st.floats(0.001, 0.9), st.integers(1, 30), st.floats(1, 59))
def test_mass_spread_over_successes_lies_between_all_of_it_before_and_all_after(allowed, good, seconds):
    alarm = RateAlarm(at=100.0)
    alarm.step(cell(100.0 + seconds, good, 0, 0.0), allowed)
    middle = (1 + allowed) / 2
    down = (1 - max(CATASTROPHE, middle)) / (1 - allowed)
    assert seconds * down**good * (1 - 1e-9) <= alarm.mass[-1] <= seconds * down * (1 + 1e-9)
