"""Faults that are injected into made-up traffic are told in time, and without any nothing is."""

import pytest

from benchmarks.faults import ASTRAY, FAULTS, delay, quiet

pytestmark = pytest.mark.no_cover  # it judges the whole, and is several times as fast unmeasured

RATE_PER_H = 120.0
WITHIN_S = {
    "a tool's calls all time out": 400,
    "three in ten time out": 1800,
    "all are rate-limited": 600,
    "all take 20 s": 600,
    "none ends": 600,
    "half of the required ones fail, unseen": 2700,
    "each hundredth memory is another tenant's": 300,
    "each hundredth session meets another tenant": 300,
    "a session makes the same call each 3 s": 180,
    "a session makes a new call each 3 s": 1200,
}


@pytest.mark.parametrize("name", [*FAULTS, *ASTRAY])
def test_a_fault_is_told_in_time_and_nothing_before_it(name):
    after_s, false = delay(name, 1000, RATE_PER_H)
    assert after_s is not None
    assert after_s <= WITHIN_S[name]
    assert false == 0


def test_two_days_without_a_fault_bring_nothing():
    assert quiet(30.0, 2.0, 1000) == []
