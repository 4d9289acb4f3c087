"""For how long a silence says nothing: by the gaps that are usual, of calls by those between visits."""

import math
import random
from statistics import mean, pvariance

import pytest

from detectors.failures.patience import GAPS_OF_CALLS, LEAST_S, endurance, patience
from detectors.failures.windows import Windows
from tests.detectors.agent_events import START_S


def test_where_something_comes_in_every_ten_minutes_visits_are_told_by_how_it_scatters():
    windows = Windows()
    for ten in range(36):
        for minute in range(1 + 2 * (ten % 2)):
            windows.add(START_S + 600 * ten + 60 * minute, (8,))
    assert LEAST_S == patience(windows) < endurance(windows) < 3000
    windows = Windows()
    for minute in range(360):
        windows.add(START_S + 60 * minute, (2,))
    assert endurance(windows) == LEAST_S


@pytest.mark.parametrize("most", [12, 300])
def test_it_scatters_as_the_variance_over_the_square_of_the_mean(most):
    draw = random.Random(most)
    for _ in range(20):
        windows = Windows()
        for ten in range(36):
            windows.add(START_S + 600 * ten, (1 + draw.randrange(most) ** 2,))
        whole = [row[1] for row in windows.tens[1:-1]]
        visits_s = 600 * pvariance(whole) / mean(whole) ** 2
        assert endurance(windows) == pytest.approx(
            max(patience(windows) * GAPS_OF_CALLS / 8, GAPS_OF_CALLS * min(visits_s, 600 / math.log(36)))
        )


def test_calls_are_waited_for_longer_than_sessions_by_half():
    windows = Windows()
    for ten in range(36):
        windows.add(START_S + 600 * ten, (1,))
    assert patience(windows) == pytest.approx(8 * 600, rel=0.1)
    assert endurance(windows) == pytest.approx(12 * 600, rel=0.1)
