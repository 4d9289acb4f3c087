"""Judges that no other test runs, on as much of them as a test may take; the whole of each is a benchmark."""

import pytest

from benchmarks import (
    cost_and_scores,
    input_shift,
    lasting_incidents,
    quality,
    slowdowns,
    states,
    thirty_days,
)
from detectors.settings import Watch
from tests.conftest import SHARED, shared_data
from tests.detectors.ordinary_events import ordinary

pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured


@pytest.mark.data
def test_shifts_of_real_texts_are_found_in_time_and_the_same_texts_are_left_in_peace():
    judge = input_shift.protocol(SHARED / "bench/bench_shift.py")
    texts = judge.load(str(shared_data("shift_texts.json.gz")))
    wanted = ("bursty", "new30", "lang10", "injpay5")
    found = judge.run(texts, input_shift.TextShift, 1, 2000, only=wanted, seed0=300)
    assert found["fa"] == found["fab"] == [0]
    # Targets are medians of sixty seeds; one seed may take twice as long.
    assert all(delay[0] <= 2 * input_shift.TARGETS[name] for name, delay in found["delay"].items())


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("cut short 2 % -> 20 %, 200 a day", 64),
        ("score 0.80 -> 0.60, 200 a day", 110),
        ("passed 58 % -> 40 %, 400 a day", 333),
    ],
)
def test_answers_that_get_worse_are_told_after_few_and_nothing_before(name, within):
    played = quality.play(quality.KINDS[name], 1, days=14)
    assert played.false == 0
    assert played.answers <= within


@pytest.mark.parametrize(("name", "within_min"), [("30 a minute, steady", 4), ("3 a minute", 20)])
def test_what_takes_three_times_as_long_is_told_and_nothing_before(name, within_min):
    minutes = slowdowns.told(slowdowns.KINDS[name], slowdowns.ONSET + slowdowns.LASTS, 3.0, 100)
    assert 0 <= minutes[0] - slowdowns.ONSET < within_min


@pytest.mark.parametrize("name", thirty_days.KINDS)
def test_three_ordinary_days_tell_of_nothing_and_what_goes_wrong_is_told(name):
    kind, quiet, positive = thirty_days.KINDS[name]
    assert thirty_days.told(kind(Watch(), {}), quiet(3, 1)) == {}
    told = thirty_days.told(kind(Watch(), {}), positive())
    assert told
    assert all(at - onset <= 500 for onset, at in told.values())


@pytest.mark.parametrize(
    ("name", "within_min"), [("cost of a call, 12 an hour", 415), ("score, 6 an hour", 610)]
)
def test_what_costs_three_times_as_much_or_is_graded_worse_is_told_and_nothing_before(name, within_min):
    played = cost_and_scores.by_detector(cost_and_scores.SERIES[name], 1)
    assert played.false == 0
    assert played.told <= within_min


def test_a_day_of_lost_sessions_is_one_incident_told_and_over_within_the_hour():
    lasted = lasting_incidents.lasted(20.0, 1.0, lasting_incidents.FIRST_SEED)
    assert (lasted.opened, lasted.false) == (1, 0)
    assert lasted.told_s <= 3600
    assert lasted.ended_s <= 3600


def test_what_a_detector_keeps_is_measured_as_it_is_saved_and_as_it_is_written():
    found, together = states.kept("session", ordinary(2000)), states.Size(1, 1, 1)
    together.add(found)
    assert 0 < found.compressed < found.moving < 2_000
    assert together.moving == found.moving + 1
    assert found.cells == (f"{found.moving / 1000:.1f}", f"{found.compressed / 1000:.1f}", "0.0")
