"""The quick half of `benchmarks/error_rate.py`: false alarms and delays in simulation, by fixed seeds."""

import pytest
from rich.console import Console

from benchmarks import error_rate

pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured

SILENT = Console(quiet=True)


def test_at_exactly_the_allowed_rate_false_alarms_are_as_far_apart_as_wanted():
    assert min(error_rate.mean_time(30, SILENT).values()) >= 1.0


def test_ten_sessions_a_second_that_jump_to_five_percent_are_told_within_a_minute():
    delays = [error_rate.delay(seed, 0.05, before_s=600.0) for seed in range(3)]
    assert sorted(delays)[1] <= 60


def test_a_month_of_little_traffic_has_one_false_alarm_at_most():
    month = error_rate.quiet_month(0)
    assert month["error_rate"] <= 1
    assert month["windows with the guard"] == 0
    assert month["windows"] > 5
