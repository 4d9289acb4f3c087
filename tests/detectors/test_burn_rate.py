"""Burn rates of pairs of windows, and the guard for low traffic."""

from math import exp, factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.failures.burn_rate import PAIRS, burn_rate, chance, holding, rates, reachable


def everywhere(bad, total):
    return lambda _minutes: (bad, total)


def test_both_windows_of_a_pair_must_reach_its_factor():
    def counted(minutes):
        return (0, 100) if minutes == 5 else (500, 1000)

    held = [(pair.long, pair.short) for pair in holding(counted, 0.01)]
    assert held == [("6h", "30m"), ("3d", "6h")]


def test_two_failures_of_ten_in_an_hour_do_not_hold_although_they_burn_twenty_times():
    assert burn_rate(2, 10, 0.01) == pytest.approx(20)
    assert holding(everywhere(2, 10), 0.01) == ()


def test_a_rate_of_the_budget_itself_holds_nothing():
    assert holding(everywhere(100, 10_000), 0.01) == ()


def test_an_outage_with_traffic_holds_every_pair_and_says_its_windows():
    pairs = holding(everywhere(200, 1000), 0.01)
    assert pairs == PAIRS
    assert rates(everywhere(200, 1000), pairs, 0.01) == pytest.approx(
        {"1h": 20, "5m": 20, "6h": 20, "30m": 20, "3d": 20}
    )


def test_a_factor_that_no_failure_rate_can_reach_is_left_out():
    assert [pair.long for pair in reachable(0.1)] == ["6h", "3d"]
    assert [pair.long for pair in reachable(0.2)] == ["3d"]
    assert [pair.long for pair in holding(everywhere(1000, 1000), 0.1)] == ["6h", "3d"]


def test_nothing_happened_burns_nothing():
    assert burn_rate(0, 0, 0.01) == 0
    assert holding(everywhere(0, 0), 0.01) == ()


def exactly(bad, expected):
    return 1 - sum(exp(-expected) * expected**each / factorial(each) for each in range(bad))


@given(st.integers(0, 60), st.floats(0.01, 40))
def test_the_chance_is_the_poisson_tail(bad, expected):
    assert chance(bad, expected) == pytest.approx(exactly(bad, expected), rel=1e-9, abs=1e-13)


@given(st.integers(1, 5000), st.floats(0.0, 5000))
def test_the_chance_is_a_probability_and_falls_with_the_count(bad, expected):
    assert 0 <= chance(bad, expected) <= chance(bad - 1, expected) + 1e-9 <= 1 + 1e-9


def test_far_tails_keep_their_precision():
    assert chance(30, 1.0) == pytest.approx(1.43e-33, rel=0.01)
    assert chance(3, 0.0) == 0
