"""The parts of the metric-anomaly detector, where a whole series seldom leads."""

from detectors.metrics.daily_wave import DAY_S, DailyWave
from detectors.metrics.departure import MOST_AVERAGED, Departure, Held, Residual
from detectors.metrics.highest import MOST, Highest
from detectors.metrics.known_values import KnownValues
from detectors.metrics.pace import Pace


def test_the_highest_of_a_window_leaves_with_it():
    highest = Highest()
    for at, value in enumerate([5.0, 3.0, 4.0, 1.0]):
        highest.push(at, value)
    assert [highest.since(began) for began in (0, 1, 3, 4)] == [5.0, 4.0, 1.0, -1.0]


def test_a_queue_that_falls_without_end_is_bounded():
    highest = Highest()
    for at in range(3 * MOST):
        highest.push(at, -float(at))
    assert len(highest.pairs) == MOST


def test_known_values_are_thinned_and_halved():
    known = KnownValues()
    for value in (1.0, 1.05, 2.0, 3.0, 4.0):
        known.add(value, 0.1, 4)
    assert known.values == [1.0, 3.0]
    assert [known.distance(value) for value in (0.0, 1.5, 3.5, 6.0)] == [1.0, 0.5, 0.5, 3.0]


def test_the_pace_is_the_usual_step_whatever_the_clock_does():
    pace = Pace()
    assert pace.step == 300
    for at in (1000.0, 1060.0, 1120.0, 1110.0, 1180.0):
        pace.move(at)
        pace.rows += 1
    assert 55 < pace.step < 65
    before = pace.now
    pace.move(1180.0 - DAY_S)
    assert pace.now == before + pace.gap
    assert 55 < pace.gap < 65


def test_a_departure_of_many_values_is_averaged_over_its_first():
    pace = Pace(now=3 * DAY_S, rows=1000, gaps=1, log_step=0.0)
    departure = Departure(held=Held(pace.now, pace.now, 5.0, 1.0, 2.0, 6.0 * MOST_AVERAGED, MOST_AVERAGED))
    departure.judge(Residual(3.5, 110.0, 10.0, 4.0), pace)
    assert departure.held is not None
    assert departure.moved(pace.now) == 6.0


def test_an_hour_is_expected_once_it_and_the_next_were_seen():
    wave, pace = DailyWave(), Pace(gaps=1, log_step=8.0)
    wave.learn(3.0, 10.0, None, pace)
    assert wave.expected(3.0) == 10.0
    assert wave.expected(3.5) is None
    wave.learn(4.0, 20.0, None, pace)
    assert wave.expected(3.5) == 15.0
    wave.move(5.0)
    assert wave.expected(3.5) == 20.0
