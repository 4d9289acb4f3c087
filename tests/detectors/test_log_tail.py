"""The upper tail of heavy-tailed amounts."""

import random
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.costs.log_tail import HIGHEST, LOWEST, THINNEST, WIDTH, LogTail

amounts = st.lists(st.floats(1e-7, 1e6), min_size=1, max_size=200)


def filled(values, most=10_000):
    tail = LogTail()
    for value in values:
        tail.add(value, most)
    return tail


@given(amounts, st.floats(0.01, 1.0))
def test_a_quantile_is_right_to_one_bin(values, share):
    exact = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    found = filled(values).quantile(share)
    assert exact * (1 - 1e-9) <= found <= exact * exp(WIDTH) * (1 + 1e-9)


def test_the_tail_of_a_pareto_is_its_hill_estimate_on_the_careful_side():
    draw = random.Random(1)
    tail = filled(draw.paretovariate(2.0) for _ in range(5000)).tail()
    assert tail.share == pytest.approx(0.1, abs=0.02)
    assert 0.5 <= tail.excess <= 0.62
    assert 1e-4 <= tail.chance(100.0) <= 3e-4


def test_chance_and_amount_are_each_others_inverse_and_all_below_the_start_is_common():
    tail = filled(1 + 0.01 * each for each in range(300)).tail()
    assert tail.chance(tail.amount(1e-6)) == pytest.approx(1e-6)
    assert tail.chance(exp(tail.start)) == 1.0
    assert tail.chance(1.0) == 1.0


def test_of_nothing_there_is_no_amount():
    assert LogTail().quantile(0.5) < 1e-8


def test_amounts_that_hardly_vary_are_believed_to_vary_by_a_tenth():
    assert filled([1.0] * 100).tail().excess >= THINNEST


def test_old_amounts_fade_by_halves():
    tail = filled([1.0] * 100 + [10.0] * 50, most=100)
    assert tail.count == 99
    assert tail.quantile(0.4) < 1.1 < tail.quantile(0.7)
    tail = filled([1.0] * 100 + [50.0], most=100)
    assert list(tail.bins) == [0]


@given(st.lists(st.floats(5e-324, 1e308), max_size=50))
def test_no_amount_leaves_the_bins(values):
    tail = filled(values)
    assert all(LOWEST <= place <= HIGHEST for place in tail.bins)
    assert sum(tail.bins.values()) == tail.count == len(values)
    assert not values or log(tail.quantile(1.0)) <= (HIGHEST + 1) * WIDTH + 1e-9
