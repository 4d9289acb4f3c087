"""The error budget of three days: how much is spent, and when it is gone."""

import pytest

from detectors.failures.error_budget import error_budget
from detectors.failures.windows import Windows

HOUR_S = 3600.0


def after(hours, total, bad):
    """Windows of an agent with so many trials an hour, and so many failures in all."""
    windows = Windows()
    for hour in range(hours):
        windows.add(hour * HOUR_S, (total, 0))
    return windows, lambda minutes: (bad, total * hours) if minutes == 4320 else None


@pytest.mark.parametrize(
    ("bad", "burn", "said"),
    [
        (0, 1.0, "0.0x the 3-day error budget spent"),
        (36, 10.0, "0.5x the 3-day error budget spent, gone in 4 hours at this rate"),
        (36, 1.5, "0.5x the 3-day error budget spent, gone in 24 hours at this rate"),
        (0, 1.2, "0.0x the 3-day error budget spent, gone in 2 days at this rate"),
        (36, 100.0, "0.5x the 3-day error budget spent, gone in 22 minutes at this rate"),
        (144, 100.0, "2.0x the 3-day error budget spent"),
    ],
)
def test_what_is_left_is_spent_so_many_times_too_fast(bad, burn, said):
    assert str(error_budget(*after(72, 100, bad), 0.01, burn)) == said


def test_what_is_not_known_for_three_days_is_taken_to_go_on_as_it_does():
    assert error_budget(*after(7, 100, 7), 0.01, 0.5).spent == pytest.approx(0.1, rel=0.2)


def test_in_the_first_minutes_an_hour_is_assumed():
    assert error_budget(*after(1, 100, 1), 0.01, 0.5).spent == pytest.approx(1 / 72)


def test_nothing_is_gone_while_the_budget_lasts_for_ever():
    assert error_budget(*after(72, 100, 36), 0.01, 1.0).gone_in_s is None
