"""For how long a silence says nothing: by the gaps that are usual, of calls by those between visits."""

import pytest

from detectors.failures.patience import LEAST_S, endurance, patience
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


def test_calls_are_waited_for_longer_than_sessions_by_half():
    windows = Windows()
    for ten in range(36):
        windows.add(START_S + 600 * ten, (1,))
    assert patience(windows) == pytest.approx(8 * 600, rel=0.1)
    assert endurance(windows) == pytest.approx(12 * 600, rel=0.1)
