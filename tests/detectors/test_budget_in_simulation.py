"""The quick part of `benchmarks/budget.py`: how early a budget's end is told, and how often wrongly."""

import pytest

from benchmarks.budget import HOUR, KINDS, play

pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured


def test_exhaustion_is_told_hours_before_and_a_quiet_month_tells_nothing():
    played = play(KINDS["office, quiet weekends"], "day", 0)
    assert played.false == 0
    assert played.delay[4.0] < 1.5 * HOUR
    assert played.lead[4.0] > 3 * HOUR
    assert played.spent[4.0] < 0.5
    assert 0.6 < played.within / played.asked <= 1.0
